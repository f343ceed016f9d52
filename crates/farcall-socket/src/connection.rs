//! One ordered pipe of bytes, whatever the transport.
//!
//! A connection never looks at its bytes. It keeps none but those that were put back with [`Connection::unread`].

use std::io::{self, IoSlice};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::inherited::Inherited;
use crate::pipe::{Foreign, Pipe};
use crate::unix::BoundPath;
use crate::{Address, ConnectError, Connected, Endpoint, Options, Peer, Scheme, Socket};
use crate::{memory, tcp, unix};

/// One ordered pipe of bytes.
///
/// Shutting down half-closes: the other end reads the end of the bytes and can still answer. Dropping closes; bytes that
/// were not read by then make TCP tell the other end with a reset.
///
/// What was written to a socket is with the kernel, and flushing does nothing. TLS keeps what the socket did not take, 64
/// KiB at most, and sends it with whatever is done next: a read, a write, a flush or a shutdown. So flush after a batch
/// and shut down before dropping; then every kind of connection is right.
#[derive(Debug)]
pub struct Connection {
    pipe: Pipe,
    peer: Arc<Peer>,
    /// The file of this end, if it was bound to one.
    file: Option<Arc<BoundPath>>,
    /// Bytes that were put back; they are read first.
    unread: Bytes,
}

impl Connection {
    pub(crate) fn new(pipe: Pipe, peer: Arc<Peer>) -> Self {
        Self { pipe, peer, file: None, unread: Bytes::new() }
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
        Ok(Self { file, ..Self::new(pipe, peer) })
    }

    /// Any pipe as a connection: a tunnel, an upgraded HTTP connection, a test's own. It has no descriptor.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use farcall_socket::{Address, Connection, Peer};
    ///
    /// let (ours, _theirs) = tokio::io::duplex(1024);
    /// let connection = Connection::from_stream(ours, Arc::new(Peer::from(Address::Unnamed)));
    /// assert_eq!(connection.peer().to_string(), "unnamed");
    /// ```
    pub fn from_stream(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        peer: Arc<Peer>,
    ) -> Self {
        Self::new(Pipe::Foreign(Foreign::new(stream)), peer)
    }

    /// The socket itself, for use without a runtime.
    ///
    /// # Errors
    /// `Unsupported` where the socket is not all there is: inside the process, a foreign stream, TLS, and after
    /// [`Connection::unread`] while there are such bytes, because they would be lost.
    pub fn into_blocking(self) -> io::Result<Socket<Connected>> {
        if self.has_unread() {
            return Err(unsupported("bytes that were put back are not in the socket"));
        }
        let socket = match self.pipe {
            Pipe::Tcp(stream) => OwnedFd::from(stream.into_std()?),
            Pipe::Unix(stream) => OwnedFd::from(stream.into_std()?),
            _ => return Err(no_socket()),
        };
        Socket::from_async(socket.into(), &self.peer, self.file)
    }

    pub(crate) fn unix_stream(&self) -> io::Result<&UnixStream> {
        match &self.pipe {
            Pipe::Unix(stream) => Ok(stream),
            _ => Err(unsupported("not a Unix connection")),
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
            Pipe::Memory(_) | Pipe::Foreign(_) => Err(no_socket()),
            #[cfg(feature = "tls")]
            Pipe::Tls(session) => session.transport().peer_process(),
        }
    }

    /// Connects to the endpoint. The addresses of a name are tried in turn with a head start of 250 ms each (RFC 8305).
    ///
    /// This is the transport alone. For a scheme with [`Scheme::is_tls`] it is the TCP connection on which TLS is to be
    /// spoken, and nothing is encrypted before `ClientTls::connect` has taken it.
    ///
    /// A connection that is made may still wait in the listener's queue: it proves that somebody listens, not that
    /// somebody serves.
    ///
    /// # Errors
    /// [`ConnectError`] names the endpoint and lists every address that was tried, each with its cause.
    pub async fn connect(endpoint: &Endpoint, options: &Options) -> Result<Self, ConnectError> {
        let options = &endpoint.options(options);
        match (endpoint.scheme(), endpoint.name()) {
            (scheme, _) if scheme.is_tcp() => tcp::connect(endpoint, options).await,
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

    /// Who is at the other end. Over TLS it knows the other end's verified certificates, too.
    pub fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// What the TLS handshake came to; `None` where there is no TLS.
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<&crate::tls::TlsInfo> {
        match &self.pipe {
            Pipe::Tls(session) => Some(session.info()),
            _ => None,
        }
    }

    /// Puts bytes back, in front of all that is still to be read: for those who had to read to know what this is.
    ///
    /// Only reads of the connection itself see them. [`Connection::descriptor`] does not turn readable because of them,
    /// and [`Connection::into_blocking`] and [`Connection::receive_descriptors`] refuse while there are any.
    pub fn unread(&mut self, bytes: Bytes) {
        if self.unread.is_empty() {
            self.unread = bytes;
        } else if !bytes.is_empty() {
            let mut all = BytesMut::with_capacity(bytes.len() + self.unread.len());
            all.extend_from_slice(&bytes);
            all.extend_from_slice(&self.unread);
            self.unread = all.freeze();
        }
    }

    pub(crate) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// The descriptor, for those who watch; `None` in memory and for a foreign stream. Whoever reads or writes through it
    /// mixes up the bytes. Under TLS it is the socket's, which says little about the bytes inside.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.descriptor()
    }

    /// Where this end is. An accepted TCP connection has its listener's port. A foreign stream does not know, and gives
    /// the address of its peer.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn local(&self) -> io::Result<Address> {
        match &self.pipe {
            Pipe::Tcp(stream) => tcp::local(stream),
            Pipe::Unix(_) | Pipe::Memory(_) | Pipe::Foreign(_) => Ok(self.peer.address().clone()),
            #[cfg(feature = "tls")]
            Pipe::Tls(session) => session.transport().local(),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            return Pin::new(&mut self.pipe).poll_read(cx, buffer);
        }
        let count = self.unread.len().min(buffer.remaining());
        buffer.put_slice(&self.unread[..count]);
        self.unread.advance(count);
        if self.unread.is_empty() {
            // An empty slice can still hold the memory that it was cut from.
            self.unread = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.pipe.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}

fn no_socket() -> io::Error {
    unsupported(
        "a connection in memory, of a foreign stream or under TLS is more or less than a socket",
    )
}

fn unsupported(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, text)
}
