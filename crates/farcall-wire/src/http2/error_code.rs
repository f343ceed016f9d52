//! The codes of `RST_STREAM` and GOAWAY (RFC 9113 section 7).

use std::fmt;

/// Why a stream or a connection ended (RFC 9113 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Not an error.
    NoError,
    /// The peer broke the protocol.
    ProtocolError,
    /// Something went wrong here.
    InternalError,
    /// The peer sent more than its windows allowed.
    FlowControlError,
    /// SETTINGS were not acknowledged in time.
    SettingsTimeout,
    /// A frame came on a half-closed stream.
    StreamClosed,
    /// A frame of an invalid size came.
    FrameSizeError,
    /// The request was not acted upon: it is safe to send it again.
    RefusedStream,
    /// The stream is no longer needed.
    Cancel,
    /// The header table is out of step.
    CompressionError,
    /// The connection behind a CONNECT failed.
    ConnectError,
    /// The peer does something legal too often.
    EnhanceYourCalm,
    /// The transport is not secure enough.
    InadequateSecurity,
    /// The request needs HTTP/1.1.
    Http11Required,
    /// A code that RFC 9113 does not know; treated like `InternalError`.
    Unknown(u32),
}

impl ErrorCode {
    /// The code with the given number on the wire.
    pub const fn from_u32(number: u32) -> Self {
        match number {
            0x0 => Self::NoError,
            0x1 => Self::ProtocolError,
            0x2 => Self::InternalError,
            0x3 => Self::FlowControlError,
            0x4 => Self::SettingsTimeout,
            0x5 => Self::StreamClosed,
            0x6 => Self::FrameSizeError,
            0x7 => Self::RefusedStream,
            0x8 => Self::Cancel,
            0x9 => Self::CompressionError,
            0xa => Self::ConnectError,
            0xb => Self::EnhanceYourCalm,
            0xc => Self::InadequateSecurity,
            0xd => Self::Http11Required,
            other => Self::Unknown(other),
        }
    }

    /// The number on the wire.
    pub const fn to_u32(self) -> u32 {
        match self {
            Self::NoError => 0x0,
            Self::ProtocolError => 0x1,
            Self::InternalError => 0x2,
            Self::FlowControlError => 0x3,
            Self::SettingsTimeout => 0x4,
            Self::StreamClosed => 0x5,
            Self::FrameSizeError => 0x6,
            Self::RefusedStream => 0x7,
            Self::Cancel => 0x8,
            Self::CompressionError => 0x9,
            Self::ConnectError => 0xa,
            Self::EnhanceYourCalm => 0xb,
            Self::InadequateSecurity => 0xc,
            Self::Http11Required => 0xd,
            Self::Unknown(number) => number,
        }
    }

    /// The name in RFC 9113 section 7.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoError => "NO_ERROR",
            Self::ProtocolError => "PROTOCOL_ERROR",
            Self::InternalError => "INTERNAL_ERROR",
            Self::FlowControlError => "FLOW_CONTROL_ERROR",
            Self::SettingsTimeout => "SETTINGS_TIMEOUT",
            Self::StreamClosed => "STREAM_CLOSED",
            Self::FrameSizeError => "FRAME_SIZE_ERROR",
            Self::RefusedStream => "REFUSED_STREAM",
            Self::Cancel => "CANCEL",
            Self::CompressionError => "COMPRESSION_ERROR",
            Self::ConnectError => "CONNECT_ERROR",
            Self::EnhanceYourCalm => "ENHANCE_YOUR_CALM",
            Self::InadequateSecurity => "INADEQUATE_SECURITY",
            Self::Http11Required => "HTTP_1_1_REQUIRED",
            Self::Unknown(_) => "unknown code",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(number) => write!(f, "error code {number:#x}"),
            known => f.write_str(known.name()),
        }
    }
}
