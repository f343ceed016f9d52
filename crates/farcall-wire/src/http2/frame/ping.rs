//! PING (RFC 9113 section 6.7).

use bytes::{BufMut, BytesMut};

use super::{FrameError, FrameHead, FrameKind, flag};
use crate::http2::ErrorCode;

/// A question whether the peer is there, or the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// The answer.
    pub ack: bool,
    /// Comes back unchanged.
    pub payload: [u8; 8],
}

impl Ping {
    /// Reads the frame.
    pub fn parse(head: FrameHead, payload: &[u8]) -> Result<Self, FrameError> {
        if head.stream != 0 {
            return Err(FrameError::connection(ErrorCode::ProtocolError, "PING on a stream"));
        }
        match payload.try_into() {
            Ok(payload) => Ok(Self { ack: head.has(flag::ACK), payload }),
            Err(_) => {
                Err(FrameError::connection(ErrorCode::FrameSizeError, "PING is not 8 octets long"))
            }
        }
    }

    /// Writes the frame.
    pub fn emit(&self, out: &mut BytesMut) {
        let flags = if self.ack { flag::ACK } else { 0 };
        FrameHead { length: 8, kind: FrameKind::Ping, flags, stream: 0 }.emit(out);
        out.put_slice(&self.payload);
    }
}
