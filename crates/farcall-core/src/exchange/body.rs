//! The body of one direction of a call: what an HTTP engine delivers in pieces cut anywhere, cut into messages as the
//! dialect has it.

use bytes::{Bytes, BytesMut};

use crate::base64;
use crate::envelope::{Decoder, Envelope, PREFIX_LEN};
use crate::limits::Limits;
use crate::protocol::Framing;
use crate::status::{Result, Status};

/// Bytes on their way to become messages.
#[derive(Debug)]
pub(super) enum Body {
    /// Envelopes.
    Enveloped(Decoder),
    /// Envelopes in Base64.
    Text(Box<Text>),
    /// One message and nothing else.
    Bare(Whole),
}

impl Body {
    /// A body whose end is marked by the bits `end` of an envelope's flag, if any.
    pub(super) fn new(framing: Framing, end: u8, limits: &Limits) -> Self {
        match framing {
            Framing::Enveloped => Self::Enveloped(Decoder::with_end(end)),
            Framing::EnvelopedText => Self::Text(Box::new(Text::new(end))),
            Framing::Bare => Self::Bare(Whole::new(limits.max_receive_message)),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, data: Bytes) {
        match self {
            Self::Enveloped(decoder) => decoder.push(data),
            Self::Text(text) => text.push(&data),
            Self::Bare(whole) => whole.push(data),
        }
    }

    /// The next message, none when more is needed; `ended`: nothing more comes.
    #[inline]
    pub(super) fn next(&mut self, limits: &Limits, ended: bool) -> Result<Option<Envelope>> {
        match self {
            Self::Enveloped(decoder) => decoder.next(limits),
            Self::Text(text) => text.next(limits, ended),
            Self::Bare(whole) => whole.next(ended),
        }
    }

    /// Octets of the body that the message took which was taken last.
    #[inline]
    pub(super) fn charge(&mut self, payload: &Bytes) -> usize {
        match self {
            Self::Enveloped(_) => PREFIX_LEN + payload.len(),
            Self::Text(text) => text.charge(),
            Self::Bare(_) => payload.len(),
        }
    }

    /// The end of the replies from behind the messages that are left, none when it is not there.
    pub(super) fn take_end(&mut self, limits: &Limits) -> Result<Option<Envelope>> {
        match self {
            Self::Enveloped(decoder) => decoder.take_end(limits),
            Self::Text(text) => text.take_end(limits),
            Self::Bare(_) => Ok(None),
        }
    }

    /// Says that the message came elsewhere, so that an empty body is not taken for one.
    pub(super) fn forgo(&mut self) {
        if let Self::Bare(whole) = self {
            whole.is_taken = true;
        }
    }

    pub(super) fn settle(&mut self) {
        match self {
            Self::Enveloped(decoder) => decoder.settle(),
            Self::Text(text) => text.decoder.settle(),
            Self::Bare(whole) => whole.settle(),
        }
    }

    /// Bytes received and not taken.
    pub(super) fn pending(&self) -> usize {
        match self {
            Self::Enveloped(decoder) => decoder.pending(),
            Self::Text(text) => text.decoder.pending() + text.reader.pending(),
            Self::Bare(whole) => whole.len(),
        }
    }

    /// What it means that the body has ended where it has; none when it has ended at a message's end.
    pub(super) fn cut_short(&self) -> Option<Status> {
        let decoder = match self {
            Self::Enveloped(decoder) => decoder,
            Self::Text(text) => &text.decoder,
            Self::Bare(_) => return None,
        };
        if decoder.is_empty() {
            return None;
        }
        let got = decoder.pending();
        Some(Status::internal(match decoder.announced() {
            Some(whole) => {
                format!("the stream ended within a message, after {got} of its {whole} bytes")
            }
            None => format!(
                "the stream ended within a message's prefix, after {got} of its {PREFIX_LEN} bytes"
            ),
        }))
    }
}

/// A body in Base64: each envelope, or any piece of the whole, encoded and padded by itself.
#[derive(Debug)]
pub(super) struct Text {
    reader: base64::Reader,
    decoder: Decoder,
    /// Octets that have come.
    received: u64,
    /// Octets that messages have been charged with.
    charged: u64,
    /// Where the text turned out to be no Base64.
    is_broken: bool,
}

impl Text {
    fn new(end: u8) -> Self {
        Self {
            reader: base64::Reader::default(),
            decoder: Decoder::with_end(end),
            received: 0,
            charged: 0,
            is_broken: false,
        }
    }

    fn push(&mut self, data: &[u8]) {
        if self.is_broken {
            return;
        }
        self.received += data.len() as u64;
        match self.reader.read(data) {
            Some(bytes) => self.decoder.push(bytes.into()),
            None => self.is_broken = true,
        }
    }

    fn check(&self, ended: bool) -> Result<()> {
        if self.is_broken {
            return Err(Status::internal("the body is not Base64"));
        }
        if ended && self.reader.pending() > 0 {
            return Err(Status::internal("the body ended within a group of Base64"));
        }
        Ok(())
    }

    fn next(&mut self, limits: &Limits, ended: bool) -> Result<Option<Envelope>> {
        match self.decoder.next(limits)? {
            Some(envelope) => Ok(Some(envelope)),
            None => self.check(ended).map(|()| None),
        }
    }

    fn take_end(&mut self, limits: &Limits) -> Result<Option<Envelope>> {
        self.check(true)?;
        self.decoder.take_end(limits)
    }

    /// The octets that came for what has been taken, without those for what is left. They are never more than came in all,
    /// and what rounding leaves out is charged to the next message.
    fn charge(&mut self) -> usize {
        let left = (self.decoder.pending() as u64).div_ceil(3) * 4 + self.reader.pending() as u64;
        let taken = self.received.saturating_sub(left).max(self.charged);
        let wire_len = taken - self.charged;
        self.charged = taken;
        usize::try_from(wire_len).unwrap_or(usize::MAX)
    }
}

/// A body that is one message.
#[derive(Debug)]
pub(super) struct Whole {
    /// The first piece, as it came.
    first: Bytes,
    /// All pieces, once there are two.
    rest: BytesMut,
    limit: usize,
    is_too_large: bool,
    is_taken: bool,
}

impl Whole {
    fn new(limit: usize) -> Self {
        Self {
            first: Bytes::new(),
            rest: BytesMut::new(),
            limit,
            is_too_large: false,
            is_taken: false,
        }
    }

    fn push(&mut self, data: Bytes) {
        if self.is_too_large || self.len() + data.len() > self.limit {
            self.is_too_large = true;
            (self.first, self.rest) = (Bytes::new(), BytesMut::new());
        } else if self.len() == 0 {
            self.first = data;
        } else {
            self.gather();
            self.rest.extend_from_slice(&data);
        }
    }

    fn gather(&mut self) {
        if !self.first.is_empty() {
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        }
    }

    fn next(&mut self, ended: bool) -> Result<Option<Envelope>> {
        if self.is_too_large {
            let limit = self.limit;
            return Err(Status::resource_exhausted(format!(
                "a message of more than {limit} bytes came; the limit for receiving is {limit}"
            )));
        }
        if !ended || self.is_taken {
            return Ok(None);
        }
        self.is_taken = true;
        let first = std::mem::take(&mut self.first);
        let rest = std::mem::take(&mut self.rest);
        let payload = if rest.is_empty() { first } else { rest.freeze() };
        Ok(Some(Envelope { compressed: false, payload }))
    }

    /// A few bytes must not keep a whole read buffer alive.
    fn settle(&mut self) {
        self.gather();
    }

    fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }
}
