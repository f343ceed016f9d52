//! What is wrong with a frame by itself.

use std::fmt;

use crate::http2::ErrorCode;

/// How far an error reaches (RFC 9113 section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One stream.
    Stream,
    /// The whole connection.
    Connection,
}

/// A frame that cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// What ends because of it.
    pub scope: Scope,
    /// With which code.
    pub code: ErrorCode,
    /// What was expected.
    pub reason: &'static str,
}

impl FrameError {
    /// An error of the connection.
    pub(crate) const fn connection(code: ErrorCode, reason: &'static str) -> Self {
        Self { scope: Scope::Connection, code, reason }
    }

    /// An error of one stream.
    pub(crate) const fn stream(code: ErrorCode, reason: &'static str) -> Self {
        Self { scope: Scope::Stream, code, reason }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.reason)
    }
}

impl std::error::Error for FrameError {}
