//! What the page on metadata and interceptors says.

use farcall::{Call, Next, Reply, Result, Server};
use guide::proto::greet::v1::{Greeter, GreeterClient, HelloReply, HelloRequest};

struct Hello;

impl Greeter for Hello {
    async fn say_hello(&self, request: HelloRequest, call: &mut Call) -> Result<HelloReply> {
        let tenant = call.metadata().get("tenant").unwrap_or("nobody").to_owned();
        call.add_reply_metadata("served-by", "room 12")?;
        call.add_reply_trailer("billed-to", &tenant)?;
        Ok(HelloReply { message: format!("Hello, {}!", request.name) })
    }
}

fn ada() -> HelloRequest {
    HelloRequest { name: "Ada".into() }
}

#[tokio::test]
async fn metadata_goes_both_ways() -> Result<()> {
    let greeter = GreeterClient::new(Hello.into_service());
    let call = greeter.say_hello(ada()).metadata("tenant", "acme");
    let call = call.metadata_bin("key-bin", [0, 255]);
    let (reply, beside) = call.with_metadata().await?;
    assert_eq!(reply.message, "Hello, Ada!");
    assert_eq!(beside.metadata().get("served-by"), Some("room 12"));
    assert_eq!(beside.trailers().get("billed-to"), Some("acme"));
    Ok(())
}

#[tokio::test]
async fn metadata_that_cannot_be_sent_fails_the_call() {
    let greeter = GreeterClient::new(Hello.into_service());
    let result = greeter.say_hello(ada()).metadata("Not a name", "x").await;
    assert!(result.is_err());
}

async fn stamp(call: Call, next: Next) -> Result<Reply> {
    let mut reply = next.run(call).await?;
    reply.trailers_mut().append("stamped", "yes")?;
    Ok(reply)
}

#[tokio::test]
async fn an_interceptor_may_change_what_comes_back() -> Result<()> {
    let channel = Server::new().intercept(stamp).add(Hello.into_service()).in_process();
    let (_, beside) = GreeterClient::new(channel).say_hello(ada()).with_metadata().await?;
    assert_eq!(beside.trailers().get("stamped"), Some("yes"));
    Ok(())
}
