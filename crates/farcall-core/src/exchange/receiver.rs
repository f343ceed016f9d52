//! The messages of one call on their way in, the same on both sides.

use bytes::Bytes;

use super::body::Body;
use super::{Cardinality, Lane, OutOfOrder};
use crate::codec::{Codec, Message};
use crate::compression::Encoding;
use crate::envelope::Envelope;
use crate::limits::{Limits, MAX_END};
use crate::protocol::{Dialect, Framing};
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
    codec: Codec,
    wire_len: usize,
}

impl Incoming {
    /// Whether the sender compressed the message.
    pub fn is_compressed(&self) -> bool {
        self.encoding != Encoding::Identity
    }

    /// How the message is written.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Bytes that the message took in the body, envelope included: what flow control can give back. Of a body in Base64,
    /// what rounding leaves out of one message is in the next. A message that came in the head took none.
    pub fn wire_len(&self) -> usize {
        self.wire_len
    }

    /// The message's bytes, decompressed; those of an uncompressed message are not copied.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` when more than [`Limits::max_decompressed`] bytes come out, `INTERNAL` when the compressed data is
    /// broken.
    #[inline]
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
    /// As [`into_payload`](Self::into_payload) and [`decode_request`](Codec::decode_request).
    pub fn decode_request<M: Message>(self, limits: &Limits) -> Result<M> {
        let codec = self.codec;
        codec.decode_request(&self.into_payload(limits)?, limits)
    }

    /// The message as a client reads it.
    ///
    /// # Errors
    /// As [`into_payload`](Self::into_payload) and [`decode_reply`](Codec::decode_reply).
    pub fn decode_reply<M: Message>(self, limits: &Limits) -> Result<M> {
        let codec = self.codec;
        codec.decode_reply(&self.into_payload(limits)?, limits)
    }
}

/// A lane that is read.
#[derive(Debug)]
pub(super) struct Receiver {
    dialect: Dialect,
    body: Body,
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
    /// A lane whose end is marked by the bits `end` of an envelope's flag, if any.
    pub(super) fn new(
        dialect: Dialect,
        end: u8,
        cardinality: Cardinality,
        limits: &Limits,
    ) -> Self {
        Self {
            dialect,
            body: Body::new(dialect.framing(), end, limits),
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

    #[inline]
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    #[inline]
    pub(super) fn expect(&mut self, cardinality: Cardinality) {
        self.lane.expect(cardinality);
    }

    /// Takes bytes. What comes after the end is dropped: the engine has told the peer so.
    #[inline]
    pub(super) fn push(&mut self, data: Bytes) {
        if self.source == Source::Open {
            self.body.push(data);
        }
    }

    /// Takes the message that came in the head of its lane, which is all there is of the lane.
    pub(super) fn push_only(&mut self, payload: Bytes) {
        if self.lane.message().is_ok() {
            self.only = Some(self.incoming(payload, self.encoding, 0));
        }
        // The body has no message any more, not even an empty one.
        self.body.forgo();
        self.end();
    }

    /// The end of the replies that is in the body, decompressed; none when it is not there.
    pub(super) fn take_end(&mut self) -> Result<Option<Bytes>> {
        let Some(Envelope { compressed, payload }) = self.body.take_end(&self.limits)? else {
            return Ok(None);
        };
        let encoding = self.encoding_of(compressed)?;
        encoding.decompress(&payload, MAX_END).map(Some)
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

    #[inline]
    pub(super) fn settle(&mut self) {
        self.body.settle();
    }

    pub(super) fn pending(&self) -> usize {
        self.body.pending() + self.only.as_ref().map_or(0, Incoming::wire_len)
    }

    pub(super) fn is_ended(&self) -> bool {
        self.source != Source::Open
    }

    /// What is next; an error is said again when asked again.
    pub(super) fn next(&mut self) -> Result<Next> {
        match self.only.take() {
            Some(message) => Ok(Next::Message(message)),
            None => self.receive(),
        }
    }

    #[inline]
    fn receive(&mut self) -> Result<Next> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.advance().map_err(|failure| {
            self.body = Body::new(self.dialect.framing(), 0, &self.limits);
            self.only = None;
            self.source = Source::Broken;
            self.failure.insert(failure).clone()
        })
    }

    #[inline]
    fn advance(&mut self) -> Result<Next> {
        if self.lane.is_ended() {
            return Ok(Next::End);
        }
        if let Some(envelope) = self.body.next(&self.limits, self.source == Source::Ended)? {
            self.lane.message().map_err(Status::unimplemented)?;
            return Ok(Next::Message(self.open(envelope)?));
        }
        match self.source {
            Source::Open => return Ok(Next::Pending),
            Source::Ended => match self.body.cut_short() {
                Some(status) => return Err(status),
                None => self.lane.end().map_err(Status::unimplemented)?,
            },
            Source::Broken => self.lane.fail(),
        }
        Ok(Next::End)
    }

    /// The message of a lane that carries one, when the lane has ended; none while more can come.
    #[inline]
    pub(super) fn only(&mut self) -> Result<Option<Incoming>> {
        self.lane.expect(Cardinality::One);
        loop {
            match self.receive()? {
                Next::Message(message) => self.only = Some(message),
                Next::Pending => return Ok(None),
                Next::End => return Ok(self.only.take()),
            }
        }
    }

    #[inline]
    fn open(&mut self, envelope: Envelope) -> Result<Incoming> {
        let Envelope { compressed, payload } = envelope;
        let wire_len = self.body.charge(&payload);
        let encoding = match self.dialect.framing() {
            // A body without envelopes is compressed as its head says.
            Framing::Bare => self.encoding,
            Framing::Enveloped | Framing::EnvelopedText => self.encoding_of(compressed)?,
        };
        Ok(self.incoming(payload, encoding, wire_len))
    }

    #[inline]
    fn incoming(&self, payload: Bytes, encoding: Encoding, wire_len: usize) -> Incoming {
        Incoming { payload, encoding, codec: self.dialect.codec(), wire_len }
    }

    #[inline]
    fn encoding_of(&self, compressed: bool) -> Result<Encoding> {
        match (compressed, self.encoding) {
            (false, _) => Ok(Encoding::Identity),
            (true, Encoding::Identity) => Err(Status::internal(
                "a message is marked as compressed, but the head names no compression",
            )),
            (true, encoding) => Ok(encoding),
        }
    }
}
