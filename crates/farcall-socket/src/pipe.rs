//! What a connection is made of: a socket, memory, a pipe that somebody brought along, or TLS over one of these.
//!
//! A pipe knows how its bytes are moved, and nothing else: who is at the other end is the connection's.

use std::fmt;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::limits::WRITE_SLICES;

#[derive(Debug)]
pub(crate) enum Pipe {
    Tcp(TcpStream),
    Unix(UnixStream),
    Memory(DuplexStream),
    Foreign(Foreign),
    #[cfg(feature = "tls")]
    Tls(Box<crate::tls::Session>),
}

impl Pipe {
    /// The descriptor of the socket that carries the bytes, however they are wrapped.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Tcp(stream) => Some(stream.as_fd()),
            Self::Unix(stream) => Some(stream.as_fd()),
            Self::Memory(_) | Self::Foreign(_) => None,
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.transport().descriptor(),
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Memory(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Foreign(stream) => stream.pin().poll_read(cx, buffer),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => poll_send(
                || stream.poll_write_ready(cx),
                || stream.try_io(Interest::WRITABLE, || send_bytes(stream, bytes)),
            ),
            Self::Unix(stream) => poll_send(
                || stream.poll_write_ready(cx),
                || stream.try_io(Interest::WRITABLE, || send_bytes(stream, bytes)),
            ),
            Self::Memory(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Foreign(stream) => stream.pin().poll_write(cx, bytes),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.poll_write(cx, &[IoSlice::new(bytes)]),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let slices = &slices[..slices.len().min(WRITE_SLICES)];
        match self.get_mut() {
            Self::Tcp(stream) => poll_send(
                || stream.poll_write_ready(cx),
                || stream.try_io(Interest::WRITABLE, || send_slices(stream, slices)),
            ),
            Self::Unix(stream) => poll_send(
                || stream.poll_write_ready(cx),
                || stream.try_io(Interest::WRITABLE, || send_slices(stream, slices)),
            ),
            Self::Memory(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Foreign(stream) => stream.pin().poll_write_vectored(cx, slices),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.poll_write(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Foreign(stream) => stream.is_write_vectored,
            _ => true,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(_) | Self::Unix(_) | Self::Memory(_) => Poll::Ready(Ok(())),
            Self::Foreign(stream) => stream.pin().poll_flush(cx),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Memory(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Foreign(stream) => stream.pin().poll_shutdown(cx),
            #[cfg(feature = "tls")]
            Self::Tls(session) => session.poll_shutdown(cx),
        }
    }
}

/// A pipe of somebody else's making.
pub(crate) struct Foreign {
    /// Never locked: the lock only makes a stream that one thread at a time may hold fit for a connection that many may
    /// look at.
    stream: Mutex<Box<dyn Duplex>>,
    is_write_vectored: bool,
}

pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Foreign {
    pub(crate) fn new(stream: impl Duplex + 'static) -> Self {
        let is_write_vectored = stream.is_write_vectored();
        Self { stream: Mutex::new(Box::new(stream)), is_write_vectored }
    }

    fn pin(&mut self) -> Pin<&mut dyn Duplex> {
        Pin::new(self.stream.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut())
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Foreign")
    }
}

/// Sends once the socket is ready, and again after an interruption or when the readiness was out of date.
fn poll_send(
    mut poll_ready: impl FnMut() -> Poll<io::Result<()>>,
    mut send: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(poll_ready())?;
        match send() {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            sent => return Poll::Ready(sent),
        }
    }
}

// A program that did not tell the system to ignore SIGPIPE would be killed by a write to a closed connection, and a
// library cannot decide that for its program. So sockets are written to with MSG_NOSIGNAL, which tokio does not promise.

fn send_bytes(socket: &impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(socket, bytes, SendFlags::NOSIGNAL)?)
}

fn send_slices(socket: &impl AsFd, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut no_control = SendAncillaryBuffer::default();
    Ok(sendmsg(socket, slices, &mut no_control, SendFlags::NOSIGNAL)?)
}
