//! The messages of one call on their way out.

use bytes::{Bytes, BytesMut};

use crate::base64;
use crate::codec::{self, Message};
use crate::compression::Encoding;
use crate::envelope::{COMPRESSED, PREFIX_LEN, put_prefix};
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
        match self.dialect.framing() {
            Framing::Bare if !compress => {
                let mut out = BytesMut::new();
                self.dialect.codec().encode_into(message, self.max_message, &mut out)?;
                Ok(out.freeze())
            }
            Framing::Bare => self.compressed(message, 0).map(Into::into),
            Framing::Enveloped => Ok(self.enveloped(message, compress)?.freeze()),
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

    /// What [`envelope`](Self::envelope) has made without compression, compressed: for a call that is told so when its
    /// request is encoded already.
    ///
    /// # Errors
    /// `INTERNAL` when the compressor fails, which it has no reason to.
    pub fn recompress(&self, plain: Bytes) -> Result<Bytes> {
        if self.encoding == Encoding::Identity {
            return Ok(plain);
        }
        match self.dialect.framing() {
            Framing::Bare => self.compress_behind(0, &plain).map(Into::into),
            Framing::Enveloped => self.compress_envelope(&plain).map(Into::into),
            Framing::EnvelopedText => {
                let plain = base64::decode(&plain).unwrap_or_default();
                Ok(base64::encode_padded(&self.compress_envelope(&plain)?).into())
            }
        }
    }

    fn compress_envelope(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let mut out =
            self.compress_behind(PREFIX_LEN, plain.get(PREFIX_LEN..).unwrap_or_default())?;
        let len = u32::try_from(out.len() - PREFIX_LEN).map_err(Status::internal)?;
        put_prefix(&mut &mut out[..PREFIX_LEN], COMPRESSED, len);
        Ok(out)
    }

    fn compress_behind(&self, prefix: usize, plain: &[u8]) -> Result<Vec<u8>> {
        let mut out = vec![0; prefix];
        self.encoding.compress(plain, &mut out)?;
        Ok(out)
    }

    fn enveloped<M: Message>(&self, message: &M, compress: bool) -> Result<BytesMut> {
        if !compress {
            let (codec, spare) = (self.dialect.codec(), self.dialect.spare());
            return codec::encode_envelope(codec, message, self.max_message, spare);
        }
        let mut out = self.compressed(message, PREFIX_LEN)?;
        let len = u32::try_from(out.len() - PREFIX_LEN).map_err(Status::internal)?;
        put_prefix(&mut &mut out[..PREFIX_LEN], COMPRESSED, len);
        Ok(Bytes::from(out).into())
    }

    fn compressed<M: Message>(&self, message: &M, prefix: usize) -> Result<Vec<u8>> {
        let codec = self.dialect.codec();
        codec::encode_compressed(codec, message, self.max_message, self.encoding, prefix)
    }
}
