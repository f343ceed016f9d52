//! The life of a socket, as the textbook draws it, in types: what a socket cannot do in its state does not compile.
//!
//! ```text
//!                    bind               listen
//!  Socket<Unbound> ------> Socket<Bound> ------> Socket<Listening>
//!        |                       |                      | accept
//!        '------- connect -------'----> Socket<Connected> <--'
//! ```
//!
//! Each step takes the socket and gives it back in its next state. A bind or listen that fails gives it back as it was,
//! in [`Failed`]. Sockets block here, and need no runtime; [`Socket::into_async`] makes a [`crate::Listener`] or
//! [`crate::Connection`] of them, which are made of these very types themselves.
//!
//! A socket is of one kind from its beginning: [`Stream`], [`SeqPacket`] or [`Datagram`]. Datagram sockets have the same
//! life without listen and accept; nothing in this module sends a datagram. Sockets of packets become [`Watched`] ones.

mod bound;
mod connected;
mod listening;
mod reach;
mod unbound;
mod watched;

use std::error::Error;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use socket2::{Domain, SockAddr, Type};

pub use bound::Bound;
pub use connected::Connected;
pub use listening::Listening;
use unbound::Connecting;
pub use unbound::Unbound;
pub(crate) use unbound::{is_own_echo, through};
pub use watched::Watched;

use crate::sockaddr::{Sockaddr, SockaddrUn};

/// An open socket: one descriptor, in the state `S` of its life.
///
/// ```
/// use std::io::{Read, Write};
/// use farcall_socket::{Family, Options, Socket};
///
/// let socket = Socket::stream(Family::Ipv4, &Options::default())?;
/// let listening = socket.bind(&"127.0.0.1:0".parse()?)?.listen()?;
///
/// let socket = Socket::stream(Family::Ipv4, &Options::default())?;
/// let mut client = socket.connect(&listening.local()?)?;
/// let mut server = listening.accept()?;
///
/// server.write_all(b"hello")?;
/// drop(server);
/// let mut text = String::new();
/// client.read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Dropping closes the descriptor. It is close-on-exec, and a file that bind made goes with it.
#[derive(Debug)]
pub struct Socket<S, K = Stream> {
    // Dropped before the descriptor: as long as the file is there somebody must answer.
    state: S,
    raw: socket2::Socket,
    kind: PhantomData<fn() -> K>,
}

/// Bytes in order, without borders: TCP, and Unix stream sockets.
#[derive(Clone, Copy, Debug)]
pub struct Stream;

/// Messages in order, each with its borders; Unix only.
#[derive(Clone, Copy, Debug)]
pub struct SeqPacket;

/// Messages with borders; UDP, where they may be lost or come in another order, and Unix.
#[derive(Clone, Copy, Debug)]
pub struct Datagram;

/// What a socket's addresses look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `127.0.0.1:80`
    Ipv4,
    /// `[::1]:80`
    Ipv6,
    /// `/run/x.sock`, or `@name` for an abstract name.
    Unix,
}

impl Family {
    fn domain(self) -> Domain {
        match self {
            Self::Ipv4 => Domain::IPV4,
            Self::Ipv6 => Domain::IPV6,
            Self::Unix => Domain::UNIX,
        }
    }
}

impl From<SocketAddr> for Family {
    fn from(address: SocketAddr) -> Self {
        if address.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }
}

impl From<&Sockaddr> for Family {
    fn from(address: &Sockaddr) -> Self {
        address.socket_address().map_or(Self::Unix, Self::from)
    }
}

/// A step that failed, with the socket as it was before.
///
/// ```
/// use farcall_socket::{Family, Options, Socket};
///
/// let socket = Socket::stream(Family::Ipv4, &Options::default())?;
/// let first = socket.bind(&"127.0.0.1:0".parse()?)?;
/// let socket = Socket::stream(Family::Ipv4, &Options::default())?;
/// let first = first.listen()?;
/// let (error, socket) = socket.bind(&first.local()?).unwrap_err().into_parts();
/// assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
/// socket.bind(&"127.0.0.1:0".parse()?)?; // another port, the same socket
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Failed<T> {
    error: io::Error,
    socket: T,
}

impl<T> Failed<T> {
    /// Why.
    pub fn error(&self) -> &io::Error {
        &self.error
    }

    /// The socket, for another try.
    pub fn into_socket(self) -> T {
        self.socket
    }

    /// Why, and the socket for another try.
    pub fn into_parts(self) -> (io::Error, T) {
        (self.error, self.socket)
    }
}

impl<T> fmt::Debug for Failed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> fmt::Display for Failed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> Error for Failed<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl<T> From<Failed<T>> for io::Error {
    fn from(failed: Failed<T>) -> Self {
        failed.error
    }
}

impl<S, K> Socket<S, K> {
    fn new(raw: socket2::Socket, state: S) -> Self {
        Self { state, raw, kind: PhantomData }
    }

    /// The address of this end. All zero before the socket was bound or connected; without a name on Unix.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn local(&self) -> io::Result<Sockaddr> {
        name_from_kernel(&self.raw.local_addr()?)
    }

    /// The same socket in another state.
    fn step<T>(self, next: impl FnOnce(S) -> T) -> Socket<T, K> {
        Socket::new(self.raw, next(self.state))
    }

    /// IP options and name spaces depend on it.
    fn family(&self) -> io::Result<Family> {
        match self.raw.domain()? {
            Domain::IPV4 => Ok(Family::Ipv4),
            Domain::IPV6 => Ok(Family::Ipv6),
            Domain::UNIX => Ok(Family::Unix),
            _ => Err(invalid("a socket of another family than IPv4, IPv6 and Unix")),
        }
    }
}

impl<S, K> AsFd for Socket<S, K> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.raw.as_fd()
    }
}

impl<S, K> AsRawFd for Socket<S, K> {
    fn as_raw_fd(&self) -> RawFd {
        self.raw.as_raw_fd()
    }
}

/// The socket types of the three kinds. Sealed: the kernel knows no other that fits.
pub(crate) trait Kind {
    const TYPE: Type;
}

impl Kind for Stream {
    const TYPE: Type = Type::STREAM;
}

impl Kind for SeqPacket {
    const TYPE: Type = Type::SEQPACKET;
}

impl Kind for Datagram {
    const TYPE: Type = Type::DGRAM;
}

fn name_from_kernel(name: &SockAddr) -> io::Result<Sockaddr> {
    if let Some(address) = name.as_socket() {
        return Ok(address.into());
    }
    let name = match (name.as_pathname(), name.as_abstract_namespace()) {
        (Some(path), _) => SockaddrUn::from_path(path)?,
        (None, Some(name)) => SockaddrUn::from_abstract(name)?,
        (None, None) => SockaddrUn::unnamed(),
    };
    Ok(name.into())
}

fn name_for_kernel(address: &Sockaddr) -> io::Result<SockAddr> {
    match address {
        Sockaddr::Un(name) => match (name.path(), name.abstract_name()) {
            (Some(path), _) => SockAddr::unix(path),
            (None, Some(name)) => {
                let mut path = vec![0];
                path.extend_from_slice(name);
                SockAddr::unix(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&path))
            }
            (None, None) => Err(invalid("a Unix socket needs a path or a name")),
        },
        Sockaddr::In(address) => Ok(std::net::SocketAddrV4::from(*address).into()),
        Sockaddr::In6(address) => Ok(std::net::SocketAddrV6::from(*address).into()),
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

fn owned(raw: socket2::Socket) -> OwnedFd {
    raw.into()
}
