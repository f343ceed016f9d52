//! Codes as Connect writes them, and the HTTP statuses that they go with: section "Error Codes".

use crate::code::Code;

/// The name of a code.
pub(super) fn name(code: Code) -> &'static str {
    match code {
        Code::Cancelled => "canceled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

/// The code of that name.
pub(super) fn from_name(text: &str) -> Option<Code> {
    Code::ALL.into_iter().find(|code| name(*code) == text)
}

/// The HTTP status of a failure.
pub(super) fn http_status(code: Code) -> &'static str {
    match code {
        Code::Cancelled => "499",
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => "400",
        Code::Unauthenticated => "401",
        Code::PermissionDenied => "403",
        Code::NotFound => "404",
        Code::AlreadyExists | Code::Aborted => "409",
        Code::ResourceExhausted => "429",
        Code::Unknown | Code::Internal | Code::DataLoss => "500",
        Code::Unimplemented => "501",
        Code::Unavailable => "503",
        Code::DeadlineExceeded => "504",
    }
}
