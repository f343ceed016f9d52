//! Calls `greet.v1.Greeter/SayHello` on port 8080.

mod proto {
    tonic::include_proto!("greet.v1");
}

use proto::HelloRequest;
use proto::greeter_client::GreeterClient;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut greeter = GreeterClient::connect("http://127.0.0.1:8080").await?;
    let reply = greeter.say_hello(HelloRequest { name: "Ada".into() }).await?.into_inner();
    println!("{}", reply.message);
    Ok(())
}
