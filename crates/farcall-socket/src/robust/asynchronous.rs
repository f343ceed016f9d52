//! Robust reads and writes that let other tasks run, over [`AsyncRead`] and [`AsyncWrite`].
//!
//! Dropping a future of [`Buffered`] loses no byte: what came before stays in the buffer. So a line can be waited for beside
//! other things, and with a time limit. Dropping a future of [`read_exactly`] does lose what came before, and dropping a
//! write leaves open how much was written.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use farcall_socket::Connection;
//! use farcall_socket::robust::asynchronous::{Buffered, write_all};
//!
//! let (mut client, server) = Connection::pair();
//! write_all(&mut client, b"first\nsecond").await?;
//! drop(client);
//! let mut server = Buffered::new(server);
//! assert_eq!(server.read_line().await?.unwrap(), b"first\n");
//! assert_eq!(server.read_line().await?.unwrap(), b"second");
//! assert!(server.read_line().await?.is_none());
//! # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
//! ```

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::buffer::{Buffer, Line};
use super::{ReadError, WriteError, interrupted, takes_nothing};

/// Fills the whole buffer.
///
/// # Errors
/// [`ReadError::Ended`] with the short count when the other end closed before, [`ReadError::Failed`] when reading failed.
/// The bytes that came are the first of the buffer.
pub async fn read_exactly(
    source: &mut (impl AsyncRead + Unpin),
    buffer: &mut [u8],
) -> Result<(), ReadError> {
    let (mut got, wanted) = (0, buffer.len());
    while got < wanted {
        match source.read(&mut buffer[got..]).await {
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
pub async fn write_all(
    target: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
) -> Result<(), WriteError> {
    let mut written = 0;
    while written < bytes.len() {
        match target.write(&bytes[written..]).await {
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

impl<S: AsyncRead + Unpin> Buffered<S> {
    /// Fills the whole buffer. Dropping the future loses no byte: the buffer is filled when all bytes are there.
    ///
    /// # Errors
    /// As [`read_exactly`].
    pub async fn read_exactly(&mut self, buffer: &mut [u8]) -> Result<(), ReadError> {
        let wanted = buffer.len();
        let ended = loop {
            if self.buffer.unread().len() >= wanted {
                break Ok(());
            }
            match self.fill().await {
                Ok(0) => break Err(None),
                Ok(_) => {}
                Err(error) => break Err(Some(error)),
            }
        };
        let got = self.buffer.take_into(buffer);
        ended.map_err(|error| match error {
            None => ReadError::Ended { got, wanted },
            Some(error) => ReadError::Failed { got, error },
        })
    }

    /// The next line with its `\n`, or `None` at the end. Bytes behind the last `\n` are a line without one. Dropping the
    /// future loses no byte.
    ///
    /// # Errors
    /// [`ReadError::LineTooLong`], and [`ReadError::Failed`]; what came of the line waits in the buffer.
    pub async fn read_line(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        loop {
            match self.buffer.line() {
                Line::Whole(length) => return Ok(Some(self.buffer.take(length))),
                Line::TooLong => {
                    return Err(ReadError::LineTooLong { limit: self.buffer.line_limit() });
                }
                Line::Partial => {}
            }
            let got = self.buffer.unread().len();
            match self.fill().await {
                Ok(0) if got == 0 => return Ok(None),
                Ok(0) => return Ok(Some(self.buffer.take(got))),
                Ok(_) => {}
                Err(error) => return Err(ReadError::Failed { got, error }),
            }
        }
    }

    /// Reads once into the buffer; 0 is the end.
    async fn fill(&mut self) -> io::Result<usize> {
        loop {
            match self.stream.read(self.buffer.room()).await {
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

impl<S: AsyncWrite + Unpin> Buffered<S> {
    /// Writes all bytes, at once.
    ///
    /// # Errors
    /// As [`write_all`].
    pub async fn write_all(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        write_all(&mut self.stream, bytes).await
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Buffered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.buffer.unread().is_empty() && Buffer::is_large(to.remaining()) {
            return Pin::new(&mut self.stream).poll_read(cx, to);
        }
        let unread = ready!(self.as_mut().poll_fill_buf(cx))?;
        let count = unread.len().min(to.remaining());
        to.put_slice(&unread[..count]);
        self.buffer.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncBufRead for Buffered<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.buffer.unread().is_empty() {
            let mut room = ReadBuf::new(this.buffer.room());
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut room))?;
            let count = room.filled().len();
            this.buffer.filled(count);
        }
        Poll::Ready(Ok(this.buffer.unread()))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        self.buffer.consume(count);
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Buffered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
