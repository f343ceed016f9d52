//! The four kinds of call, with messages whose types are known only now.

use std::future::Future;
use std::io::{self, Write as _};
use std::pin::pin;
use std::time::Duration;

use farcall::{Channel, Codec, Encoding, Inbound, Kind, Metadata, Outbound, Pending, Status, stub};

use super::input::Input;
use super::replies::Replies;
use crate::metadata::{self, Headers};
use crate::raw::Raw;
use crate::schema::{self, MethodPath, Schema};
use crate::values::Text;
use crate::{Failure, Result};

/// One call that is about to be made.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) channel: Channel,
    pub(super) path: MethodPath,
    pub(super) codec: Codec,
    pub(super) headers: Headers,
    pub(super) timeout: Option<Duration>,
    pub(super) encoding: Encoding,
    pub(super) verbose: bool,
}

/// Why there are no more replies.
#[derive(Debug)]
pub(super) enum Ended {
    /// The call failed.
    Failed(Status),
    /// Anything else: a request that is none, an output that nobody reads.
    Other(Failure),
}

impl From<Status> for Ended {
    fn from(status: Status) -> Self {
        Self::Failed(status)
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Other(error.into())
    }
}

impl Exchange {
    /// Sends what comes in and shows what comes back.
    ///
    /// # Errors
    /// See [`Ended`].
    pub(super) async fn run(&self, input: Input, replies: &mut Replies) -> Result<(), Ended> {
        self.tell(&format!("> {}\n", self.path.method))?;
        let result = match self.path.method.kind {
            Kind::Unary => self.unary(input, replies).await,
            Kind::ServerStreaming => self.server_streaming(input, replies).await,
            Kind::ClientStreaming => self.client_streaming(input, replies).await,
            Kind::Bidirectional => self.bidirectional(input, replies).await,
        };
        if let Err(Ended::Failed(status)) = &result {
            self.tell_metadata("after the replies", status.metadata())?;
        }
        result
    }

    async fn unary(&self, mut input: Input, replies: &mut Replies) -> Result<(), Ended> {
        let request = self.only_request(&mut input, replies.schema()).await?;
        let call = stub::unary::<Raw, Raw>(&self.channel, self.path.method, request);
        self.single_reply(self.dressed(call), replies).await
    }

    async fn server_streaming(&self, mut input: Input, replies: &mut Replies) -> Result<(), Ended> {
        let request = self.only_request(&mut input, replies.schema()).await?;
        let call = stub::server_streaming::<Raw, Raw>(&self.channel, self.path.method, request);
        self.receive(self.dressed(call).await?, replies).await
    }

    async fn client_streaming(&self, input: Input, replies: &mut Replies) -> Result<(), Ended> {
        let call = stub::client_streaming::<Raw, Raw>(&self.channel, self.path.method);
        let (outbound, reply) = self.dressed(call).await?;
        // What a request's Any holds is not learned while replies are awaited: they need the same descriptors.
        let sending = self.send(input, outbound, replies.schema().fork());
        converse(sending, self.single_reply(reply, replies)).await
    }

    async fn bidirectional(&self, input: Input, replies: &mut Replies) -> Result<(), Ended> {
        let call = stub::bidirectional::<Raw, Raw>(&self.channel, self.path.method);
        let (outbound, inbound) = self.dressed(call).await?;
        let sending = self.send(input, outbound, replies.schema().fork());
        converse(sending, self.receive(inbound, replies)).await
    }

    /// The call with what the command line wants beside the message.
    fn dressed<T>(&self, call: Pending<T>) -> Pending<T> {
        let call = self.headers.add_to(call).compress(self.encoding);
        match self.timeout {
            Some(timeout) => call.timeout(timeout),
            None => call,
        }
    }

    async fn only_request(&self, input: &mut Input, schema: &mut Schema) -> Result<Raw> {
        let text = input.only().await?;
        self.request(&text, input.name(), schema).await
    }

    async fn request(&self, text: &Text, origin: &str, schema: &mut Schema) -> Result<Raw> {
        // What stays unknown is an error of the request, which says where it is.
        let _ = schema.learn(schema::types_of_anys(&text.json)).await;
        let message = schema::parse_request(schema.pool(), self.path.input, text, origin)?;
        Ok(match self.codec {
            Codec::Proto => Raw::proto(message.try_encode_to_vec()?),
            Codec::Json => Raw::json(message.to_json()?),
        })
    }

    /// Sends each request as soon as it has come in.
    async fn send(
        &self,
        mut input: Input,
        mut outbound: Outbound<Raw>,
        mut schema: Schema,
    ) -> Result<(), Ended> {
        while let Some(text) = input.next().await? {
            let request = self.request(&text, input.name(), &mut schema).await?;
            outbound.send(request).await?;
        }
        outbound.finish().await?;
        Ok(())
    }

    async fn single_reply(&self, call: Pending<Raw>, replies: &mut Replies) -> Result<(), Ended> {
        let (reply, beside) = call.with_metadata().await?;
        self.tell_metadata("before the replies", beside.metadata())?;
        replies.show(&reply).await?;
        self.tell_metadata("after the replies", beside.trailers())?;
        Ok(())
    }

    async fn receive(&self, mut inbound: Inbound<Raw>, replies: &mut Replies) -> Result<(), Ended> {
        if self.verbose {
            self.tell_metadata("before the replies", &inbound.metadata().await?)?;
        }
        while let Some(reply) = inbound.receive().await? {
            replies.show(&reply).await?;
        }
        self.tell_metadata("after the replies", &inbound.trailers().unwrap_or_default())?;
        Ok(())
    }

    fn tell_metadata(&self, place: &str, metadata: &Metadata) -> io::Result<()> {
        let lines = metadata::lines(metadata);
        if lines.is_empty() {
            return Ok(());
        }
        let lines = lines.lines().map(|line| format!("< {line}\n"));
        self.tell(&format!("< ({place})\n{}", lines.collect::<String>()))
    }

    fn tell(&self, text: &str) -> io::Result<()> {
        if self.verbose { io::stderr().write_all(text.as_bytes()) } else { Ok(()) }
    }
}

/// Sends and receives at once. The replies' end is the call's end, whether or not there is more to send.
async fn converse(
    sending: impl Future<Output = Result<(), Ended>>,
    receiving: impl Future<Output = Result<(), Ended>>,
) -> Result<(), Ended> {
    let mut receiving = pin!(receiving);
    tokio::select! {
        sent = sending => match sent {
            // Whoever receives is told why nothing more can be sent.
            Ok(()) | Err(Ended::Failed(_)) => receiving.await,
            Err(Ended::Other(failure)) => Err(Ended::Other(failure)),
        },
        received = &mut receiving => received,
    }
}
