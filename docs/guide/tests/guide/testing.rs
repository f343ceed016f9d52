//! What the page on testing says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use farcall::{Call, Channel, Result, Server, Status};
use guide::proto::greet::v1::{Greeter, GreeterClient, HelloReply, HelloRequest};
use tokio::sync::oneshot;

struct Hello;

impl Greeter for Hello {
    async fn say_hello(&self, request: HelloRequest, _: &mut Call) -> Result<HelloReply> {
        Ok(HelloReply { message: format!("Hello, {}!", request.name) })
    }
}

#[tokio::test]
async fn ada_is_greeted() -> Result<()> {
    let greeter = GreeterClient::new(Server::new().add(Hello.into_service()).in_process());
    let reply = greeter.say_hello(HelloRequest { name: "Ada".into() }).await?;
    assert_eq!(reply.message, "Hello, Ada!");
    Ok(())
}

/// Greets all guests; whom it cannot greet now it leaves out.
async fn welcome(greeter: &GreeterClient, guests: &[&str]) -> Vec<String> {
    let mut greetings = Vec::new();
    for guest in guests {
        let request = HelloRequest { name: (*guest).into() };
        if let Ok(reply) = greeter.say_hello(request).await {
            greetings.push(reply.message);
        }
    }
    greetings
}

/// A greeter that has gone home after the first guest.
#[derive(Default)]
struct Tired {
    asked: AtomicU32,
}

impl Greeter for Tired {
    async fn say_hello(&self, _: HelloRequest, _: &mut Call) -> Result<HelloReply> {
        match self.asked.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(HelloReply { message: "Yes?".into() }),
            _ => Err(Status::unavailable("gone home")),
        }
    }
}

#[tokio::test]
async fn guests_who_cannot_be_greeted_are_left_out() {
    let tired = Arc::new(Tired::default());
    let greeter = GreeterClient::new(Arc::clone(&tired).into_service());
    assert_eq!(welcome(&greeter, &["Ada", "Charles"]).await, ["Yes?"]);
    assert_eq!(tired.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn over_a_real_socket() -> Result<()> {
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new()
        .add(Hello.into_service())
        .listen("tcp://127.0.0.1:0")
        .shutdown_on(async { drop(stopped.await) })
        .bind()
        .await?;
    let endpoint = server.endpoints().next().expect("one was given").to_string();
    let server = tokio::spawn(server.run());

    let greeter = GreeterClient::new(Channel::connect(endpoint).await?);
    let reply = greeter.say_hello(HelloRequest { name: "Ada".into() }).await?;
    assert_eq!(reply.message, "Hello, Ada!");

    drop(stop);
    server.await.expect("the server did not panic")
}
