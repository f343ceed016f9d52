//! Datagrams: messages that keep their borders, over UDP and Unix sockets.
//!
//! UDP may lose a datagram, deliver it twice or out of order, and says nothing about it; Unix sockets do none of that.
//! Nothing here numbers, confirms or repeats.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::PollFlags;
use rustix::net::{RecvFlags, SendFlags, SocketAddrAny, SocketAddrUnix, recvfrom, send, sendto};
use socket2::{SockRef, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::batch::DatagramBatch;
use crate::error::{Attempt, BindError, BindErrorKind, ConnectError, ConnectErrorKind};
use crate::lifecycle::{Bound, Datagram, Family, Socket};
use crate::limits::UNIX_QUEUE_PAUSE;
use crate::resolve::{addresses, addresses_in_place};
use crate::sockaddr::{Sockaddr, SockaddrUn};
use crate::sys::watch::watch;
use crate::unix::BoundPath;
use crate::wait::{self, Deadline};
use crate::{Endpoint, Options, Scheme, robust, udp};

/// A socket that sends and receives datagrams: `udp://host:port`, or a Unix path or name.
///
/// Each datagram arrives whole or not at all, and one send is one receive. The calls wait without blocking the runtime;
/// [`DatagramSocket::blocking`] has the same ones for a program without a runtime. Many tasks and threads may share the
/// socket.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use farcall_socket::{DatagramSocket, Options};
///
/// let options = Options::default();
/// let server = DatagramSocket::bind(&"udp://127.0.0.1:0".parse()?, &options).await?;
/// let client = DatagramSocket::bind(&"udp://127.0.0.1:0".parse()?, &options).await?;
/// let client = client.connect_to(&server.local()?)?;
///
/// client.send(b"far").await?;
/// client.send(b"call").await?;
/// let mut buffer = [0; 1500];
/// let first = server.receive(&mut buffer).await?;
/// assert_eq!(&buffer[..first.length], b"far"); // one send, one receive
/// server.send_to(b"heard", &first.from).await?;
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct DatagramSocket {
    // Dropped before the descriptor: it takes the descriptor off the runtime's watch.
    watch: OnceCell<AsyncFd<Arc<OwnedFd>>>,
    /// Dropped before the descriptor, too: as long as the file is there somebody must receive.
    _file: Option<BoundPath>,
    socket: Arc<OwnedFd>,
    is_udp: bool,
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its length in bytes; 0 is a datagram too.
    pub length: usize,
    /// Who sent it: where an answer goes. A Unix socket that was not bound has no name to answer to.
    pub from: Sockaddr,
}

/// A datagram that was longer than the buffer. What did not fit is lost, and the datagram is gone.
///
/// It is the inner error of an [`io::Error`] of kind `InvalidData`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatagramTooLong {
    /// Its length in bytes.
    pub length: usize,
    /// The buffer's.
    pub room: usize,
}

impl fmt::Display for DatagramTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { length, room } = self;
        write!(f, "expected a datagram of at most {room} bytes, got {length}")
    }
}

impl Error for DatagramTooLong {}

impl From<DatagramTooLong> for io::Error {
    fn from(error: DatagramTooLong) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

impl DatagramSocket {
    /// Binds to the endpoint: to receive what anybody sends there. Port 0 takes a free port; a name is bound at the first
    /// of its addresses that can be had.
    ///
    /// # Errors
    /// [`BindError`] names the endpoint and the cause.
    pub async fn bind(endpoint: &Endpoint, options: &Options) -> Result<Self, BindError> {
        let found = if is_ip(endpoint) { Some(addresses(endpoint).await) } else { None };
        bind(endpoint, options, found)
    }

    /// [`DatagramSocket::bind`] for a program without a runtime.
    ///
    /// # Errors
    /// As [`DatagramSocket::bind`].
    pub fn bind_blocking(endpoint: &Endpoint, options: &Options) -> Result<Self, BindError> {
        bind(endpoint, options, is_ip(endpoint).then(|| addresses_in_place(endpoint)))
    }

