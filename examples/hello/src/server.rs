//! Greets whoever calls.

use farcall::{Call, Result, Server};

mod proto {
    farcall::include_protos!();
}
use proto::greet::v1::{Greeter, HelloReply, HelloRequest};

struct Hello;

impl Greeter for Hello {
    async fn say_hello(&self, request: HelloRequest, _: &mut Call) -> Result<HelloReply> {
        Ok(HelloReply { message: format!("Hello, {}!", request.name) })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let endpoint = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:8080".into());
    Server::new().add(Hello.into_service()).listen(endpoint).run().await
}
