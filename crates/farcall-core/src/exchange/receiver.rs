//! The messages of one call on their way in, the same on both sides.

use bytes::Bytes;

use super::{Cardinality, Lane, OutOfOrder};
use crate::codec::{self, Message};
use crate::compression::Encoding;
use crate::envelope::{Decoder, Envelope, PREFIX_LEN};
use crate::limits::Limits;
use crate::status::{Result, Status};

/// What is next in a lane.
#[derive(Debug)]
pub enum Next {
    /// A whole message.
    Message(Incoming),
    /// Nothing yet.
    Pending,
    /// Nothing any more. Said again when asked again.
    End,
}

/// A received message as it was on the wire.
#[derive(Clone, Debug)]
pub struct Incoming {
    payload: Bytes,
    /// How the payload is compressed.
    encoding: Encoding,
}

impl Incoming {
    /// Whether the sender compressed the message.
    pub fn is_compressed(&self) -> bool {
        self.encoding != Encoding::Identity
    }

    /// Bytes that the message took on the wire, envelope included: what flow control can give back.
    pub fn wire_len(&self) -> usize {
        PREFIX_LEN + self.payload.len()
    }

    /// The message's bytes, decompressed; those of an uncompressed message are not copied.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` when more than [`Limits::max_decompressed`] bytes come out, `INTERNAL` when the compressed data is
    /// broken.
    pub fn into_payload(self, limits: &Limits) -> Result<Bytes> {
        if self.is_compressed() {
            self.encoding.decompress(&self.payload, limits.max_decompressed)
        } else {
            Ok(self.payload)
        }
    }

    /// The message as a server reads it.
    ///
    /// # Errors
    /// As [`into_payload`](Self::into_payload) and [`decode_request`](codec::decode_request).
    pub fn decode_request<M: Message>(self, limits: &Limits) -> Result<M> {
        codec::decode_request(&self.into_payload(limits)?, limits)
    }

    /// The message as a client reads it.
    ///
    /// # Errors
    /// As [`into_payload`](Self::into_payload) and [`decode_reply`](codec::decode_reply).
    pub fn decode_reply<M: Message>(self, limits: &Limits) -> Result<M> {
        codec::decode_reply(&self.into_payload(limits)?, limits)
    }
}

/// A lane that is read.
#[derive(Debug)]
pub(super) struct Receiver {
    decoder: Decoder,
    lane: Lane,
    encoding: Encoding,
    source: Source,
    /// The one message of a lane that carries one, until the end proves that it is alone.
    only: Option<Incoming>,
    /// Why the lane cannot be read on.
    failure: Option<Status>,
    limits: Limits,
}

/// Whether bytes still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Open,
    Ended,
    /// The call is over for another reason: what is missing need not be explained.
    Broken,
}

impl Receiver {
    pub(super) fn new(cardinality: Cardinality, limits: &Limits) -> Self {
        Self {
            decoder: Decoder::new(),
            lane: Lane::new(cardinality),
            encoding: Encoding::Identity,
            source: Source::Open,
            only: None,
            failure: None,
            limits: *limits,
        }
    }

    pub(super) fn head(&mut self, encoding: Encoding) -> Result<(), OutOfOrder> {
        self.encoding = encoding;
        self.lane.head()
    }

    pub(super) fn expect(&mut self, cardinality: Cardinality) {
        self.lane.expect(cardinality);
    }

    /// Takes bytes. What comes after the end is dropped: the engine has told the peer so.
    pub(super) fn push(&mut self, data: Bytes) {
        if self.source == Source::Open {
            self.decoder.push(data);
        }
    }

    pub(super) fn end(&mut self) {
        if self.source == Source::Open {
            self.source = Source::Ended;
        }
    }

    /// No more bytes come, and somebody else says why. Whole messages can still be taken.
    pub(super) fn give_up(&mut self) {
        self.source = Source::Broken;
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn settle(&mut self) {
        self.decoder.settle();
    }

    pub(super) fn pending(&self) -> usize {
        self.decoder.pending() + self.only.as_ref().map_or(0, Incoming::wire_len)
    }

    pub(super) fn is_ended(&self) -> bool {
        self.source != Source::Open
    }

    /// What is next; an error is said again when asked again.
    pub(super) fn next(&mut self) -> Result<Next> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.advance().map_err(|failure| {
            self.decoder = Decoder::new();
            self.only = None;
            self.source = Source::Broken;
            self.failure.insert(failure).clone()
        })
    }

    fn advance(&mut self) -> Result<Next> {
        if self.lane.is_ended() {
            return Ok(Next::End);
        }
        if let Some(envelope) = self.decoder.next(&self.limits)? {
            self.lane.message().map_err(Status::unimplemented)?;
            return Ok(Next::Message(self.open(envelope)?));
        }
        match self.source {
            Source::Open => return Ok(Next::Pending),
            Source::Ended if !self.decoder.is_empty() => return Err(self.cut_short()),
            Source::Ended => self.lane.end().map_err(Status::unimplemented)?,
            Source::Broken => self.lane.fail(),
        }
        Ok(Next::End)
    }

    /// The message of a lane that carries one, when the lane has ended; none while more can come.
    pub(super) fn only(&mut self) -> Result<Option<Incoming>> {
        self.lane.expect(Cardinality::One);
        loop {
            match self.next()? {
                Next::Message(message) => self.only = Some(message),
                Next::Pending => return Ok(None),
                Next::End => return Ok(self.only.take()),
            }
        }
    }

    fn open(&self, envelope: Envelope) -> Result<Incoming> {
        let Envelope { compressed, payload } = envelope;
        match (compressed, self.encoding) {
            (false, _) => Ok(Incoming { payload, encoding: Encoding::Identity }),
            (true, Encoding::Identity) => Err(Status::internal(
                "a message is marked as compressed, but the head names no compression",
            )),
            (true, encoding) => Ok(Incoming { payload, encoding }),
        }
    }

    #[cold]
    fn cut_short(&self) -> Status {
        let got = self.decoder.pending();
        Status::internal(match self.decoder.announced() {
            Some(whole) => {
                format!("the stream ended within a message, after {got} of its {whole} bytes")
            }
            None => format!(
                "the stream ended within a message's prefix, after {got} of its {PREFIX_LEN} bytes"
            ),
        })
    }
}
