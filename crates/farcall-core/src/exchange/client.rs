//! The client's side of one call.

use bytes::Bytes;
use farcall_wire::event::ResponseHead;
use farcall_wire::fields::Fields;

use super::receiver::Receiver;
use super::{Cardinality, Incoming, Next, Sender};
use crate::call::Outgoing;
use crate::compression::Encoding;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::protocol::{Protocol, ReplyHead};
use crate::status::{Result, Status};

/// The client's side of one call: words the request, takes the reply's bytes, gives its messages and its outcome.
///
/// A call that is sent again begins a new exchange.
#[derive(Debug)]
pub struct ClientExchange {
    protocol: Protocol,
    receiver: Receiver,
    outcome: Option<Result<Metadata>>,
}

impl ClientExchange {
    /// A call that is about to be sent; `replies`: how many messages the method answers with.
    pub fn new(protocol: Protocol, replies: Cardinality, limits: &Limits) -> Self {
        Self { protocol, receiver: Receiver::new(replies, limits), outcome: None }
    }

    /// What the call is sent in.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The head of the request, pseudo-fields first.
    pub fn request_head(&self, call: &Outgoing<'_>) -> Fields {
        self.protocol.request_head(call)
    }

    /// Encodes the requests; `encoding` is what the head announces.
    pub fn sender(&self, encoding: Encoding) -> Sender {
        Sender::new(encoding, self.receiver.limits())
    }

    /// Takes the head of the reply and returns the metadata in it; `end`: nothing follows. None: the server ended the
    /// call with it, see [`outcome`](Self::outcome).
    ///
    /// # Errors
    /// What the reply is instead of one to this call; it is the call's outcome. The stream is to be reset unless it has
    /// ended.
    pub fn receive_head(&mut self, head: ResponseHead, end: bool) -> Result<Option<Metadata>> {
        match self.protocol.read_head(head, end) {
            ReplyHead::Open { metadata, encoding } => match self.receiver.head(encoding) {
                Ok(()) => Ok(Some(metadata)),
                Err(error) => Err(self.break_off(Status::internal(error))),
            },
            ReplyHead::Over(outcome) => {
                self.end(outcome);
                Ok(None)
            }
            ReplyHead::Broken(status) => Err(self.break_off(status)),
        }
    }

    /// Takes bytes of the reply; `end`: neither bytes nor trailers follow.
    pub fn receive(&mut self, data: Bytes, end: bool) {
        self.receiver.push(data);
        if end {
            self.end(Err(self.protocol.no_trailers()));
        }
    }

    /// Takes the fields that end the reply.
    pub fn receive_trailers(&mut self, fields: Fields) {
        self.end(self.protocol.read_trailers(fields));
    }

    /// Takes the server's `RST_STREAM` with an error code of RFC 9113 section 7. A call that has its outcome keeps it.
    pub fn receive_reset(&mut self, code: u32) {
        self.end(Err(self.protocol.reset(code)));
    }

    /// Ends the call from this side: the deadline has passed, the connection is lost. A call that has its outcome keeps
    /// it.
    pub fn fail(&mut self, status: Status) {
        self.end(Err(status));
    }

    /// What is next of the reply. Messages that came before the outcome can still be taken; at the
    /// [`End`](Next::End), the outcome is there.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` for a message above the limit, `UNIMPLEMENTED` for a message too many or too few, `INTERNAL` for
    /// broken envelopes. It is the call's outcome then, and the stream is to be reset unless it has ended.
    pub fn next_message(&mut self) -> Result<Next> {
        self.receiver.next().map_err(|status| self.break_off(status))
    }

    /// The message of a reply that has exactly one: none until the call has ended well, and then once.
    ///
    /// # Errors
    /// The call has failed: its outcome.
    pub fn only_message(&mut self) -> Result<Option<Incoming>> {
        let message = self.receiver.only().map_err(|status| self.break_off(status))?;
        match &self.outcome {
            Some(Err(status)) => Err(status.clone()),
            _ => Ok(message),
        }
    }

    /// Lets go of read buffers, for the end of a batch: what is left is copied.
    pub fn settle(&mut self) {
        self.receiver.settle();
    }

    /// Bytes received and not taken.
    pub fn pending(&self) -> usize {
        self.receiver.pending()
    }

    /// How the call ended, with the trailing metadata, once that is known. Messages may still wait.
    pub fn outcome(&self) -> Option<&Result<Metadata>> {
        self.outcome.as_ref()
    }

    /// The same, taken out.
    pub fn into_outcome(self) -> Option<Result<Metadata>> {
        self.outcome
    }

    fn end(&mut self, outcome: Result<Metadata>) {
        if self.outcome.is_some() {
            return;
        }
        match outcome {
            Ok(_) => self.receiver.end(),
            Err(_) => self.receiver.give_up(),
        }
        self.outcome = Some(outcome);
    }

    /// The reply cannot be read on; an end that the server wrote after it does not count.
    fn break_off(&mut self, status: Status) -> Status {
        self.receiver.give_up();
        self.outcome = Some(Err(status.clone()));
        status
    }
}
