//! GOAWAY (RFC 9113 section 6.8).

use bytes::{BufMut, BytesMut};

use super::{FrameError, FrameHead, FrameKind, read_u32};
use crate::http2::ErrorCode;

/// The end of a connection, perhaps a distant one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoAway<'a> {
    /// The last stream that the sender may have acted upon.
    pub last_stream: u32,
    /// Why.
    pub code: ErrorCode,
    /// Words for people.
    pub debug: &'a [u8],
}

impl<'a> GoAway<'a> {
    /// Reads the frame.
    pub fn parse(head: FrameHead, payload: &'a [u8]) -> Result<Self, FrameError> {
        if head.stream != 0 {
            return Err(FrameError::connection(ErrorCode::ProtocolError, "GOAWAY on a stream"));
        }
        let Some((fixed, debug)) = payload.split_at_checked(8) else {
            return Err(FrameError::connection(
                ErrorCode::FrameSizeError,
                "GOAWAY shorter than 8 octets",
            ));
        };
        let last_stream = read_u32(fixed, 0) & 0x7fff_ffff;
        Ok(Self { last_stream, code: ErrorCode::from_u32(read_u32(fixed, 4)), debug })
    }

    /// Writes the frame.
    pub fn emit(&self, out: &mut BytesMut) {
        let length = 8 + self.debug.len() as u32;
        FrameHead { length, kind: FrameKind::GoAway, flags: 0, stream: 0 }.emit(out);
        out.put_u32(self.last_stream & 0x7fff_ffff);
        out.put_u32(self.code.to_u32());
        out.put_slice(self.debug);
    }
}
