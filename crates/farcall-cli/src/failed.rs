//! A call that failed, as people and scripts are told.

use std::error::Error;
use std::fmt;

use farcall::{ConnectError, Status};

use crate::Failure;

/// How a call ended that did not end well.
#[derive(Debug)]
pub(crate) struct Failed {
    status: Status,
    /// What the call was for, when it is not the one that was asked for.
    purpose: Option<Purpose>,
    /// The status's details as JSON, one each.
    details: Vec<String>,
}

/// What a call was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// To find out whether anybody is there.
    Connect,
    /// To learn what the server offers.
    Reflection,
}

impl Failed {
    /// The call that the user asked for.
    pub(crate) fn call(status: Status, details: Vec<String>) -> Failure {
        Self { status, purpose: None, details }.into()
    }

    /// None was made, because nobody could be reached.
    pub(crate) fn connect(status: Status) -> Failure {
        Self { status, purpose: Some(Purpose::Connect), details: Vec::new() }.into()
    }

    /// One that asked the server about itself.
    pub(crate) fn reflection(status: Status) -> Failure {
        Self { status, purpose: Some(Purpose::Reflection), details: Vec::new() }.into()
    }

    /// The status that came back.
    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    /// Why nobody could be connected to, when that is the reason.
    pub(crate) fn unconnected(&self) -> Option<&ConnectError> {
        let mut cause = self.status.source();
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref() {
                return Some(error);
            }
            cause = error.source();
        }
        None
    }

    /// Whether this is how the call ended that was asked for.
    pub(crate) fn is_answer(&self) -> bool {
        self.purpose.is_none() && self.unconnected().is_none()
    }
}

/// `NOT_FOUND: no such user`, and a line or more for each detail.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // That nobody is there needs no code of a status.
        if self.purpose == Some(Purpose::Connect) || self.unconnected().is_some() {
            return f.write_str(&printable(self.status.message()));
        }
        if self.purpose == Some(Purpose::Reflection) {
            f.write_str("the server's reflection: ")?;
        }
        write!(f, "{}", self.status.code())?;
        if !self.status.message().is_empty() {
            // What a stranger sends must not steer the terminal.
            write!(f, ": {}", printable(self.status.message()))?;
        }
        self.details.iter().try_for_each(|detail| write!(f, "\n{detail}"))
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.status)
    }
}

/// The text with its control characters escaped, but for line ends and tabs.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() && !matches!(char, '\n' | '\t') {
            printable.extend(char.escape_default());
        } else {
            printable.push(char);
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_message_and_details_are_told() {
        let failure = Failed::call(Status::not_found("no such\u{1b}[31m user"), vec!["{}".into()]);
        assert_eq!(failure.to_string(), "NOT_FOUND: no such\\u{1b}[31m user\n{}");
        let failure = Failed::reflection(Status::unavailable(""));
        assert_eq!(failure.to_string(), "the server's reflection: UNAVAILABLE");
    }
}
