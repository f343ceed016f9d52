//! SETTINGS (RFC 9113 section 6.5).

use bytes::{BufMut, BytesMut};

use super::{FrameError, FrameHead, FrameKind, flag, read_u32};
use crate::http2::ErrorCode;

/// Which setting (RFC 9113 section 6.5.2, RFC 8441 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingId {
    /// 0x01: octets of the sender's decoding table.
    HeaderTableSize,
    /// 0x02: whether the sender takes `PUSH_PROMISE`.
    EnablePush,
    /// 0x03: streams that the sender lets its peer have open.
    MaxConcurrentStreams,
    /// 0x04: first window of every stream, in octets.
    InitialWindowSize,
    /// 0x05: largest payload that the sender takes, in octets.
    MaxFrameSize,
    /// 0x06: largest field list that the sender takes, in octets; advice.
    MaxHeaderListSize,
    /// 0x08: whether the sender takes extended CONNECT.
    EnableConnectProtocol,
    /// A setting to be ignored.
    Unknown(u16),
}

impl SettingId {
    /// The setting with the given number.
    pub const fn from_u16(number: u16) -> Self {
        match number {
            0x1 => Self::HeaderTableSize,
            0x2 => Self::EnablePush,
            0x3 => Self::MaxConcurrentStreams,
            0x4 => Self::InitialWindowSize,
            0x5 => Self::MaxFrameSize,
            0x6 => Self::MaxHeaderListSize,
            0x8 => Self::EnableConnectProtocol,
            other => Self::Unknown(other),
        }
    }

    /// The number on the wire.
    pub const fn to_u16(self) -> u16 {
        match self {
            Self::HeaderTableSize => 0x1,
            Self::EnablePush => 0x2,
            Self::MaxConcurrentStreams => 0x3,
            Self::InitialWindowSize => 0x4,
            Self::MaxFrameSize => 0x5,
            Self::MaxHeaderListSize => 0x6,
            Self::EnableConnectProtocol => 0x8,
            Self::Unknown(number) => number,
        }
    }
}

/// One setting and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Which.
    pub id: SettingId,
    /// Its value; whether it is legal is the connection's business.
    pub value: u32,
}

/// A SETTINGS frame, whose entries stay where they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings<'a> {
    /// Only an acknowledgement; there are no entries then.
    pub ack: bool,
    payload: &'a [u8],
}

impl<'a> Settings<'a> {
    /// Octets of one entry.
    const ENTRY_SIZE: usize = 6;

    /// Reads the frame.
    pub fn parse(head: FrameHead, payload: &'a [u8]) -> Result<Self, FrameError> {
        let ack = head.has(flag::ACK);
        if head.stream != 0 {
            return Err(FrameError::connection(ErrorCode::ProtocolError, "SETTINGS on a stream"));
        }
        if ack && !payload.is_empty() {
            return Err(FrameError::connection(
                ErrorCode::FrameSizeError,
                "acknowledgement of SETTINGS with a payload",
            ));
        }
        if !payload.len().is_multiple_of(Self::ENTRY_SIZE) {
            return Err(FrameError::connection(
                ErrorCode::FrameSizeError,
                "SETTINGS are not whole entries of 6 octets",
            ));
        }
        Ok(Self { ack, payload })
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.payload.len() / Self::ENTRY_SIZE
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.payload.is_empty()
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = Setting> + 'a {
        self.payload.chunks_exact(Self::ENTRY_SIZE).map(|entry| Setting {
            id: SettingId::from_u16(u16::from_be_bytes([entry[0], entry[1]])),
            value: read_u32(entry, 2),
        })
    }

    /// Writes a frame with these entries.
    pub fn emit(entries: &[Setting], out: &mut BytesMut) {
        let length = (entries.len() * Self::ENTRY_SIZE) as u32;
        FrameHead { length, kind: FrameKind::Settings, flags: 0, stream: 0 }.emit(out);
        for entry in entries {
            out.put_u16(entry.id.to_u16());
            out.put_u32(entry.value);
        }
    }

    /// Writes an acknowledgement.
    pub fn emit_ack(out: &mut BytesMut) {
        FrameHead { length: 0, kind: FrameKind::Settings, flags: flag::ACK, stream: 0 }.emit(out);
    }
}
