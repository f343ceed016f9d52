//! `WINDOW_UPDATE` (RFC 9113 section 6.9).

use bytes::{BufMut, BytesMut};

use super::{FrameError, FrameHead, FrameKind, read_u32};
use crate::http2::ErrorCode;

/// More room in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowUpdate {
    /// The stream; zero is the connection.
    pub stream: u32,
    /// Octets, 1 to 2^31 - 1.
    pub increment: u32,
}

impl WindowUpdate {
    /// Reads the frame. An increment of zero on a stream is an error of the stream only (RFC 9113
    /// section 6.9).
    pub fn parse(head: FrameHead, payload: &[u8]) -> Result<Self, FrameError> {
        if payload.len() != 4 {
            return Err(FrameError::connection(
                ErrorCode::FrameSizeError,
                "WINDOW_UPDATE is not 4 octets long",
            ));
        }
        let reason = "WINDOW_UPDATE with an increment of 0";
        match (read_u32(payload, 0) & 0x7fff_ffff, head.stream) {
            (0, 0) => Err(FrameError::connection(ErrorCode::ProtocolError, reason)),
            (0, _) => Err(FrameError::stream(ErrorCode::ProtocolError, reason)),
            (increment, stream) => Ok(Self { stream, increment }),
        }
    }

    /// Writes the frame.
    pub fn emit(&self, out: &mut BytesMut) {
        FrameHead { length: 4, kind: FrameKind::WindowUpdate, flags: 0, stream: self.stream }
            .emit(out);
        out.put_u32(self.increment & 0x7fff_ffff);
    }
}
