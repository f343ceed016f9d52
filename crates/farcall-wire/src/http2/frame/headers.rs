//! HEADERS (RFC 9113 section 6.2).

use bytes::{BufMut, BytesMut};

use super::{FrameError, FrameHead, FrameKind, Priority, flag, padding};
use crate::http2::ErrorCode;

/// The first piece of a field block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    /// The stream, not zero.
    pub stream: u32,
    /// The sender's half of the stream ends with this block.
    pub end_stream: bool,
    /// The block is complete; otherwise CONTINUATION follows.
    pub end_headers: bool,
    /// The deprecated priority.
    pub priority: Option<Priority>,
    /// This piece of the encoded block.
    pub block: &'a [u8],
    /// Octets of padding; `None` if there is no pad length field.
    pub padding: Option<u8>,
}

impl<'a> Headers<'a> {
    /// Reads the frame.
    pub fn parse(head: FrameHead, payload: &'a [u8]) -> Result<Self, FrameError> {
        if head.stream == 0 {
            return Err(FrameError::connection(ErrorCode::ProtocolError, "HEADERS on stream 0"));
        }
        let (mut block, padding) = padding::strip(head, payload)?;
        let mut priority = None;
        if head.has(flag::PRIORITY) {
            let Some((octets, rest)) = block.split_first_chunk() else {
                let reason = "HEADERS too short for its priority";
                return Err(FrameError::connection(ErrorCode::FrameSizeError, reason));
            };
            priority = Some(Priority::parse(*octets));
            block = rest;
        }
        let (end_stream, end_headers) = (head.has(flag::END_STREAM), head.has(flag::END_HEADERS));
        Ok(Self { stream: head.stream, end_stream, end_headers, priority, block, padding })
    }

    /// Writes the frame.
    pub fn emit(&self, out: &mut BytesMut) {
        let mut flags = 0;
        flags |= if self.end_stream { flag::END_STREAM } else { 0 };
        flags |= if self.end_headers { flag::END_HEADERS } else { 0 };
        flags |= if self.padding.is_some() { flag::PADDED } else { 0 };
        flags |= if self.priority.is_some() { flag::PRIORITY } else { 0 };
        let priority_size = if self.priority.is_some() { Priority::SIZE as u32 } else { 0 };
        let length = self.block.len() as u32 + padding::overhead(self.padding) + priority_size;
        FrameHead { length, kind: FrameKind::Headers, flags, stream: self.stream }.emit(out);
        padding::emit_length(self.padding, out);
        if let Some(priority) = self.priority {
            priority.emit(out);
        }
        out.put_slice(self.block);
        padding::emit(self.padding, out);
    }
}
