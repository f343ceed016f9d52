//! Protobuf's binary format.

use buffa::{DecodeError, DecodeOptions, Message, SizeCache};
use bytes::BytesMut;

use super::too_large_to_send;
use crate::limits::Limits;
use crate::status::Result;

/// Appends a message; `before` gets the buffer and the message's size to make room and to write what stands in front.
///
/// # Errors
/// `RESOURCE_EXHAUSTED` when the message is larger than `max_message` bytes; the buffer is as before then.
pub(super) fn encode_into<M: Message>(
    message: &M,
    max_message: usize,
    out: &mut BytesMut,
    before: impl FnOnce(&mut BytesMut, u32),
) -> Result<()> {
    let mut cache = SizeCache::new();
    let size = message.compute_size(&mut cache);
    if size as usize > max_message || size > buffa::MAX_MESSAGE_BYTES {
        return Err(too_large_to_send::<M>(size as usize, max_message));
    }
    before(out, size);
    out.reserve(size as usize);
    message.write_to(&mut cache, out);
    Ok(())
}

/// Decodes a message within the limits on depth, elements and unknown fields.
pub(super) fn decode<M: Message>(payload: &[u8], limits: &Limits) -> Result<M, DecodeError> {
    DecodeOptions::new()
        .with_recursion_limit(limits.max_depth)
        .with_element_memory_limit(limits.max_element_memory)
        .with_unknown_field_limit(limits.max_unknown_fields)
        .decode_from_slice(payload)
}

/// Whether the message was too costly rather than wrong.
pub(super) fn is_too_much(error: &DecodeError) -> bool {
    matches!(
        error,
        DecodeError::ElementMemoryLimitExceeded | DecodeError::UnknownFieldLimitExceeded
    )
}
