//! Protobuf's binary format.

use buffa::{DecodeError, DecodeOptions, Message, SizeCache};
use bytes::BytesMut;

use super::too_large_to_send;
use crate::limits::Limits;
use crate::status::Result;

/// A message whose size is known, so that room can be made for it.
pub(super) struct Measured<'a, M> {
    message: &'a M,
    cache: SizeCache,
    /// Bytes that it will take.
    pub(super) size: u32,
}

impl<'a, M: Message> Measured<'a, M> {
    /// Measures a message.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` when it is larger than `max_message` bytes.
    pub(super) fn new(message: &'a M, max_message: usize) -> Result<Self> {
        let mut cache = SizeCache::new();
        let size = message.compute_size(&mut cache);
        if size as usize > max_message || size > buffa::MAX_MESSAGE_BYTES {
            return Err(too_large_to_send::<M>(size as usize, max_message));
        }
        Ok(Self { message, cache, size })
    }

    /// Appends the message.
    pub(super) fn write(mut self, out: &mut BytesMut) {
        self.message.write_to(&mut self.cache, out);
    }
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
