//! Robust reads and writes that wait in place, over [`std::io::Read`] and [`std::io::Write`].
//!
//! ```
//! use farcall_socket::robust::blocking::Buffered;
//! use std::io::Write;
//! use std::os::unix::net::UnixStream;
//!
//! let (mut client, server) = UnixStream::pair()?;
//! client.write_all(b"5\nhello")?;
//! let mut server = Buffered::new(server);
//! let line = server.read_line()?.unwrap();
//! let mut word = vec![0; line.trim_ascii_end().len() * 5];
//! server.read_exactly(&mut word)?; // a line, then counted bytes: none is lost in between
//! assert_eq!(word, b"hello");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

use std::io::{self, BufRead, Read, Write};

pub use super::connect::{connect, wait_connected};

use super::buffer::{Buffer, Line};
use super::{ReadError, WriteError, interrupted, takes_nothing};

/// Fills the whole buffer.
///
/// # Errors
/// [`ReadError::Ended`] with the short count when the other end closed before, [`ReadError::Failed`] when reading failed.
/// The bytes that came are the first of the buffer.
pub fn read_exactly(source: &mut impl Read, buffer: &mut [u8]) -> Result<(), ReadError> {
    read_rest(source, buffer, 0)
}

/// [`read_exactly`] of a buffer that has its first bytes already.
fn read_rest(source: &mut impl Read, buffer: &mut [u8], mut got: usize) -> Result<(), ReadError> {
    let wanted = buffer.len();
    while got < wanted {
        match source.read(&mut buffer[got..]) {
            Ok(0) => return Err(ReadError::Ended { got, wanted }),
            Ok(count) => got += count,
            Err(error) if interrupted(&error) => {}
            Err(error) => return Err(ReadError::Failed { got, error }),
        }
    }
    Ok(())
}

/// Writes all bytes.
///
/// # Errors
/// [`WriteError`] says how many were written before it failed.
pub fn write_all(target: &mut impl Write, bytes: &[u8]) -> Result<(), WriteError> {
    let mut written = 0;
    while written < bytes.len() {
        match target.write(&bytes[written..]) {
            Ok(0) => return Err(WriteError { written, error: takes_nothing() }),
            Ok(count) => written += count,
            Err(error) if interrupted(&error) => {}
            Err(error) => return Err(WriteError { written, error }),
        }
    }
    Ok(())
}

/// A stream with a buffer for what was read too early, so that lines and counted bytes can be read in turns.
///
/// Writes go through at once. The buffer begins with 1 KiB and grows with what comes; see [`Buffered::line_limit`].
#[derive(Debug)]
pub struct Buffered<S> {
    stream: S,
    buffer: Buffer,
}

impl<S> Buffered<S> {
    /// Nothing is read yet.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Buffer::new() }
    }

    /// Changes how long a line may be, in bytes with its end. Default 64 KiB: the other end chooses how much memory a line
    /// takes.
    #[must_use]
    pub fn line_limit(mut self, bytes: usize) -> Self {
        self.buffer.set_line_limit(bytes);
        self
    }

    /// What was read from the stream and not asked for yet.
    pub fn buffered(&self) -> &[u8] {
        self.buffer.unread()
    }

    /// The stream. What is read from it directly comes after what is buffered.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream. What is read from it directly comes after what is buffered.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream, and what was read from it and not asked for yet.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        let unread = self.buffer.unread().to_vec();
        (self.stream, unread)
    }
}

impl<S: Read> Buffered<S> {
    /// Fills the whole buffer.
    ///
    /// # Errors
    /// As [`read_exactly`].
    pub fn read_exactly(&mut self, buffer: &mut [u8]) -> Result<(), ReadError> {
        let (mut got, wanted) = (self.buffer.take_into(buffer), buffer.len());
        while got < wanted {
            if Buffer::is_large(wanted - got) {
                return read_rest(&mut self.stream, buffer, got);
            }
            match self.fill() {
                Ok(0) => return Err(ReadError::Ended { got, wanted }),
                Ok(_) => got += self.buffer.take_into(&mut buffer[got..]),
                Err(error) => return Err(ReadError::Failed { got, error }),
            }
        }
        Ok(())
    }

    /// The next line with its `\n`, or `None` at the end. Bytes behind the last `\n` are a line without one.
    ///
    /// # Errors
    /// [`ReadError::LineTooLong`], and [`ReadError::Failed`]; what came of the line waits in the buffer.
    pub fn read_line(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        loop {
            match self.buffer.line() {
                Line::Whole(length) => return Ok(Some(self.buffer.take(length))),
                Line::TooLong => {
                    return Err(ReadError::LineTooLong { limit: self.buffer.line_limit() });
                }
                Line::Partial => {}
            }
            let got = self.buffer.unread().len();
            match self.fill() {
                Ok(0) if got == 0 => return Ok(None),
                Ok(0) => return Ok(Some(self.buffer.take(got))),
                Ok(_) => {}
                Err(error) => return Err(ReadError::Failed { got, error }),
            }
        }
    }

    /// Reads once into the buffer; 0 is the end.
    fn fill(&mut self) -> io::Result<usize> {
        loop {
            match self.stream.read(self.buffer.room()) {
                Ok(count) => {
                    self.buffer.filled(count);
                    return Ok(count);
                }
                Err(error) if interrupted(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<S: Write> Buffered<S> {
    /// Writes all bytes, at once.
    ///
    /// # Errors
    /// As [`write_all`].
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        write_all(&mut self.stream, bytes)
    }
}

impl<S: Read> Read for Buffered<S> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.buffer.unread().is_empty() && Buffer::is_large(to.len()) {
            return self.stream.read(to);
        }
        self.fill_buf()?;
        Ok(self.buffer.take_into(to))
    }
}

impl<S: Read> BufRead for Buffered<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffer.unread().is_empty() {
            self.fill()?;
        }
        Ok(self.buffer.unread())
    }

    fn consume(&mut self, count: usize) {
        self.buffer.consume(count);
    }
}

impl<S: Write> Write for Buffered<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
