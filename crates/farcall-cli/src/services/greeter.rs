//! The greeter: one unary method, for a first call.

use farcall::{Call, Result};

use crate::proto::greet::v1::{Greeter, HelloReply, HelloRequest};

/// Greets whoever is named, and the world when nobody is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hello;

impl Greeter for Hello {
    async fn say_hello(&self, request: HelloRequest, _: &mut Call) -> Result<HelloReply> {
        let name = if request.name.is_empty() { "world" } else { &request.name };
        Ok(HelloReply { message: format!("Hello, {name}!") })
    }
}
