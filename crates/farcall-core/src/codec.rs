//! Between messages and bytes.
//!
//! Messages are protobuf by buffa, on the wire as protobuf's binary format or as its canonical JSON. This module never
//! knows what a message is for; it bounds what decoding one may cost and says what was expected when the bytes are not it.

pub mod json;
mod proto;

use std::any::type_name;
use std::error::Error;
use std::fmt;
use std::str::FromStr;

use bytes::{Bytes, BytesMut};

use crate::code::Code;
use crate::compression::Encoding;
use crate::envelope::{COMPRESSED, PREFIX_LEN, put_prefix};
use crate::limits::Limits;
use crate::status::{Result, Status};

use proto::Measured;

pub use json::{Json, UnknownFields};

/// A message that can be sent and received: every type that is generated.
pub trait Message: buffa::Message + Json + 'static {}

impl<M: buffa::Message + Json + 'static> Message for M {}

/// How a message is written as bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Protobuf's binary format.
    #[default]
    Proto,
    /// Protobuf's canonical JSON.
    Json,
}

impl Codec {
    /// The name in content types: `proto`, `json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proto => "proto",
            Self::Json => "json",
        }
    }

    /// The codec of that name; none when there is none.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Proto, Self::Json].into_iter().find(|codec| codec.name().as_bytes() == name)
    }

    /// Appends a message to a buffer.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` when the message is larger than `max_message` bytes, `INTERNAL` when it has no JSON form. The
    /// buffer is as before then.
    pub fn encode_into<M: Message>(
        self,
        message: &M,
        max_message: usize,
        out: &mut BytesMut,
    ) -> Result<()> {
        match self {
            Self::Proto => {
                let measured = Measured::new(message, max_message)?;
                out.reserve(measured.size as usize);
                measured.write(out);
            }
            Self::Json => json::encode(message, max_message, |text| out.extend_from_slice(text))?,
        }
        Ok(())
    }

    /// Decodes what a client sent.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the bytes are no `M`, `RESOURCE_EXHAUSTED` when `M` would take too much memory.
    pub fn decode_request<M: Message>(self, payload: &[u8], limits: &Limits) -> Result<M> {
        self.decode(payload, limits, Code::InvalidArgument)
    }

    /// Decodes what a server sent.
    ///
    /// # Errors
    /// `INTERNAL` when the bytes are no `M`, `RESOURCE_EXHAUSTED` when `M` would take too much memory.
    pub fn decode_reply<M: Message>(self, payload: &[u8], limits: &Limits) -> Result<M> {
        self.decode(payload, limits, Code::Internal)
    }

    fn decode<M: Message>(self, payload: &[u8], limits: &Limits, code: Code) -> Result<M> {
        match self {
            Self::Proto => proto::decode(payload, limits).map_err(|error| {
                let code = if proto::is_too_much(&error) { Code::ResourceExhausted } else { code };
                not_a_message::<M>(code, payload.len(), error.into())
            }),
            Self::Json => json::decode(payload, limits).map_err(|error| {
                let code = if error.is_too_much() { Code::ResourceExhausted } else { code };
                not_a_message::<M>(code, payload.len(), error.into())
            }),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Codec {
    type Err = UnknownCodec;

    fn from_str(name: &str) -> Result<Self, UnknownCodec> {
        Self::from_name(name.as_bytes()).ok_or_else(|| UnknownCodec(name.to_owned()))
    }
}

/// A name that is no codec's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCodec(String);

impl fmt::Display for UnknownCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "codec {:?}: expected proto or json", self.0)
    }
}

impl Error for UnknownCodec {}

/// Encodes a message alone, in one allocation of the exact size.
///
/// # Errors
/// As [`Codec::encode_into`].
pub(crate) fn encode<M: Message>(codec: Codec, message: &M, max_message: usize) -> Result<Bytes> {
    match codec {
        Codec::Proto => {
            let measured = Measured::new(message, max_message)?;
            let mut out = BytesMut::with_capacity(measured.size as usize);
            measured.write(&mut out);
            Ok(out.freeze())
        }
        Codec::Json => json::encode(message, max_message, Bytes::copy_from_slice),
    }
}

