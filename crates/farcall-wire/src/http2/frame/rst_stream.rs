//! `RST_STREAM` (RFC 9113 section 6.4).

use bytes::{BufMut, BytesMut};

use super::{FrameError, FrameHead, FrameKind, read_u32};
use crate::http2::ErrorCode;

/// The end of one stream, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RstStream {
    /// The stream, not zero.
    pub stream: u32,
    /// Why.
    pub code: ErrorCode,
}

impl RstStream {
    /// Reads the frame.
    pub fn parse(head: FrameHead, payload: &[u8]) -> Result<Self, FrameError> {
        if head.stream == 0 {
            return Err(FrameError::connection(ErrorCode::ProtocolError, "RST_STREAM on stream 0"));
        }
        if payload.len() != 4 {
            return Err(FrameError::connection(
                ErrorCode::FrameSizeError,
                "RST_STREAM is not 4 octets long",
            ));
        }
        Ok(Self { stream: head.stream, code: ErrorCode::from_u32(read_u32(payload, 0)) })
    }

    /// Writes the frame.
    pub fn emit(&self, out: &mut BytesMut) {
        FrameHead { length: 4, kind: FrameKind::RstStream, flags: 0, stream: self.stream }
            .emit(out);
        out.put_u32(self.code.to_u32());
    }
}
