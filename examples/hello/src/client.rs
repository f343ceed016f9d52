//! Calls the greeter.

use farcall::{Channel, Result};

mod proto {
    farcall::include_protos!();
}
use proto::greet::v1::{GreeterClient, HelloRequest};

#[tokio::main]
async fn main() -> Result<()> {
    let endpoint = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:8080".into());
    let greeter = GreeterClient::new(Channel::connect(endpoint).await?);
    let reply = greeter.say_hello(HelloRequest { name: "Ada".into() }).await?;
    println!("{}", reply.message);
    Ok(())
}
