//! The client's side of one call.

use std::mem;

use bytes::Bytes;
use farcall_wire::event::ResponseHead;
use farcall_wire::fields::Fields;

use super::receiver::Receiver;
use super::{Cardinality, Incoming, Next, Sender};
use crate::call::Outgoing;
use crate::compression::Encoding;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::protocol::{Closing, Dialect, ReplyHead, grpc};
use crate::status::{Result, Status};

/// The client's side of one call: words the request, takes the reply's bytes, gives its messages and its outcome.
///
/// A call that is sent again begins a new exchange.
#[derive(Debug)]
pub struct ClientExchange {
    receiver: Receiver,
    /// How the reply will say that it is over.
    closing: Closing,
    /// Whether the reply has had a body, or the beginning of one.
    has_body: bool,
    outcome: Option<Result<Metadata>>,
}

impl ClientExchange {
    /// A call that is about to be sent; `replies`: how many messages the method answers with.
    pub fn new(dialect: Dialect, replies: Cardinality, limits: &Limits) -> Self {
        Self {
            receiver: Receiver::new(dialect, dialect.end_flag(), replies, limits),
            closing: Closing::Unknown,
            has_body: false,
            outcome: None,
        }
    }

    /// What the call is sent in.
    pub fn dialect(&self) -> Dialect {
        self.receiver.dialect()
    }

    /// The head of the request, pseudo-fields first.
    pub fn request_head(&self, call: &Outgoing<'_>) -> Fields {
        self.dialect().request_head(call)
    }

    /// Encodes the requests; `encoding` is what the head announces.
    pub fn sender(&self, encoding: Encoding) -> Sender {
        Sender::new(self.dialect(), encoding, self.receiver.limits())
    }

    /// Takes the head of the reply and returns the metadata in it; `end`: nothing follows. None: the server ended the
    /// call with it, see [`outcome`](Self::outcome).
    ///
    /// # Errors
    /// What the reply is instead of one to this call; it is the call's outcome. The stream is to be reset unless it has
    /// ended.
    pub fn receive_head(&mut self, head: ResponseHead, end: bool) -> Result<Option<Metadata>> {
        match self.dialect().read_head(head, end) {
            ReplyHead::Open { metadata, encoding, closing } => {
                if let Err(error) = self.receiver.head(encoding) {
                    return Err(self.break_off(Status::internal(error)));
                }
                self.closing = closing;
                if end {
                    self.conclude();
                }
                Ok(Some(metadata))
            }
            ReplyHead::Over(outcome) => {
                self.end(outcome);
                Ok(None)
            }
            ReplyHead::Broken(status) => Err(self.break_off(status)),
        }
    }

    /// Takes bytes of the reply; `end`: neither bytes nor trailers follow.
    pub fn receive(&mut self, data: Bytes, end: bool) {
        self.has_body |= !data.is_empty();
        match &mut self.closing {
            Closing::Error(reply) => reply.push(&data),
            _ => self.receiver.push(data),
        }
        if end {
            self.conclude();
        }
    }

    /// Takes the fields that end the reply.
    pub fn receive_trailers(&mut self, fields: Fields) {
        match self.closing {
            Closing::Unknown | Closing::Trailers => self.end(grpc::read_trailers(fields)),
            // Protocols that do without trailers are not told anything by them.
            _ => self.conclude(),
        }
    }

    /// Takes the server's `RST_STREAM` with an error code of RFC 9113 section 7. A call that has its outcome keeps it.
    pub fn receive_reset(&mut self, code: u32) {
        // An end that is there counts, though the stream has not ended in form.
        match self.closing {
            Closing::InBody { .. } if self.outcome.is_none() => match self.receiver.take_end() {
                Ok(Some(end)) => self.end(self.dialect().read_end(&end)),
                _ => self.end(Err(self.dialect().reset(code))),
            },
            _ => self.end(Err(self.dialect().reset(code))),
        }
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

    /// The body is complete: what it says about the call.
    fn conclude(&mut self) {
        if self.outcome.is_some() {
            return;
        }
        let outcome = match mem::take(&mut self.closing) {
            Closing::Unknown | Closing::Trailers => Err(grpc::no_trailers()),
            Closing::InBody { head } => match (self.receiver.take_end(), head) {
                (Ok(Some(end)), _) => self.dialect().read_end(&end),
                (Ok(None), Some(head)) if !self.has_body => grpc::read_trailers(*head),
                (Ok(None), _) => Err(self.dialect().no_end()),
                (Err(status), _) => Err(status),
            },
            Closing::Body { trailing } => Ok(trailing),
            Closing::Error(reply) => Err(reply.read()),
        };
        self.end(outcome);
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
