//! The messages of one call on their way out.

use bytes::{Bytes, BytesMut};

use crate::base64;
use crate::codec::{self, Message};
use crate::compression::Encoding;
use crate::envelope::PREFIX_LEN;
use crate::limits::Limits;
use crate::protocol::{Dialect, Framing};
use crate::status::{Result, Status};

/// Encodes the messages of one side of one call. Small and free of ties: it can live where the messages are made.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    dialect: Dialect,
    encoding: Encoding,
    max_message: usize,
}

impl Sender {
    /// A sender whose compressed messages use the encoding that the head of its lane announces.
    pub fn new(dialect: Dialect, encoding: Encoding, limits: &Limits) -> Self {
        Self { dialect, encoding, max_message: limits.max_send_message }
    }

    /// What the call is sent in.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How messages are compressed that are to be.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// What the head of the lane has to announce: the encoding, unless the one message of a body without envelopes is not
    /// compressed.
    pub fn announced(&self, compress: bool) -> Encoding {
        match self.dialect.framing() {
            Framing::Bare if !compress => Encoding::Identity,
            _ => self.encoding,
        }
    }

    /// The message as it goes into the body: in its envelope unless the body has none, compressed when `compress` says so
    /// and an encoding was announced.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` when the message is larger than the limit for sending, `INTERNAL` when it has no JSON form.
    pub fn envelope<M: Message>(&self, message: &M, compress: bool) -> Result<Bytes> {
        let compress = compress && self.encoding != Encoding::Identity;
        let codec = self.dialect.codec();
        match self.dialect.framing() {
            Framing::Bare if compress => {
                codec::compressed(&codec::encode(codec, message, self.max_message)?, self.encoding)
            }
            Framing::Bare => codec::encode(codec, message, self.max_message),
            Framing::Enveloped => self.enveloped(message, compress),
            Framing::EnvelopedText => {
                Ok(base64::encode_padded(&self.enveloped(message, compress)?).into())
            }
        }
    }

    /// Like [`envelope`](Self::envelope), at the end of a buffer that is there already.
    ///
    /// # Errors
    /// As [`envelope`](Self::envelope); the buffer is as before then.
    pub fn envelope_into<M: Message>(
        &self,
        message: &M,
        compress: bool,
        out: &mut BytesMut,
    ) -> Result<()> {
        let compress = compress && self.encoding != Encoding::Identity;
        let (codec, max_message) = (self.dialect.codec(), self.max_message);
        match self.dialect.framing() {
            Framing::Enveloped if !compress => {
                codec::encode_envelope_into(codec, message, max_message, out)
            }
            Framing::Bare if !compress => codec.encode_into(message, max_message, out),
            _ => {
                out.extend_from_slice(&self.envelope(message, compress)?);
                Ok(())
            }
        }
    }

    /// Compresses a message that [`envelope`](Self::envelope) has encoded in the same dialect without compression, for
    /// those who learn late that it is to be compressed. Without an encoding it stays as it is.
    ///
    /// # Errors
    /// `INTERNAL` when the bytes are no such message, or the compressor fails.
    pub fn compress(&self, encoded: Bytes) -> Result<Bytes> {
        if self.encoding == Encoding::Identity {
            return Ok(encoded);
        }
        let no_message = || Status::internal("expected an encoded message to be compressed");
        let plain = |envelope: &Bytes| {
            (envelope.len() >= PREFIX_LEN)
                .then(|| envelope.slice(PREFIX_LEN..))
                .ok_or_else(no_message)
        };
        match self.dialect.framing() {
            Framing::Bare => codec::compressed(&encoded, self.encoding),
            Framing::Enveloped => codec::compressed_envelope(&plain(&encoded)?, self.encoding),
            Framing::EnvelopedText => {
                let envelope = base64::decode(&encoded).ok_or_else(no_message)?.into();
                let compressed = codec::compressed_envelope(&plain(&envelope)?, self.encoding)?;
                Ok(base64::encode_padded(&compressed).into())
            }
        }
    }

    fn enveloped<M: Message>(&self, message: &M, compress: bool) -> Result<Bytes> {
        let (codec, max_message) = (self.dialect.codec(), self.max_message);
        if compress {
            let plain = codec::encode(codec, message, max_message)?;
            codec::compressed_envelope(&plain, self.encoding)
        } else {
            codec::encode_envelope(codec, message, max_message, self.dialect.spare())
        }
    }
}
