//! Why a WebSocket is closed, as a number (RFC 6455 section 7.4).

use std::fmt;

use crate::http2::ErrorCode;

/// A close code that may stand in a Close frame. The codes that must not (1004, 1005, 1006, 1015 and
/// all that are not assigned) cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: this end is going away.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data that this end cannot take.
    pub const UNSUPPORTED: Self = Self(1003);
    /// 1007: text that is not UTF-8, or compressed data that cannot be decompressed.
    pub const INVALID_DATA: Self = Self(1007);
    /// 1008: against this end's policy; the peer does something legal too often.
    pub const POLICY: Self = Self(1008);
    /// 1009: a message that is too large for this end.
    pub const TOO_BIG: Self = Self(1009);
    /// 1011: something went wrong here.
    pub const INTERNAL: Self = Self(1011);

    /// The code with this number, if it may be sent: 1000 to 1003, 1007 to 1014 (the registered
    /// ones), 3000 to 4999 (for libraries and applications).
    pub const fn new(number: u16) -> Option<Self> {
        match number {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(number)),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The nearest code to that of HTTP/2.
    pub(super) fn of(code: ErrorCode) -> Self {
        match code {
            ErrorCode::NoError => Self::NORMAL,
            ErrorCode::ProtocolError
            | ErrorCode::FlowControlError
            | ErrorCode::StreamClosed
            | ErrorCode::FrameSizeError
            | ErrorCode::CompressionError => Self::PROTOCOL_ERROR,
            ErrorCode::EnhanceYourCalm | ErrorCode::InadequateSecurity => Self::POLICY,
            ErrorCode::InternalError => Self::INTERNAL,
            _ => Self::GOING_AWAY,
        }
    }

    /// The nearest code of HTTP/2.
    pub(super) fn error_code(self) -> ErrorCode {
        match self {
            Self::PROTOCOL_ERROR | Self::UNSUPPORTED | Self::INVALID_DATA => {
                ErrorCode::ProtocolError
            }
            Self::POLICY | Self::TOO_BIG => ErrorCode::EnhanceYourCalm,
            Self::INTERNAL => ErrorCode::InternalError,
            _ => ErrorCode::NoError,
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