    /// Connects to the endpoint: the socket then sends there and receives from there only. Nothing is sent by that, so
    /// that it proves nothing about the other end. A name leads to the first of its addresses that has a route.
    ///
    /// A Unix socket that connects has no name to be answered at; bind it first, then use
    /// [`DatagramSocket::connect_to`].
    ///
    /// # Errors
    /// [`ConnectError`] names the endpoint and lists every address that was tried, each with its cause.
    pub async fn connect(endpoint: &Endpoint, options: &Options) -> Result<Self, ConnectError> {
        let found = if is_ip(endpoint) { Some(addresses(endpoint).await) } else { None };
        connect(endpoint, options, found)
    }

    /// [`DatagramSocket::connect`] for a program without a runtime.
    ///
    /// # Errors
    /// As [`DatagramSocket::connect`].
    pub fn connect_blocking(endpoint: &Endpoint, options: &Options) -> Result<Self, ConnectError> {
        connect(endpoint, options, is_ip(endpoint).then(|| addresses_in_place(endpoint)))
    }

    /// Connects a bound socket to an address, or a connected one to another.
    ///
    /// # Errors
    /// When no route leads there, or nobody has the Unix path or name.
    pub fn connect_to(self, address: &Sockaddr) -> io::Result<Self> {
        robust::blocking::connect(&self.socket, address)?;
        Ok(self)
    }

    /// Takes a datagram socket that was opened elsewhere, and makes it non-blocking.
    ///
    /// # Errors
    /// When it is a socket of another kind.
    pub fn from_descriptor(socket: OwnedFd) -> io::Result<Self> {
        Self::new(socket, None)
    }

    fn new(socket: OwnedFd, file: Option<BoundPath>) -> io::Result<Self> {
        let known = SockRef::from(&socket);
        if known.r#type()? != Type::DGRAM {
            let text = "expected a datagram socket, got one of another kind";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        known.set_nonblocking(true)?;
        let is_udp = known.domain()? != socket2::Domain::UNIX;
        Ok(Self { watch: OnceCell::new(), _file: file, socket: Arc::new(socket), is_udp })
    }

    /// The address of this end.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn local(&self) -> io::Result<Sockaddr> {
        sockaddr(rustix::net::getsockname(&self.socket)?)
    }

    /// The address that the socket is connected to.
    ///
    /// # Errors
    /// `NotConnected` when it is not.
    pub fn remote(&self) -> io::Result<Sockaddr> {
        match rustix::net::getpeername(&self.socket)? {
            Some(address) => sockaddr(address),
            None => Ok(SockaddrUn::unnamed().into()),
        }
    }

    /// Begins to receive what is sent to a multicast group, on the interface of this number; 0 leaves it to the routes.
    ///
    /// # Errors
    /// When the address is no group, or the interface does not exist or cannot.
    pub fn join(&self, group: IpAddr, interface: u32) -> io::Result<()> {
        udp::join(&SockRef::from(&self.socket), group, interface)
    }

    /// Ends [`DatagramSocket::join`].
    ///
    /// # Errors
    /// When the socket was no member.
    pub fn leave(&self, group: IpAddr, interface: u32) -> io::Result<()> {
        udp::leave(&SockRef::from(&self.socket), group, interface)
    }

