//! How a WebSocket or a command fails.

use std::borrow::Cow;
use std::fmt;

use super::CloseCode;
use crate::event::Side;

/// Why a WebSocket ended other than by the closing handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The code of our Close frame; `None` if the transport was lost before.
    pub code: Option<CloseCode>,
    /// Who ended it.
    pub by: Side,
    /// What was expected and what came.
    pub reason: Cow<'static, str>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            Side::Local => "here",
            Side::Remote => "by the peer",
        };
        match self.code {
            Some(code) => write!(f, "WebSocket ended {by} ({code}): {}", self.reason),
            None => write!(f, "WebSocket ended {by}: {}", self.reason),
        }
    }
}

impl std::error::Error for Error {}

/// Why a message is not taken for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// Too much waits to be written; [`Event::Writable`](super::Event::Writable) follows.
    Full,
    /// The closing handshake has begun, or the WebSocket is over.
    Closed,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the peer does not read: too much waits to be written",
            Self::Closed => "the WebSocket is closing",
        })
    }
}

impl std::error::Error for SendError {}

/// An error of the connection on its way to the Close frame.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: CloseCode,
    pub(super) reason: Cow<'static, str>,
}

impl Fault {
    pub(super) fn new(code: CloseCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }

    pub(super) fn protocol(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(CloseCode::PROTOCOL_ERROR, reason)
    }
}
