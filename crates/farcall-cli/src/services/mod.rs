//! The demonstration services. They keep no state, so that any number of calls can run at once.

mod echo;
mod greeter;
mod numbers;

pub use echo::Echoes;
pub use greeter::Hello;
pub use numbers::Calculator;

use farcall::Server;

use crate::proto::echo::v1::Echo;
use crate::proto::greet::v1::Greeter;
use crate::proto::numbers::v1::Numbers;

/// A server of all demonstration services, with no endpoint yet.
pub fn server() -> Server {
    Server::new()
        .add(Hello.into_service())
        .add(Calculator.into_service())
        .add(Echoes.into_service())
}
