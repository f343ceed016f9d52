//! Reads and writes that do all or say how far they came.
//!
//! A read takes what is there, which can be less than was asked for; a write takes what fits; a signal can interrupt
//! either. Everybody who forgets one of the three has a bug that shows under load. Here a read of n bytes brings n bytes, a
//! write takes all, a line is a line, and an interruption is nobody's business.
//!
//! When fewer bytes come, [`ReadError`] tells apart that the other end closed ([`ReadError::Ended`], with the short count)
//! and that something failed. Lines and counted bytes can be read in any order through one [`Buffered`]: nothing is lost
//! in between.
//!
//! The same names exist twice: in [`blocking`], over [`std::io::Read`] and [`std::io::Write`], and in [`asynchronous`],
//! over tokio's [`tokio::io::AsyncRead`] and [`tokio::io::AsyncWrite`]. Nothing here opens or closes anything, and nothing
//! looks into the bytes except for the end of a line.
//!
//! [`Buffered`]: blocking::Buffered

pub mod asynchronous;
pub mod blocking;
mod buffer;
mod connect;

use std::error::Error;
use std::fmt;
use std::io;

/// Why fewer bytes came than were asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The other end closed, after `got` of `wanted` bytes: a short count, and no failure of the connection. With `got`
    /// 0 it closed between two pieces, which is how conversations end.
    Ended {
        /// The bytes that came; they are the first of the buffer.
        got: usize,
        /// The bytes that were asked for.
        wanted: usize,
    },
    /// A line is longer than it may be. What came of it waits in the buffer.
    LineTooLong {
        /// The most bytes that a line may have, its end included.
        limit: usize,
    },
    /// Reading failed.
    Failed {
        /// The bytes that came before; they are the first of the buffer. A line that fails keeps them for the next read.
        got: usize,
        /// The cause.
        error: io::Error,
    },
}

impl ReadError {
    /// Whether the other end closed where a next piece would have begun: not a byte of it came.
    pub fn is_clean_end(&self) -> bool {
        matches!(self, Self::Ended { got: 0, .. })
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended { got, wanted } => {
                write!(f, "the other end closed after {got} of {wanted} bytes")
            }
            Self::LineTooLong { limit } => {
                write!(f, "expected a line of at most {limit} bytes, got more")
            }
            Self::Failed { got, error } => write!(f, "reading failed after {got} bytes: {error}"),
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::Ended { .. } | Self::LineTooLong { .. } => None,
        }
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        let kind = match &error {
            ReadError::Ended { .. } => io::ErrorKind::UnexpectedEof,
            ReadError::LineTooLong { .. } => io::ErrorKind::InvalidData,
            ReadError::Failed { error, .. } => error.kind(),
        };
        Self::new(kind, error)
    }
}

/// A write that failed before all was written.
#[derive(Debug)]
pub struct WriteError {
    /// The bytes that were written before.
    pub written: usize,
    /// The cause.
    pub error: io::Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "writing failed after {} bytes: {}", self.written, self.error)
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        Self::new(error.error.kind(), error)
    }
}

/// Whether a call is simply to be made again.
fn interrupted(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Interrupted
}

/// What a writer means that takes nothing.
fn takes_nothing() -> io::Error {
    io::Error::new(io::ErrorKind::WriteZero, "no byte was taken")
}
