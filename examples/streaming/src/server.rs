//! Counts and adds: one method of each kind that streams.

use farcall::{Call, Inbound, Outbound, Result, Server};

mod proto {
    farcall::include_protos!();
}
use proto::numbers::v1::{Number, Numbers};

struct Arithmetic;

impl Numbers for Arithmetic {
    async fn count_to(
        &self,
        last: Number,
        replies: &mut Outbound<Number>,
        _: &mut Call,
    ) -> Result<()> {
        for value in 1..=last.value {
            // Waits while the client is not keeping up.
            replies.send(Number { value }).await?;
        }
        Ok(())
    }

    async fn sum(&self, requests: &mut Inbound<Number>, _: &mut Call) -> Result<Number> {
        let mut value = 0;
        while let Some(number) = requests.receive().await? {
            value += number.value;
        }
        Ok(Number { value })
    }

    async fn running_sum(
        &self,
        requests: &mut Inbound<Number>,
        replies: &mut Outbound<Number>,
        _: &mut Call,
    ) -> Result<()> {
        let mut value = 0;
        while let Some(number) = requests.receive().await? {
            value += number.value;
            replies.send(Number { value }).await?;
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let endpoint = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:8080".into());
    Server::new().add(Arithmetic.into_service()).listen(endpoint).run().await
}
