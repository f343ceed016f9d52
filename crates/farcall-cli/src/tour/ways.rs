//! The ways to call the services: which there are, and one checked call on each.

use std::fmt;
use std::sync::Arc;

use farcall::{Channel, Result, Status};

use crate::proto::greet::v1::{GreeterClient, HelloRequest};
use crate::proto::numbers::v1::{Number, NumbersClient};

/// Numbers in each stream of a call.
pub(super) const STREAM: i64 = 100;

/// The four kinds of call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Unary,
    ServerStreaming,
    ClientStreaming,
    Bidirectional,
}

impl Kind {
    pub(super) const ALL: [Self; 4] =
        [Self::Unary, Self::ServerStreaming, Self::ClientStreaming, Self::Bidirectional];

    /// Messages that one call takes, requests and replies together.
    pub(super) fn messages(self) -> u32 {
        let stream = STREAM.unsigned_abs() as u32;
        match self {
            Self::Unary => 2,
            Self::ServerStreaming | Self::ClientStreaming => stream + 1,
            Self::Bidirectional => 2 * stream,
        }
    }

    /// What the call has to come to.
    fn expected(self) -> Answer {
        match self {
            Self::Unary => Answer::Greeting("Hello, Ada!".to_owned()),
            Self::ServerStreaming => Answer::Numbers((1..=STREAM).collect()),
            Self::ClientStreaming => Answer::Number(sum_to(STREAM)),
            Self::Bidirectional => Answer::Numbers((1..=STREAM).map(sum_to).collect()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unary => "unary",
            Self::ServerStreaming => "server streaming",
            Self::ClientStreaming => "client streaming",
            Self::Bidirectional => "bidirectional",
        })
    }
}

/// What the services replied.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Greeting(String),
    Number(i64),
    Numbers(Vec<i64>),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting(greeting) => f.write_str(greeting),
            Self::Number(number) => write!(f, "{number}"),
            Self::Numbers(numbers) => match numbers.as_slice() {
                [first, second, .., last] => write!(f, "{first}, {second} .. {last}"),
                few => write!(f, "{few:?}"),
            },
        }
    }
}

/// Makes calls of one kind over one channel, and checks the replies.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    kind: Kind,
    expected: Arc<Answer>,
    greeter: GreeterClient,
    numbers: NumbersClient,
}

impl Caller {
    pub(super) fn new(channel: &Channel, kind: Kind) -> Self {
        Self {
            kind,
            expected: kind.expected().into(),
            greeter: GreeterClient::new(channel.clone()),
            numbers: NumbersClient::new(channel.clone()),
        }
    }

    /// One call.
    ///
    /// # Errors
    /// The call failed, or its reply is not what it should be: both are told.
    pub(super) async fn call(&self) -> Result<Answer> {
        let answer = match self.kind {
            Kind::Unary => self.greet().await?,
            Kind::ServerStreaming => self.count().await?,
            Kind::ClientStreaming => self.sum().await?,
            Kind::Bidirectional => self.running_sum().await?,
        };
        if answer == *self.expected {
            return Ok(answer);
        }
        Err(Status::data_loss(format!("expected the reply {}, got {answer}", self.expected)))
    }

    async fn greet(&self) -> Result<Answer> {
        let reply = self.greeter.say_hello(HelloRequest { name: "Ada".into() }).await?;
        Ok(Answer::Greeting(reply.message))
    }

    async fn count(&self) -> Result<Answer> {
        let mut replies = self.numbers.count_to(Number { value: STREAM }).await?;
        let mut received = Vec::new();
        while let Some(number) = replies.receive().await? {
            received.push(number.value);
        }
        Ok(Answer::Numbers(received))
    }

    async fn sum(&self) -> Result<Answer> {
        let (mut numbers, sum) = self.numbers.sum().await?;
        for value in 1..=STREAM {
            numbers.send(Number { value }).await?;
        }
        numbers.finish().await?;
        Ok(Answer::Number(sum.await?.value))
    }

    /// Sends and receives at the same time, so that neither direction waits for the other.
    async fn running_sum(&self) -> Result<Answer> {
        let (mut numbers, mut sums) = self.numbers.running_sum().await?;
        let send = async {
            for value in 1..=STREAM {
                numbers.send(Number { value }).await?;
            }
            numbers.finish().await
        };
        let receive = async {
            let mut received = Vec::new();
            while let Some(number) = sums.receive().await? {
                received.push(number.value);
            }
            Ok(received)
        };
        let ((), received) = tokio::try_join!(send, receive)?;
        Ok(Answer::Numbers(received))
    }
}

fn sum_to(last: i64) -> i64 {
    (1..=last).sum()
}

#[cfg(test)]
mod tests {
    use farcall::{Call, Code, Server};

    use super::*;
    use crate::proto::greet::v1::{Greeter, HelloReply};
    use crate::services;

    struct Rude;

    impl Greeter for Rude {
        async fn say_hello(&self, _: HelloRequest, _: &mut Call) -> Result<HelloReply> {
            Ok(HelloReply { message: "Go away!".into() })
        }
    }

    #[tokio::test]
    async fn each_kind_of_call_is_answered_as_it_should() {
        let channel = services::server().in_process();
        let mut answers = Vec::new();
        for kind in Kind::ALL {
            answers.push(Caller::new(&channel, kind).call().await.unwrap().to_string());
        }
        assert_eq!(answers, ["Hello, Ada!", "1, 2 .. 100", "5050", "1, 3 .. 5050"]);
    }

    #[tokio::test]
    async fn a_wrong_reply_is_an_error_that_shows_both() {
        let channel = Server::new().add(Rude.into_service()).in_process();
        let status = Caller::new(&channel, Kind::Unary).call().await.unwrap_err();
        assert_eq!(status.code(), Code::DataLoss);
        assert_eq!(status.message(), "expected the reply Hello, Ada!, got Go away!");
    }

    #[tokio::test]
    async fn a_missing_service_is_an_error() {
        let channel = Server::new().add(Rude.into_service()).in_process();
        let status = Caller::new(&channel, Kind::Bidirectional).call().await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
    }
}
