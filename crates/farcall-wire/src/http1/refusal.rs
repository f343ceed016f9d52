//! Why a message is not taken, in words for both ends.

use std::borrow::Cow;

use crate::event::Side;
use crate::http2::{ConnectionError, ErrorCode};

/// A message that is refused: what was expected, what came, and the status that says so.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// What is wrong or was expected.
    pub(super) reason: &'static str,
    /// What came instead, escaped and bounded; empty if there is nothing to show.
    came: String,
    /// Whoever wrote this speaks no HTTP/1 at all.
    pub(super) is_foreign: bool,
}

impl Refusal {
    /// Octets of what came that are shown.
    pub(super) const SHOWN: usize = 64;

    /// Refuses something that there is nothing to show of.
    pub(super) fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason, came: String::new(), is_foreign: false }
    }

    /// A malformed message, and the part of it that is wrong.
    pub(super) fn malformed(reason: &'static str, came: &[u8]) -> Self {
        Self::showing(400, reason, came)
    }

    /// Refuses something and shows it.
    pub(super) fn showing(status: u16, reason: &'static str, came: &[u8]) -> Self {
        let more = if came.len() > Self::SHOWN { ".." } else { "" };
        let shown = came[..came.len().min(Self::SHOWN)].escape_ascii();
        Self { status, reason, came: format!("\"{shown}\"{more}"), is_foreign: false }
    }

    /// Says that whoever wrote this speaks no HTTP/1 at all.
    pub(super) fn foreign(self, is_foreign: bool) -> Self {
        Self { is_foreign, ..self }
    }

    /// The whole of it in one line.
    pub(super) fn text(&self) -> Cow<'static, str> {
        if self.came.is_empty() {
            return Cow::Borrowed(self.reason);
        }
        Cow::Owned(format!("{}, got {}", self.reason, self.came))
    }

    /// The code of the stream and the connection that end because of it.
    pub(super) fn code(&self) -> ErrorCode {
        match self.status {
            408 | 413 | 414 | 431 => ErrorCode::EnhanceYourCalm,
            _ => ErrorCode::ProtocolError,
        }
    }

    pub(super) fn into_error(self) -> ConnectionError {
        ConnectionError { code: self.code(), by: Side::Local, reason: self.text() }
    }
}
