//! What the command's exit code says about a failure.
//!
//! Scripts read the code, people the message.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

use farcall::{BindError, BindErrorKind, ConnectError, ConnectErrorKind};

use crate::Failure;
use crate::failed::Failed;

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

/// The same for the commands that make calls.
pub const CALL_HELP: &str = "\
Exit codes:
  0  done
  1  any other failure, as a request that is no JSON
  2  the command line is wrong
  3  refused: nobody listens there
  4  timeout: no connection in time
  6  permission: not allowed to connect
  7  not found: no such name, address, file or route
The call failed, 64 and the number of its code:
  65  CANCELLED            71  PERMISSION_DENIED    77  INTERNAL
  66  UNKNOWN              72  RESOURCE_EXHAUSTED   78  UNAVAILABLE
  67  INVALID_ARGUMENT     73  FAILED_PRECONDITION  79  DATA_LOSS
  68  DEADLINE_EXCEEDED    74  ABORTED              80  UNAUTHENTICATED
  69  NOT_FOUND            75  OUT_OF_RANGE
  70  ALREADY_EXISTS       76  UNIMPLEMENTED";

/// What the number of a status code is added to, so that no other code is met: those above 128 are of signals.
const STATUS: u8 = 64;

/// The code of clap for a command line that is none.
const USAGE: u8 = 2;

/// Options that do not go together, or a value that is none.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Usage {}

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
    if failure.is::<Usage>() {
        return ExitCode::from(USAGE);
    }
    if let Some(failed) = failure.downcast_ref::<Failed>() {
        return match failed.unconnected() {
            Some(error) => ExitCode::from(connect(error.kind()) as u8),
            None => ExitCode::from(STATUS | failed.status().code() as u8),
        };
    }
    ExitCode::from(reason(failure) as u8)
}

/// Whether the other side has answered: then its words stand alone, as the command has nothing to add.
pub fn is_answer(failure: &Failure) -> bool {
    failure.downcast_ref::<Failed>().is_some_and(Failed::is_answer)
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
