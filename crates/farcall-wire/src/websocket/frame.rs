//! Frame headers (RFC 6455 section 5.2): read and written as they are. Whether a frame may come is
//! for the engine to say.

use bytes::{BufMut, BytesMut};

pub use super::mask::{MaskKey, apply as mask};

/// Payload octets of a control frame (RFC 6455 section 5.5).
pub const MAX_CONTROL: usize = 125;

/// In place of a length: it follows in 16 or in 64 bits.
const LENGTH_16: u8 = 0x7e;
const LENGTH_64: u8 = 0x7f;

/// What a frame is (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpCode {
    /// 0x0
    Continuation,
    /// 0x1
    Text,
    /// 0x2
    Binary,
    /// 0x8
    Close,
    /// 0x9
    Ping,
    /// 0xa
    Pong,
    /// Four bits that RFC 6455 reserves.
    Reserved(u8),
}

impl OpCode {
    /// The opcode in the low four bits.
    pub const fn from_u8(number: u8) -> Self {
        match number & 0x0f {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            other => Self::Reserved(other),
        }
    }

    /// The number on the wire.
    pub const fn to_u8(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
            Self::Reserved(number) => number & 0x0f,
        }
    }

    /// Close, Ping, Pong, and what may be defined beside them.
    pub const fn is_control(self) -> bool {
        self.to_u8() & 0x8 != 0
    }
}

/// All that stands before the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// The last frame of its message.
    pub fin: bool,
    /// A compressed message begins (RFC 7692 section 6).
    pub rsv1: bool,
    /// The two bits that nothing uses.
    pub rsv23: u8,
    /// What it is.
    pub opcode: OpCode,
    /// The key that the payload is masked with, if it is.
    pub mask: Option<MaskKey>,
    /// Octets of payload.
    pub length: u64,
}

/// A length that is not written as RFC 6455 section 5.2 demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthError {
    /// More octets than the length needs.
    NotMinimal,
    /// The highest bit of 64 is set.
    TooLarge,
}

impl FrameHead {
    /// Octets of the longest header.
    pub const MAX_SIZE: usize = 14;

    /// Reads the header at the front of `octets` and says how long it is; `None` while it is
    /// incomplete.
    pub fn parse(octets: &[u8]) -> Result<Option<(Self, usize)>, LengthError> {
        let [first, second, rest @ ..] = octets else { return Ok(None) };
        let (length, size) = match second & 0x7f {
            LENGTH_16 => {
                let Some(length) = rest.first_chunk().copied().map(u16::from_be_bytes) else {
                    return Ok(None);
                };
                if length < 126 {
                    return Err(LengthError::NotMinimal);
                }
                (length.into(), 4)
            }
            LENGTH_64 => {
                let Some(length) = rest.first_chunk().copied().map(u64::from_be_bytes) else {
                    return Ok(None);
                };
                match length {
                    0..=0xffff => return Err(LengthError::NotMinimal),
                    length if length >> 63 != 0 => return Err(LengthError::TooLarge),
                    length => (length, 10),
                }
            }
            short => (short.into(), 2),
        };
        let mut head = Self {
            fin: first & 0x80 != 0,
            rsv1: first & 0x40 != 0,
            rsv23: (first & 0x30) >> 4,
            opcode: OpCode::from_u8(*first),
            mask: None,
            length,
        };
        if second & 0x80 == 0 {
            return Ok(Some((head, size)));
        }
        head.mask = octets.get(size..).and_then(<[u8]>::first_chunk).copied();
        Ok(head.mask.is_some().then_some((head, size + 4)))
    }

    /// Writes the header, the length in as few octets as it needs.
    pub fn emit(&self, out: &mut BytesMut) {
        out.put_u8(
            u8::from(self.fin) << 7
                | u8::from(self.rsv1) << 6
                | (self.rsv23 & 0x3) << 4
                | self.opcode.to_u8(),
        );
        let masked = u8::from(self.mask.is_some()) << 7;
        match self.length {
            0..=125 => out.put_u8(masked | self.length as u8),
            126..=0xffff => {
                out.put_u8(masked | LENGTH_16);
                out.put_u16(self.length as u16);
            }
            _ => {
                out.put_u8(masked | LENGTH_64);
                out.put_u64(self.length);
            }
        }
        if let Some(key) = self.mask {
            out.put_slice(&key);
        }
    }
}
