//! `PUSH_PROMISE` (RFC 9113 section 6.6). Known so that it can be refused: nobody here wants server
//! push.

use bytes::{BufMut, BytesMut};

use super::{FrameError, FrameHead, FrameKind, flag, padding, read_u32};
use crate::http2::ErrorCode;

/// The announcement of a pushed response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushPromise<'a> {
    /// The stream of the request that it belongs to, not zero.
    pub stream: u32,
    /// The stream of the pushed response.
    pub promised: u32,
    /// The block is complete; otherwise CONTINUATION follows.
    pub end_headers: bool,
    /// This piece of the encoded block.
    pub block: &'a [u8],
    /// Octets of padding; `None` if there is no pad length field.
    pub padding: Option<u8>,
}

impl<'a> PushPromise<'a> {
    /// Reads the frame.
    pub fn parse(head: FrameHead, payload: &'a [u8]) -> Result<Self, FrameError> {
        if head.stream == 0 {
            return Err(FrameError::connection(
                ErrorCode::ProtocolError,
                "PUSH_PROMISE on stream 0",
            ));
        }
        let (content, padding) = padding::strip(head, payload)?;
        let Some((promised, block)) = content.split_at_checked(4) else {
            let reason = "PUSH_PROMISE too short for its promised stream";
            return Err(FrameError::connection(ErrorCode::FrameSizeError, reason));
        };
        let promised = read_u32(promised, 0) & 0x7fff_ffff;
        Ok(Self {
            stream: head.stream,
            promised,
            end_headers: head.has(flag::END_HEADERS),
            block,
            padding,
        })
    }

    /// Writes the frame.
    pub fn emit(&self, out: &mut BytesMut) {
        let mut flags = 0;
        flags |= if self.end_headers { flag::END_HEADERS } else { 0 };
        flags |= if self.padding.is_some() { flag::PADDED } else { 0 };
        let length = 4 + self.block.len() as u32 + padding::overhead(self.padding);
        FrameHead { length, kind: FrameKind::PushPromise, flags, stream: self.stream }.emit(out);
        padding::emit_length(self.padding, out);
        out.put_u32(self.promised & 0x7fff_ffff);
        out.put_slice(self.block);
        padding::emit(self.padding, out);
    }
}
