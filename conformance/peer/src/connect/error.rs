//! A call's failure, as the suite describes it.

use farcall::{Code, Status};

use super::any;
use crate::proto::connectrpc::conformance::v1::Error;

/// The failure that a request asks for. A code that is none becomes UNKNOWN.
pub fn to_status(error: Error) -> Status {
    let code = u32::try_from(error.code.to_i32()).ok().and_then(Code::from_u32);
    let status = Status::new(code.unwrap_or(Code::Unknown), error.message.unwrap_or_default());
    error.details.into_iter().map(any::from_field).fold(status, Status::with_any)
}

/// What became of a call.
pub fn from_status(status: &Status) -> Error {
    Error {
        // The suite's numbers are gRPC's; they are at most 16.
        code: status.code().as_u32().cast_signed().into(),
        message: Some(status.message().to_owned()),
        details: status.details().iter().cloned().map(any::to_field).collect(),
    }
}
