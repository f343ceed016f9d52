//! Padding of DATA, HEADERS and `PUSH_PROMISE` (RFC 9113 section 6.1).

use bytes::{BufMut, BytesMut};

use super::{FrameError, FrameHead, flag};
use crate::http2::ErrorCode;

/// The payload without its padding, and how long the padding is if there is a pad length field.
pub(super) fn strip(head: FrameHead, payload: &[u8]) -> Result<(&[u8], Option<u8>), FrameError> {
    if !head.has(flag::PADDED) {
        return Ok((payload, None));
    }
    let Some((&length, rest)) = payload.split_first() else {
        return Err(FrameError::connection(
            ErrorCode::FrameSizeError,
            "a padded frame without a pad length",
        ));
    };
    match rest.len().checked_sub(length.into()) {
        Some(end) => Ok((&rest[..end], Some(length))),
        None => Err(FrameError::connection(
            ErrorCode::ProtocolError,
            "padding as long as the payload or longer",
        )),
    }
}

/// Octets that padding takes: the pad length field and the padding.
pub(super) fn overhead(padding: Option<u8>) -> u32 {
    padding.map_or(0, |length| 1 + u32::from(length))
}

/// Writes the pad length field, if there is one.
pub(super) fn emit_length(padding: Option<u8>, out: &mut BytesMut) {
    if let Some(length) = padding {
        out.put_u8(length);
    }
}

/// Writes the padding, if there is any.
pub(super) fn emit(padding: Option<u8>, out: &mut BytesMut) {
    out.put_bytes(0, padding.unwrap_or(0).into());
}