    /// Sends one datagram to the address that the socket is connected to. Waits while the send buffer, or the queue of a
    /// Unix receiver, is full.
    ///
    /// # Errors
    /// When it is too long, or nobody receives there; UDP may say so about an earlier datagram.
    pub async fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.ready(Interest::WRITABLE, || self.try_send(bytes)).await
    }

    /// Sends one datagram to an address.
    ///
    /// # Errors
    /// As [`DatagramSocket::send`]; and when the address is a broadcast address without [`Options::broadcast`].
    pub async fn send_to(&self, bytes: &[u8], to: &Sockaddr) -> io::Result<()> {
        self.ready(Interest::WRITABLE, || self.try_send_to(bytes, to)).await
    }

    /// Receives one datagram into the buffer. Dropping the future loses none.
    ///
    /// # Errors
    /// [`DatagramTooLong`] when the datagram is longer than the buffer; on a connected UDP socket `ConnectionRefused` when
    /// nobody receives at the other end.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.ready(Interest::READABLE, || self.try_receive(buffer)).await
    }

    /// The same calls for a program without a runtime: they block the thread.
    pub fn blocking(&self) -> BlockingDatagrams<'_> {
        BlockingDatagrams { socket: self }
    }

    /// The same calls, many datagrams to a system call: for whoever sends or receives tens of thousands per second.
    pub fn batched(self) -> DatagramBatch {
        DatagramBatch::new(self)
    }

    pub(crate) fn is_udp(&self) -> bool {
        self.is_udp
    }

    fn try_send(&self, bytes: &[u8]) -> io::Result<()> {
        send(&self.socket, bytes, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    fn try_send_to(&self, bytes: &[u8], to: &Sockaddr) -> io::Result<()> {
        let flags = SendFlags::NOSIGNAL;
        match (to.socket_address(), to) {
            (Some(to), _) => sendto(&self.socket, bytes, flags, &to)?,
            (None, Sockaddr::Un(to)) => {
                let to = match (to.path(), to.abstract_name()) {
                    (Some(path), _) => SocketAddrUnix::new(path)?,
                    (None, Some(name)) => SocketAddrUnix::new_abstract_name(name)?,
                    (None, None) => {
                        let text = "the receiver has no name: it was not bound";
                        return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, text));
                    }
                };
                sendto(&self.socket, bytes, flags, &to)?
            }
            (None, _) => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(())
    }

    fn try_receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        let room = buffer.len();
        let (_, length, from) = recvfrom(&self.socket, buffer, RecvFlags::TRUNC)?;
        if length > room {
            return Err(DatagramTooLong { length, room }.into());
        }
        let from = from.map_or_else(|| Ok(SockaddrUn::unnamed().into()), sockaddr)?;
        Ok(Received { length, from })
    }

    /// Makes a call when the socket is ready, until it need not wait.
    pub(crate) async fn ready<T>(
        &self,
        interest: Interest,
        mut call: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        let watch = self.watch.get_or_try_init(|| async { watch(self.socket.clone()) }).await?;
        // That nobody receives at the other end is an error without anything to read.
        let interest = interest | Interest::ERROR;
        if !self.may_miss_room(interest) {
            return watch.async_io(interest, |_| retry(&mut call)).await;
        }
        let (mut pause, longest) = UNIX_QUEUE_PAUSE;
        loop {
            match timeout(pause, watch.async_io(interest, |_| retry(&mut call))).await {
                Ok(done) => return done,
                Err(_) => pause = (pause * 2).min(longest),
            }
            match retry(&mut call) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }

    /// [`DatagramSocket::ready`] that blocks the thread.
    pub(crate) fn ready_blocking<T>(
        &self,
        interest: Interest,
        mut call: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        let events = if interest.is_readable() { PollFlags::IN } else { PollFlags::OUT };
        let (mut pause, longest) = UNIX_QUEUE_PAUSE;
        loop {
            match retry(&mut call) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            if self.may_miss_room(interest) {
                std::thread::sleep(pause);
                pause = (pause * 2).min(longest);
                continue;
            }
            wait::until_ready(&self.socket, events, Deadline::NEVER)?;
        }
    }

    /// A Unix socket that is not connected to the receiver gets no sign when there is room again in the receiver's queue:
    /// it counts as writable all the time.
    fn may_miss_room(&self, interest: Interest) -> bool {
        !self.is_udp && interest.is_writable()
    }
}

impl AsFd for DatagramSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl TryFrom<Socket<Bound, Datagram>> for DatagramSocket {
    type Error = io::Error;

    /// A socket that was bound step by step.
    fn try_from(socket: Socket<Bound, Datagram>) -> io::Result<Self> {
        let (socket, file) = socket.into_parts();
        Self::new(socket, file)
    }
}

/// The calls of a [`DatagramSocket`] for a program without a runtime: they block the thread until they are done.
#[derive(Clone, Copy, Debug)]
pub struct BlockingDatagrams<'a> {
    socket: &'a DatagramSocket,
}

impl BlockingDatagrams<'_> {
    /// As [`DatagramSocket::send`].
    ///
    /// # Errors
    /// As [`DatagramSocket::send`].
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.socket.ready_blocking(Interest::WRITABLE, || self.socket.try_send(bytes))
    }

    /// As [`DatagramSocket::send_to`].
    ///
    /// # Errors
    /// As [`DatagramSocket::send_to`].
    pub fn send_to(&self, bytes: &[u8], to: &Sockaddr) -> io::Result<()> {
        self.socket.ready_blocking(Interest::WRITABLE, || self.socket.try_send_to(bytes, to))
    }

    /// As [`DatagramSocket::receive`].
    ///
    /// # Errors
    /// As [`DatagramSocket::receive`].
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        self.socket.ready_blocking(Interest::READABLE, || self.socket.try_receive(buffer))
    }
}

