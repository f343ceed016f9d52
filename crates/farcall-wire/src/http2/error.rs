//! How a connection or a command fails.

use std::borrow::Cow;
use std::fmt;

use super::ErrorCode;
use crate::event::Side;

/// Why a connection ended other than in good order. Calls over HTTP/1.1 and over a WebSocket end
/// with it too: which of them it was knows whoever drives the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionError {
    /// The code that was sent or received.
    pub code: ErrorCode,
    /// Who ended the connection.
    pub by: Side,
    /// What was expected and what came.
    pub reason: Cow<'static, str>,
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            Side::Local => "here",
            Side::Remote => "by the peer",
        };
        write!(f, "connection ended {by} ({}): {}", self.code, self.reason)
    }
}

impl std::error::Error for ConnectionError {}

/// Why no stream can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// As many streams are open as the peer allows; [`Event::Capacity`](crate::Event::Capacity)
    /// follows.
    Concurrency,
    /// Most stream identifiers of the connection are used up: a new connection is needed.
    IdsExhausted,
    /// The connection is going away.
    Draining,
    /// The connection is closed.
    Closed,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Concurrency => "the peer allows no more concurrent streams",
            Self::IdsExhausted => "the connection's stream identifiers are used up",
            Self::Draining => "the connection is going away",
            Self::Closed => "the connection is closed",
        })
    }
}

impl std::error::Error for OpenError {}

/// The stream of a command is no longer there, or its sending half has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream can take no more data")
    }
}

impl std::error::Error for Gone {}
