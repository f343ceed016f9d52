//! DATA (RFC 9113 section 6.1).

use bytes::{BufMut, BytesMut};

use super::{FrameError, FrameHead, FrameKind, flag, padding};
use crate::http2::ErrorCode;

/// A piece of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// The stream, not zero.
    pub stream: u32,
    /// The body ends here.
    pub end: bool,
    /// The bytes, without padding.
    pub data: &'a [u8],
    /// Octets of padding; `None` if there is no pad length field.
    pub padding: Option<u8>,
}

impl<'a> Data<'a> {
    /// Reads the frame.
    pub fn parse(head: FrameHead, payload: &'a [u8]) -> Result<Self, FrameError> {
        if head.stream == 0 {
            return Err(FrameError::connection(ErrorCode::ProtocolError, "DATA on stream 0"));
        }
        let (data, padding) = padding::strip(head, payload)?;
        Ok(Self { stream: head.stream, end: head.has(flag::END_STREAM), data, padding })
    }

    /// Writes the frame.
    pub fn emit(&self, out: &mut BytesMut) {
        let padded = if self.padding.is_some() { flag::PADDED } else { 0 };
        let end = if self.end { flag::END_STREAM } else { 0 };
        let length = self.data.len() as u32 + padding::overhead(self.padding);
        FrameHead { length, kind: FrameKind::Data, flags: end | padded, stream: self.stream }
            .emit(out);
        padding::emit_length(self.padding, out);
        out.put_slice(self.data);
        padding::emit(self.padding, out);
    }
}