fn is_ip(endpoint: &Endpoint) -> bool {
    endpoint.scheme() == Scheme::Udp
}

/// The path or name of a Unix endpoint.
fn unix_name(endpoint: &Endpoint) -> Option<io::Result<SockaddrUn>> {
    let name = match (endpoint.scheme(), endpoint.path(), endpoint.name()) {
        (Scheme::Unix, Some(path), _) => SockaddrUn::from_path(path),
        (Scheme::Unix, _, Some(name)) => SockaddrUn::from_abstract(name.as_bytes()),
        _ => return None,
    };
    Some(name.map_err(io::Error::from))
}

/// `found` are the addresses of a UDP endpoint.
fn bind(
    endpoint: &Endpoint,
    options: &Options,
    found: Option<io::Result<Vec<SocketAddr>>>,
) -> Result<DatagramSocket, BindError> {
    let failed = |error| BindError::from_io(endpoint, error);
    let options = endpoint.options(options);
    let addresses: Vec<Sockaddr> = match (found, unix_name(endpoint)) {
        (Some(found), _) => found
            .map_err(|error| BindError::new(endpoint, BindErrorKind::Unresolved, error))?
            .into_iter()
            .map(Sockaddr::from)
            .collect(),
        (None, Some(name)) => vec![name.map_err(failed)?.into()],
        (None, None) => return Err(BindError::unsupported(endpoint)),
    };
    let mut first_error = None;
    for address in addresses {
        match open(&address, &options).and_then(|socket| Ok(socket.bind(&address)?)) {
            Ok(socket) => return socket.try_into().map_err(failed),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(failed(first_error.unwrap_or_else(|| io::ErrorKind::NotFound.into())))
}

fn connect(
    endpoint: &Endpoint,
    options: &Options,
    found: Option<io::Result<Vec<SocketAddr>>>,
) -> Result<DatagramSocket, ConnectError> {
    let failed = |error| ConnectError::from_io(endpoint, error);
    let options = endpoint.options(options);
    let addresses = match (found, unix_name(endpoint)) {
        (Some(found), _) => found
            .map_err(|error| ConnectError::new(endpoint, ConnectErrorKind::Unresolved, error))?,
        (None, Some(name)) => {
            let name = name.map_err(failed)?.into();
            return dial(&name, &options).map_err(failed);
        }
        (None, None) => return Err(ConnectError::unsupported(endpoint)),
    };
    let mut attempts = Vec::new();
    for address in addresses {
        match dial(&address.into(), &options) {
            Ok(socket) => return Ok(socket),
            Err(error) => attempts.push(Attempt { address: Some(address), error }),
        }
    }
    Err(ConnectError::from_attempts(endpoint, attempts))
}

fn open(
    address: &Sockaddr,
    options: &Options,
) -> io::Result<Socket<crate::lifecycle::Unbound, Datagram>> {
    Socket::datagram(Family::from(address), options)
}

fn dial(address: &Sockaddr, options: &Options) -> io::Result<DatagramSocket> {
    let socket = open(address, options)?;
    let remote = address.socket_address();
    let local = options
        .local
        .filter(|local| remote.is_some_and(|remote| remote.is_ipv4() == local.is_ipv4()));
    let socket = match local {
        Some(local) => DatagramSocket::try_from(socket.bind(&local.into())?)?,
        None => DatagramSocket::new(socket.into(), None)?,
    };
    socket.connect_to(address)
}

fn retry<T>(call: &mut impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// The kernel's answer as one of our addresses.
fn sockaddr(address: SocketAddrAny) -> io::Result<Sockaddr> {
    if let Ok(address) = SocketAddr::try_from(address.clone()) {
        return Ok(address.into());
    }
    let name = SocketAddrUnix::try_from(address)?;
    let name = match (name.path_bytes(), name.abstract_name()) {
        (Some(path), _) => {
            let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path);
            SockaddrUn::from_path(path.as_ref())?
        }
        (None, Some(name)) => SockaddrUn::from_abstract(name)?,
        (None, None) => SockaddrUn::unnamed(),
    };
    Ok(name.into())
}
