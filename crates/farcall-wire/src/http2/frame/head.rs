//! The nine octets before every payload (RFC 9113 section 4.1).

use bytes::{BufMut, BytesMut};

/// Flags of frames; which of them a frame knows is in its own file.
pub mod flag {
    /// DATA, HEADERS: the sender's half of the stream ends (0x01).
    pub const END_STREAM: u8 = 0x01;
    /// SETTINGS, PING: an acknowledgement (0x01).
    pub const ACK: u8 = 0x01;
    /// HEADERS, `PUSH_PROMISE`, CONTINUATION: the field block ends (0x04).
    pub const END_HEADERS: u8 = 0x04;
    /// DATA, HEADERS, `PUSH_PROMISE`: a pad length comes first and padding last (0x08).
    pub const PADDED: u8 = 0x08;
    /// HEADERS: five octets of priority come first (0x20).
    pub const PRIORITY: u8 = 0x20;
}

/// The type of a frame (RFC 9113 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// 0x00
    Data,
    /// 0x01
    Headers,
    /// 0x02
    Priority,
    /// 0x03
    RstStream,
    /// 0x04
    Settings,
    /// 0x05
    PushPromise,
    /// 0x06
    Ping,
    /// 0x07
    GoAway,
    /// 0x08
    WindowUpdate,
    /// 0x09
    Continuation,
    /// A type that RFC 9113 does not know; to be ignored (section 5.5).
    Unknown(u8),
}

impl FrameKind {
    /// The type with the given number.
    pub const fn from_u8(number: u8) -> Self {
        match number {
            0x0 => Self::Data,
            0x1 => Self::Headers,
            0x2 => Self::Priority,
            0x3 => Self::RstStream,
            0x4 => Self::Settings,
            0x5 => Self::PushPromise,
            0x6 => Self::Ping,
            0x7 => Self::GoAway,
            0x8 => Self::WindowUpdate,
            0x9 => Self::Continuation,
            other => Self::Unknown(other),
        }
    }

    /// The number on the wire.
    pub const fn to_u8(self) -> u8 {
        match self {
            Self::Data => 0x0,
            Self::Headers => 0x1,
            Self::Priority => 0x2,
            Self::RstStream => 0x3,
            Self::Settings => 0x4,
            Self::PushPromise => 0x5,
            Self::Ping => 0x6,
            Self::GoAway => 0x7,
            Self::WindowUpdate => 0x8,
            Self::Continuation => 0x9,
            Self::Unknown(number) => number,
        }
    }
}

/// A frame's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// Octets of payload, at most 2^24 - 1.
    pub length: u32,
    /// The type.
    pub kind: FrameKind,
    /// The flags; unknown ones are to be ignored.
    pub flags: u8,
    /// The stream; zero is the connection.
    pub stream: u32,
}

impl FrameHead {
    /// Octets of a frame's head.
    pub const SIZE: usize = 9;

    /// Reads a head. The reserved bit is ignored.
    pub fn parse(octets: [u8; Self::SIZE]) -> Self {
        let [high, mid, low, kind, flags, stream @ ..] = octets;
        Self {
            length: u32::from_be_bytes([0, high, mid, low]),
            kind: FrameKind::from_u8(kind),
            flags,
            stream: u32::from_be_bytes(stream) & 0x7fff_ffff,
        }
    }

    /// The head as it is on the wire.
    pub fn to_octets(self) -> [u8; Self::SIZE] {
        let mut octets = [0; Self::SIZE];
        octets[..4].copy_from_slice(&(self.length << 8).to_be_bytes());
        octets[3] = self.kind.to_u8();
        octets[4] = self.flags;
        octets[5..].copy_from_slice(&(self.stream & 0x7fff_ffff).to_be_bytes());
        octets
    }

    /// Writes the head.
    pub fn emit(self, out: &mut BytesMut) {
        out.put_slice(&self.to_octets());
    }

    /// Whether `flag` is set.
    pub const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}
