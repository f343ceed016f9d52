//! What a check comes to, and the few ways in which one fails.

use std::error::Error;
use std::fmt::Debug;

use farcall::{Code, Result as CallResult, Status};

/// Why a check failed.
pub type Fault = Box<dyn Error + Send + Sync>;

/// What a check comes to.
pub type Verdict<T = ()> = Result<T, Fault>;

/// Characters of a value that a fault quotes.
const QUOTED: usize = 200;

/// Fails with both values, shortened.
///
/// # Errors
/// They differ.
pub fn equal<T: PartialEq + Debug>(what: &str, got: &T, expected: &T) -> Verdict {
    if got == expected {
        return Ok(());
    }
    Err(format!("{what}: expected {}, got {}", quoted(expected), quoted(got)).into())
}

/// Fails with `why` unless `condition` holds.
///
/// # Errors
/// It does not.
pub fn holds(condition: bool, why: impl FnOnce() -> String) -> Verdict {
    if condition { Ok(()) } else { Err(why().into()) }
}

/// The failure, which has to have `code`.
///
/// # Errors
/// It has another, or the call went well.
pub fn fails_with<T: Debug>(code: Code, result: CallResult<T>) -> Verdict<Status> {
    match result {
        Err(status) if status.code() == code => Ok(status),
        Err(status) => Err(format!("expected {}, got {status}", code.name()).into()),
        Ok(answer) => Err(format!("expected {}, got {}", code.name(), quoted(&answer)).into()),
    }
}

fn quoted(value: &impl Debug) -> String {
    format!("{value:?}").chars().take(QUOTED).collect()
}