/// Encodes a message with its envelope's prefix, uncompressed, with room for `spare` more bytes behind it, in one allocation
/// of the exact size.
///
/// # Errors
/// As [`Codec::encode_into`].
pub(crate) fn encode_envelope<M: Message>(
    codec: Codec,
    message: &M,
    max_message: usize,
    spare: usize,
) -> Result<Bytes> {
    match codec {
        Codec::Proto => {
            let measured = Measured::new(message, max_message)?;
            let size = measured.size;
            let mut out = BytesMut::with_capacity(PREFIX_LEN + size as usize + spare);
            put_prefix(&mut out, 0, size);
            measured.write(&mut out);
            Ok(out.freeze())
        }
        Codec::Json => json::encode(message, max_message, |text| {
            let mut out = BytesMut::with_capacity(PREFIX_LEN + text.len() + spare);
            put_envelope(&mut out, text)?;
            Ok(out.freeze())
        })?,
    }
}

/// Like [`encode_envelope`], at the end of a buffer that is there already.
///
/// # Errors
/// As [`Codec::encode_into`]; the buffer is as before then.
pub(crate) fn encode_envelope_into<M: Message>(
    codec: Codec,
    message: &M,
    max_message: usize,
    out: &mut BytesMut,
) -> Result<()> {
    match codec {
        Codec::Proto => {
            let measured = Measured::new(message, max_message)?;
            let size = measured.size;
            out.reserve(PREFIX_LEN + size as usize);
            put_prefix(out, 0, size);
            measured.write(out);
            Ok(())
        }
        Codec::Json => json::encode(message, max_message, |text| {
            out.reserve(PREFIX_LEN + text.len());
            put_envelope(out, text)
        })?,
    }
}

/// Puts an encoded message behind its envelope's prefix, into a buffer that has the room.
fn put_envelope(out: &mut BytesMut, message: &[u8]) -> Result<()> {
    put_prefix(out, 0, u32::try_from(message.len()).map_err(Status::internal)?);
    out.extend_from_slice(message);
    Ok(())
}

/// Compresses an encoded message.
///
/// # Errors
/// `INTERNAL` when the compressor fails, which it has no reason to.
pub(crate) fn compressed(plain: &[u8], encoding: Encoding) -> Result<Bytes> {
    compress_behind(plain, encoding, 0).map(Into::into)
}

/// Compresses an encoded message and puts its envelope's prefix in front.
///
/// # Errors
/// As [`compressed`].
pub(crate) fn compressed_envelope(plain: &[u8], encoding: Encoding) -> Result<Bytes> {
    let mut out = compress_behind(plain, encoding, PREFIX_LEN)?;
    fill_prefix(&mut out, COMPRESSED)?;
    Ok(out.into())
}

fn compress_behind(plain: &[u8], encoding: Encoding, prefix: usize) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(prefix + plain.len() / 2 + 32);
    out.resize(prefix, 0);
    encoding.compress(plain, &mut out)?;
    Ok(out)
}

/// Writes the prefix of an envelope in front of a message, where room was left for it.
fn fill_prefix(out: &mut [u8], flag: u8) -> Result<()> {
    let len = u32::try_from(out.len() - PREFIX_LEN).map_err(Status::internal)?;
    put_prefix(&mut &mut out[..PREFIX_LEN], flag, len);
    Ok(())
}

/// A message in protobuf's binary format, within the limits.
pub(crate) fn unpack<M: buffa::Message>(payload: &Bytes) -> Option<M> {
    proto::decode(payload, &Limits::default()).ok()
}

#[cold]
fn not_a_message<M>(code: Code, size: usize, error: Box<dyn Error + Send + Sync>) -> Status {
    Status::new(code, Undecodable { expected: short_name::<M>(), size, error })
}

/// The bytes of a message were not what they should be.
#[derive(Debug)]
struct Undecodable {
    expected: &'static str,
    size: usize,
    error: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes are no {}: {}", self.size, self.expected, self.error)
    }
}

impl Error for Undecodable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}

#[cold]
fn too_large_to_send<M>(size: usize, max_message: usize) -> Status {
    let name = short_name::<M>();
    Status::resource_exhausted(format!(
        "{name} to send has {size} bytes; the limit for sending is {max_message}"
    ))
}

/// The type's name without the modules it is in.
fn short_name<M>() -> &'static str {
    let name = type_name::<M>();
    let end = name.find('<').unwrap_or(name.len());
    let start = name[..end].rfind("::").map_or(0, |colons| colons + 2);
    &name[start..]
}
