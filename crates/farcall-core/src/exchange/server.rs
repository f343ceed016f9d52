//! The server's side of one call.

use bytes::Bytes;
use farcall_wire::event::RequestHead;

use super::receiver::Receiver;
use super::{Cardinality, Incoming, Next, Sender};
use crate::call::{CallHead, Refusal};
use crate::compression::Encoding;
use crate::limits::Limits;
use crate::method::Method;
use crate::protocol::{self, Accepted, Dialect};
use crate::status::Result;

/// The server's side of one call: takes the request's bytes and gives its messages. How the reply is worded is the
/// [`Dialect`]'s business.
#[derive(Debug)]
pub struct ServerExchange {
    receiver: Receiver,
}

impl ServerExchange {
    /// Takes the head of a request for `method`. None: the path names no method; the exchange is made all the same, as far
    /// as the head allows, so that the failure can be worded in the dialect of the request.
    ///
    /// # Errors
    /// The answer to a request that is no call of the method or that breaks its protocol's rules.
    pub fn accept(
        head: RequestHead,
        method: Option<&Method>,
        limits: &Limits,
    ) -> Result<(Self, CallHead), Refusal> {
        let Accepted { dialect, head, message } = protocol::accept(head, method, limits)?;
        let mut receiver = Receiver::new(dialect, 0, Cardinality::Many, limits);
        // The first event of a new lane is always in order.
        let _ = receiver.head(head.encoding);
        if let Some(message) = message {
            receiver.push_only(message);
        }
        Ok((Self { receiver }, head))
    }

    /// What the client speaks.
    #[inline]
    pub fn dialect(&self) -> Dialect {
        self.receiver.dialect()
    }

    /// Takes bytes of the request; `end`: there are no more.
    #[inline]
    pub fn receive(&mut self, data: Bytes, end: bool) {
        self.receiver.push(data);
        if end {
            self.receiver.end();
        }
    }

    /// Says how many messages the method takes, once it is known: many unless said otherwise.
    #[inline]
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
    #[inline]
    pub fn only_message(&mut self) -> Result<Option<Incoming>> {
        self.receiver.only()
    }

    /// Lets go of read buffers, for the end of a batch: what is left is copied.
    #[inline]
    pub fn settle(&mut self) {
        self.receiver.settle();
    }

    /// Bytes received and not taken.
    pub fn pending(&self) -> usize {
        self.receiver.pending()
    }

    /// Whether the client has sent all it will send.
    #[inline]
    pub fn is_ended(&self) -> bool {
        self.receiver.is_ended()
    }

    /// Encodes the replies; `encoding` is what the head announces.
    #[inline]
    pub fn sender(&self, encoding: Encoding) -> Sender {
        Sender::new(self.dialect(), encoding, self.receiver.limits())
    }
}
