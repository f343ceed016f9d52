//! What the command's exit code says about a failure.
//!
//! Scripts read the code, people the message.

use std::io;
use std::process::ExitCode;

use farcall::{BindError, BindErrorKind, ConnectError, ConnectErrorKind};

use crate::Failure;

/// The codes, as `--help` explains them.
pub const HELP: &str = "\
Exit codes:
  0  done
  1  any other failure
  2  the command line is wrong
  3  refused: nobody listens there
  4  timeout: no answer in time
  5  in use: somebody else listens there
  6  permission: not allowed
  7  not found: no such name, address, file or route";

/// Why, as far as the exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Other = 1,
    Refused = 3,
    Timeout = 4,
    InUse = 5,
    Permission = 6,
    NotFound = 7,
}

/// The exit code of a command that failed.
pub fn code(failure: &Failure) -> ExitCode {
    ExitCode::from(reason(failure) as u8)
}

fn reason(failure: &Failure) -> Reason {
    if let Some(error) = failure.downcast_ref::<ConnectError>() {
        return connect(error.kind());
    }
    if let Some(error) = failure.downcast_ref::<BindError>() {
        return bind(error.kind());
    }
    failure.downcast_ref::<io::Error>().map_or(Reason::Other, |error| system(error.kind()))
}

fn connect(kind: ConnectErrorKind) -> Reason {
    match kind {
        ConnectErrorKind::Refused => Reason::Refused,
        ConnectErrorKind::Timeout => Reason::Timeout,
        ConnectErrorKind::Permission => Reason::Permission,
        ConnectErrorKind::NotFound
        | ConnectErrorKind::Unresolved
        | ConnectErrorKind::Unreachable => Reason::NotFound,
        _ => Reason::Other,
    }
}

fn bind(kind: BindErrorKind) -> Reason {
    match kind {
        BindErrorKind::InUse => Reason::InUse,
        BindErrorKind::Permission => Reason::Permission,
        BindErrorKind::NotFound | BindErrorKind::Unresolved => Reason::NotFound,
        _ => Reason::Other,
    }
}

fn system(kind: io::ErrorKind) -> Reason {
    match kind {
        io::ErrorKind::ConnectionRefused => Reason::Refused,
        io::ErrorKind::TimedOut => Reason::Timeout,
        io::ErrorKind::AddrInUse => Reason::InUse,
        io::ErrorKind::PermissionDenied => Reason::Permission,
        io::ErrorKind::NotFound
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => Reason::NotFound,
        _ => Reason::Other,
    }
}
