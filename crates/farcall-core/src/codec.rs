//! Between messages and bytes.
//!
//! Messages are protobuf, by buffa. This module never knows what a message is for; it bounds what decoding one may cost
//! and says what was expected when the bytes are not it.

use std::any::type_name;

use buffa::{DecodeError, DecodeOptions, SizeCache};
use bytes::{BufMut, Bytes, BytesMut};

use crate::code::Code;
use crate::compression::Encoding;
use crate::envelope::{PREFIX_LEN, put_prefix};
use crate::limits::Limits;
use crate::status::{Result, Status};

/// A message that can be sent and received: every type that buffa generates.
pub trait Message: buffa::Message + 'static {}

impl<M: buffa::Message + 'static> Message for M {}

/// Encodes a message with its envelope's prefix, uncompressed, in one allocation of the exact size.
///
/// # Errors
/// `RESOURCE_EXHAUSTED` when the message is larger than `max_message` bytes.
pub fn encode_envelope<M: Message>(message: &M, max_message: usize) -> Result<Bytes> {
    let mut cache = SizeCache::new();
    let size = measure(message, &mut cache, max_message)?;
    let mut out = BytesMut::with_capacity(PREFIX_LEN + size as usize);
    put_prefix(&mut out, false, size);
    message.write_to(&mut cache, &mut out);
    Ok(out.freeze())
}

/// Like [`encode_envelope`], at the end of a buffer that is there already.
///
/// # Errors
/// As [`encode_envelope`]; the buffer is as before then.
pub fn encode_envelope_into<M: Message>(
    message: &M,
    max_message: usize,
    out: &mut BytesMut,
) -> Result<()> {
    let mut cache = SizeCache::new();
    let size = measure(message, &mut cache, max_message)?;
    out.reserve(PREFIX_LEN + size as usize);
    put_prefix(out, false, size);
    message.write_to(&mut cache, out);
    Ok(())
}

/// Encodes a message, compresses it and puts its envelope's prefix in front.
///
/// # Errors
/// `RESOURCE_EXHAUSTED` when the message is larger than `max_message` bytes before compression.
pub fn encode_compressed<M: Message>(
    message: &M,
    max_message: usize,
    encoding: Encoding,
) -> Result<Bytes> {
    if encoding == Encoding::Identity {
        return encode_envelope(message, max_message);
    }
    let mut cache = SizeCache::new();
    let size = measure(message, &mut cache, max_message)?;
    let mut plain = Vec::with_capacity(size as usize);
    message.write_to(&mut cache, &mut plain);
    let mut out = Vec::with_capacity(PREFIX_LEN + plain.len() / 2 + 32);
    out.put_bytes(0, PREFIX_LEN);
    encoding.compress(&plain, &mut out)?;
    let len = u32::try_from(out.len() - PREFIX_LEN).map_err(Status::internal)?;
    put_prefix(&mut &mut out[..PREFIX_LEN], true, len);
    Ok(out.into())
}

fn measure<M: Message>(message: &M, cache: &mut SizeCache, max_message: usize) -> Result<u32> {
    let size = message.compute_size(cache);
    if size as usize > max_message || size > buffa::MAX_MESSAGE_BYTES {
        return Err(too_large_to_send::<M>(size, max_message));
    }
    Ok(size)
}

#[cold]
fn too_large_to_send<M>(size: u32, max_message: usize) -> Status {
    let name = short_name::<M>();
    Status::resource_exhausted(format!(
        "{name} to send has {size} bytes; the limit for sending is {max_message}"
    ))
}

/// Decodes a message within the limits on depth, elements and unknown fields.
///
/// # Errors
/// What was wrong with the bytes; [`decode_request`] and [`decode_reply`] make a status of it.
pub fn decode<M: Message>(payload: &[u8], limits: &Limits) -> std::result::Result<M, DecodeError> {
    DecodeOptions::new()
        .with_recursion_limit(limits.max_depth)
        .with_element_memory_limit(limits.max_element_memory)
        .with_unknown_field_limit(limits.max_unknown_fields)
        .decode_from_slice(payload)
}

/// Decodes what a client sent.
///
/// # Errors
/// `INVALID_ARGUMENT` when the bytes are no `M`, `RESOURCE_EXHAUSTED` when `M` would take too much memory.
pub fn decode_request<M: Message>(payload: &[u8], limits: &Limits) -> Result<M> {
    decode(payload, limits)
        .map_err(|error| not_a_message::<M>(Code::InvalidArgument, payload.len(), error))
}

/// Decodes what a server sent.
///
/// # Errors
/// `INTERNAL` when the bytes are no `M`, `RESOURCE_EXHAUSTED` when `M` would take too much memory.
pub fn decode_reply<M: Message>(payload: &[u8], limits: &Limits) -> Result<M> {
    decode(payload, limits)
        .map_err(|error| not_a_message::<M>(Code::Internal, payload.len(), error))
}

#[cold]
fn not_a_message<M>(code: Code, size: usize, error: DecodeError) -> Status {
    let code = match error {
        DecodeError::ElementMemoryLimitExceeded | DecodeError::UnknownFieldLimitExceeded => {
            Code::ResourceExhausted
        }
        _ => code,
    };
    Status::new(code, Undecodable { expected: short_name::<M>(), size, error })
}

/// The bytes of a message were not what they should be.
#[derive(Debug)]
struct Undecodable {
    expected: &'static str,
    size: usize,
    error: DecodeError,
}

impl std::fmt::Display for Undecodable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes are no {}: {}", self.size, self.expected, self.error)
    }
}

impl std::error::Error for Undecodable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// The type's name without the modules it is in.
fn short_name<M>() -> &'static str {
    let name = type_name::<M>();
    let end = name.find('<').unwrap_or(name.len());
    let start = name[..end].rfind("::").map_or(0, |colons| colons + 2);
    &name[start..]
}
