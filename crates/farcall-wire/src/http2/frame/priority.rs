//! PRIORITY (RFC 9113 section 6.3) and the same five octets in HEADERS. Deprecated: read for their
//! length only.

use bytes::{BufMut, BytesMut};

use super::{FrameError, FrameHead, FrameKind, read_u32};
use crate::http2::ErrorCode;

/// The five octets that once described a stream's place in a tree of priorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priority {
    /// The stream that this one depends on.
    pub dependency: u32,
    /// Alone of its parent.
    pub exclusive: bool,
    /// The weight minus one.
    pub weight: u8,
}

impl Priority {
    /// Octets on the wire.
    pub const SIZE: usize = 5;

    /// Reads the five octets.
    pub(super) fn parse(octets: [u8; Self::SIZE]) -> Self {
        let word = read_u32(&octets, 0);
        Self { dependency: word & 0x7fff_ffff, exclusive: word >> 31 == 1, weight: octets[4] }
    }

    /// Writes the five octets.
    pub(super) fn emit(self, out: &mut BytesMut) {
        out.put_u32(self.dependency & 0x7fff_ffff | u32::from(self.exclusive) << 31);
        out.put_u8(self.weight);
    }
}

/// A PRIORITY frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityFrame {
    /// The stream, not zero.
    pub stream: u32,
    /// What it says.
    pub priority: Priority,
}

impl PriorityFrame {
    /// Reads the frame. A wrong size is an error of the stream only (RFC 9113 section 6.3).
    pub fn parse(head: FrameHead, payload: &[u8]) -> Result<Self, FrameError> {
        if head.stream == 0 {
            return Err(FrameError::connection(ErrorCode::ProtocolError, "PRIORITY on stream 0"));
        }
        match payload.try_into() {
            Ok(octets) => Ok(Self { stream: head.stream, priority: Priority::parse(octets) }),
            Err(_) => {
                Err(FrameError::stream(ErrorCode::FrameSizeError, "PRIORITY is not 5 octets long"))
            }
        }
    }

    /// Writes the frame.
    pub fn emit(&self, out: &mut BytesMut) {
        let length = Priority::SIZE as u32;
        FrameHead { length, kind: FrameKind::Priority, flags: 0, stream: self.stream }.emit(out);
        self.priority.emit(out);
    }
}
