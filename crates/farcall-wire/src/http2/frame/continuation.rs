//! CONTINUATION (RFC 9113 section 6.10).

use bytes::{BufMut, BytesMut};

use super::{FrameError, FrameHead, FrameKind, flag};
use crate::http2::ErrorCode;

/// A further piece of a field block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continuation<'a> {
    /// The stream, not zero.
    pub stream: u32,
    /// The block is complete.
    pub end_headers: bool,
    /// This piece of the encoded block.
    pub block: &'a [u8],
}

impl<'a> Continuation<'a> {
    /// Reads the frame.
    pub fn parse(head: FrameHead, payload: &'a [u8]) -> Result<Self, FrameError> {
        if head.stream == 0 {
            return Err(FrameError::connection(
                ErrorCode::ProtocolError,
                "CONTINUATION on stream 0",
            ));
        }
        Ok(Self { stream: head.stream, end_headers: head.has(flag::END_HEADERS), block: payload })
    }

    /// Writes the frame.
    pub fn emit(&self, out: &mut BytesMut) {
        let flags = if self.end_headers { flag::END_HEADERS } else { 0 };
        let length = self.block.len() as u32;
        FrameHead { length, kind: FrameKind::Continuation, flags, stream: self.stream }.emit(out);
        out.put_slice(self.block);
    }
}
