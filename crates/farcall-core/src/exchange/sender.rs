//! The messages of one call on their way out.

use bytes::{Bytes, BytesMut};

use crate::codec::{self, Message};
use crate::compression::Encoding;
use crate::limits::Limits;
use crate::status::Result;

/// Encodes the messages of one side of one call. Small and free of ties: it can live where the messages are made.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    encoding: Encoding,
    max_message: usize,
}

impl Sender {
    /// A sender whose compressed messages use the encoding that the head of its lane announces.
    pub fn new(encoding: Encoding, limits: &Limits) -> Self {
        Self { encoding, max_message: limits.max_send_message }
    }

    /// How messages are compressed that are to be.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The message in its envelope, compressed when `compress` says so and an encoding was announced.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` when the message is larger than the limit for sending.
    pub fn envelope<M: Message>(&self, message: &M, compress: bool) -> Result<Bytes> {
        if compress {
            codec::encode_compressed(message, self.max_message, self.encoding)
        } else {
            codec::encode_envelope(message, self.max_message)
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
        if compress && self.encoding != Encoding::Identity {
            out.extend_from_slice(&codec::encode_compressed(
                message,
                self.max_message,
                self.encoding,
            )?);
            return Ok(());
        }
        codec::encode_envelope_into(message, self.max_message, out)
    }
}
