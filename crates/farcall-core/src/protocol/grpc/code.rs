//! What codes of HTTP mean for a call that has no status of its own.

use crate::code::Code;
use crate::status::Status;

/// The failure of a call whose stream was reset: the table "Errors" of PROTOCOL-HTTP2.md.
pub(in crate::protocol) fn reset(code: u32) -> Status {
    let (name, meaning) = match code {
        0 => ("NO_ERROR", Code::Internal),
        1 => ("PROTOCOL_ERROR", Code::Internal),
        2 => ("INTERNAL_ERROR", Code::Internal),
        3 => ("FLOW_CONTROL_ERROR", Code::Internal),
        4 => ("SETTINGS_TIMEOUT", Code::Internal),
        // The table has no row for a closed stream; a call that waits for it has to end somehow.
        5 => ("STREAM_CLOSED", Code::Internal),
        6 => ("FRAME_SIZE_ERROR", Code::Internal),
        7 => ("REFUSED_STREAM", Code::Unavailable),
        8 => ("CANCEL", Code::Cancelled),
        9 => ("COMPRESSION_ERROR", Code::Internal),
        10 => ("CONNECT_ERROR", Code::Internal),
        11 => ("ENHANCE_YOUR_CALM", Code::ResourceExhausted),
        12 => ("INADEQUATE_SECURITY", Code::PermissionDenied),
        13 => ("HTTP_1_1_REQUIRED", Code::Internal),
        _ => ("an unknown error", Code::Unknown),
    };
    let more = match meaning {
        Code::ResourceExhausted => ": too much bandwidth is used",
        Code::PermissionDenied => ": the transport is not secure enough",
        _ => "",
    };
    Status::new(meaning, format!("the peer reset the stream with {name} (code {code}){more}"))
}

/// The code for a reply without a status of its own: http-grpc-status-mapping.md. Even 200 is a failure then.
pub(in crate::protocol) fn from_http(status: u16) -> Code {
    match status {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}
