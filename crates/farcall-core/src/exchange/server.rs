//! The server's side of one call.

use std::borrow::Cow;

use bytes::Bytes;
use farcall_wire::event::RequestHead;
use farcall_wire::fields::Fields;

use super::receiver::Receiver;
use super::{Cardinality, Incoming, Next, Sender};
use crate::call::{CallHead, Refusal};
use crate::compression::Encoding;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::protocol::{self, Protocol};
use crate::status::{Result, Status};

/// The server's side of one call: takes the request's bytes, gives its messages, and words the reply.
#[derive(Debug)]
pub struct ServerExchange {
    protocol: Protocol,
    receiver: Receiver,
}

impl ServerExchange {
    /// Takes the head of a request. Which method it names is not looked at.
    ///
    /// # Errors
    /// The answer to a request that is no call or that breaks its protocol's rules.
    pub fn accept(head: RequestHead, limits: &Limits) -> Result<(Self, CallHead), Refusal> {
        let (protocol, head) = protocol::accept(head)?;
        let mut receiver = Receiver::new(Cardinality::Many, limits);
        // The first event of a new lane is always in order.
        let _ = receiver.head(head.encoding);
        Ok((Self { protocol, receiver }, head))
    }

    /// What the client speaks.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Takes bytes of the request; `end`: there are no more.
    pub fn receive(&mut self, data: Bytes, end: bool) {
        self.receiver.push(data);
        if end {
            self.receiver.end();
        }
    }

    /// Says how many messages the method takes, once it is known: many unless said otherwise.
    pub fn expect(&mut self, cardinality: Cardinality) {
        self.receiver.expect(cardinality);
    }

    /// What is next of the request.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` for a message above the limit, `UNIMPLEMENTED` for a message too many or too few, `INTERNAL` for
    /// broken envelopes. The call cannot go on then.
    pub fn next_message(&mut self) -> Result<Next> {
        self.receiver.next()
    }

    /// The message of a request that has exactly one: none until the request has ended, and then once.
    ///
    /// # Errors
    /// As [`next_message`](Self::next_message).
    pub fn only_message(&mut self) -> Result<Option<Incoming>> {
        self.receiver.only()
    }

    /// Lets go of read buffers, for the end of a batch: what is left is copied.
    pub fn settle(&mut self) {
        self.receiver.settle();
    }

    /// Bytes received and not taken.
    pub fn pending(&self) -> usize {
        self.receiver.pending()
    }

    /// Whether the client has sent all it will send.
    pub fn is_ended(&self) -> bool {
        self.receiver.is_ended()
    }

    /// Encodes the replies; `encoding` is what the head announces.
    pub fn sender(&self, encoding: Encoding) -> Sender {
        Sender::new(encoding, self.receiver.limits())
    }

    /// The head of a reply. It costs nothing when there is no metadata.
    pub fn response_head(&self, metadata: &Metadata, encoding: Encoding) -> Cow<'static, Fields> {
        self.protocol.response_head(metadata, encoding)
    }

    /// The trailers of a reply that has had its head. They cost nothing for a success without metadata.
    pub fn trailers(
        &self,
        result: Result<(), &Status>,
        trailing: &Metadata,
    ) -> Cow<'static, Fields> {
        self.protocol.trailers(result, trailing)
    }

    /// Head and trailers in one, for a failure before anything was sent.
    pub fn trailers_only(&self, status: &Status, metadata: &Metadata) -> Fields {
        self.protocol.trailers_only(status, metadata)
    }
}
