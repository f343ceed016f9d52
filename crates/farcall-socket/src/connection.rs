//! One ordered pipe of bytes, whatever the transport.
//!
//! A connection moves bytes and keeps none: what was written is with the transport, and flushing is not needed.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::inherited::Inherited;
use crate::limits::WRITE_SLICES;
use crate::unix::BoundPath;
use crate::{Address, ConnectError, Connected, Endpoint, Options, Peer, Scheme, Socket};
use crate::{memory, tcp, unix};

/// One ordered pipe of bytes.
///
/// Shutting down half-closes: the other end reads the end of the bytes and can still answer. Dropping closes; bytes that
/// were not read by then make TCP tell the other end with a reset.
#[derive(Debug)]
pub struct Connection {
    pipe: Pipe,
    peer: Arc<Peer>,
    /// The file of this end, if it was bound to one.
    file: Option<Arc<BoundPath>>,
}

#[derive(Debug)]
pub(crate) enum Pipe {
    Tcp(TcpStream),
    Unix(UnixStream),
    Memory(DuplexStream),
}

impl Connection {
    pub(crate) fn new(pipe: Pipe, peer: Arc<Peer>) -> Self {
        Self { pipe, peer, file: None }
    }

    /// Takes a connected, non-blocking socket.
    pub(crate) fn from_socket(
        socket: socket2::Socket,
        is_unix: bool,
        peer: Arc<Peer>,
        file: Option<Arc<BoundPath>>,
    ) -> io::Result<Self> {
        let pipe = if is_unix {
            Pipe::Unix(UnixStream::from_std(OwnedFd::from(socket).into())?)
        } else {
            Pipe::Tcp(TcpStream::from_std(socket.into())?)
        };
        Ok(Self { pipe, peer, file })
    }

    /// The socket itself, for use without a runtime.
    ///
    /// # Errors
    /// `Unsupported` for a connection inside the process, which has no socket.
    pub fn into_blocking(self) -> io::Result<Socket<Connected>> {
        let socket = match self.pipe {
            Pipe::Tcp(stream) => OwnedFd::from(stream.into_std()?),
            Pipe::Unix(stream) => OwnedFd::from(stream.into_std()?),
            Pipe::Memory(_) => return Err(no_socket()),
        };
        Socket::from_async(socket.into(), &self.peer, self.file)
    }

    pub(crate) fn unix_stream(&self) -> io::Result<&UnixStream> {
        match &self.pipe {
            Pipe::Unix(stream) => Ok(stream),
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, "not a Unix connection")),
        }
    }

    /// The process at the other end of a Unix connection as a descriptor (Linux 6.5): its number cannot be given to
    /// another process meanwhile, and it becomes readable when the process ends.
    ///
    /// # Errors
    /// When this is no Unix connection, the kernel is older, or the process is gone.
    pub fn peer_process(&self) -> io::Result<OwnedFd> {
        match &self.pipe {
            Pipe::Tcp(stream) => unix::peer_process(stream),
            Pipe::Unix(stream) => unix::peer_process(stream),
            Pipe::Memory(_) => Err(no_socket()),
        }
    }

    /// Connects to the endpoint. The addresses of a name are tried in turn with a head start of 250 ms each (RFC 8305).
    ///
    /// A connection that is made may still wait in the listener's queue: it proves that somebody listens, not that
    /// somebody serves.
    ///
    /// # Errors
    /// [`ConnectError`] names the endpoint and lists every address that was tried, each with its cause.
    pub async fn connect(endpoint: &Endpoint, options: &Options) -> Result<Self, ConnectError> {
        let options = &endpoint.options(options);
        match (endpoint.scheme(), endpoint.name()) {
            (Scheme::Tcp | Scheme::Http, _) => tcp::connect(endpoint, options).await,
            (Scheme::Unix, _) => unix::connect(endpoint, options).await,
            (Scheme::Memory, Some(name)) => memory::connect(endpoint, name, options).await,
            (Scheme::Descriptor, _) => {
                let socket = Inherited::take(endpoint).and_then(Inherited::into_connected);
                let connection = socket.and_then(Socket::<Connected>::into_async);
                connection.map_err(|error| ConnectError::from_io(endpoint, error))
            }
            _ => Err(ConnectError::unsupported(endpoint)),
        }
    }

    /// Two ends of one pipe inside this process, 64 KiB each way.
    pub fn pair() -> (Self, Self) {
        memory::pair(None)
    }

    /// Who is at the other end.
    pub fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// The descriptor, for those who watch; `None` in memory. Whoever reads or writes through it mixes up the bytes.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match &self.pipe {
            Pipe::Tcp(stream) => Some(stream.as_fd()),
            Pipe::Unix(stream) => Some(stream.as_fd()),
            Pipe::Memory(_) => None,
        }
    }

    /// Where this end is. An accepted TCP connection has its listener's port.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn local(&self) -> io::Result<Address> {
        match &self.pipe {
            Pipe::Tcp(stream) => tcp::local(stream),
            Pipe::Unix(_) | Pipe::Memory(_) => Ok(self.peer.address().clone()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.pipe {
            Pipe::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Pipe::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            Pipe::Memory(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.pipe {
            Pipe::Tcp(stream) => poll_send(
                || stream.poll_write_ready(cx),
                || stream.try_io(Interest::WRITABLE, || send_bytes(stream, bytes)),
            ),
            Pipe::Unix(stream) => poll_send(
                || stream.poll_write_ready(cx),
                || stream.try_io(Interest::WRITABLE, || send_bytes(stream, bytes)),
            ),
            Pipe::Memory(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let slices = &slices[..slices.len().min(WRITE_SLICES)];
        match &mut self.pipe {
            Pipe::Tcp(stream) => poll_send(
                || stream.poll_write_ready(cx),
                || stream.try_io(Interest::WRITABLE, || send_slices(stream, slices)),
            ),
            Pipe::Unix(stream) => poll_send(
                || stream.poll_write_ready(cx),
                || stream.try_io(Interest::WRITABLE, || send_slices(stream, slices)),
            ),
            Pipe::Memory(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.pipe {
            Pipe::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Pipe::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Pipe::Memory(stream) => Pin::new(stream).poll_shutdown(cx),
        }
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

fn no_socket() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "a connection inside the process has no socket")
}

fn send_bytes(socket: &impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(socket, bytes, SendFlags::NOSIGNAL)?)
}

fn send_slices(socket: &impl AsFd, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut no_control = SendAncillaryBuffer::default();
    Ok(sendmsg(socket, slices, &mut no_control, SendFlags::NOSIGNAL)?)
}
