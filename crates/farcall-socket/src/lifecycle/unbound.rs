//! Open, and without an address.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use socket2::{Domain, Type};

use super::{
    Bound, Connected, Datagram, Failed, Family, Kind, SeqPacket, Socket, Stream, invalid,
    name_for_kernel, owned,
};
use crate::limits::UNIX_QUEUE_PAUSE;
use crate::sockaddr::Sockaddr;
use crate::unix::FolderLock;
use crate::wait::{self, Deadline};
use crate::{Address, Options, unix};

/// A socket that is open and has no address yet: it can be bound or connected.
#[derive(Debug)]
pub struct Unbound {
    pub(super) family: Family,
    pub(super) options: Box<Options>,
}

impl Socket<Unbound, Stream> {
    /// Opens a stream socket: TCP, or a Unix stream.
    ///
    /// # Errors
    /// When there is no descriptor left, or an option cannot be set.
    pub fn stream(family: Family, options: &Options) -> io::Result<Self> {
        open(family, options)
    }
}

impl Socket<Unbound, SeqPacket> {
    /// Opens a Unix socket whose messages keep their order and their borders.
    ///
    /// # Errors
    /// When there is no descriptor left, or an option cannot be set.
    pub fn seqpacket(options: &Options) -> io::Result<Self> {
        open(Family::Unix, options)
    }
}

impl Socket<Unbound, Datagram> {
    /// Opens a datagram socket: UDP, or Unix datagrams.
    ///
    /// # Errors
    /// When there is no descriptor left, or an option cannot be set.
    pub fn datagram(family: Family, options: &Options) -> io::Result<Self> {
        open(family, options)
    }
}

/// Close-on-exec from its first moment, and non-blocking, so that a connect can be waited for as long as one likes.
fn open<K: Kind>(family: Family, options: &Options) -> io::Result<Socket<Unbound, K>> {
    let kind = K::TYPE.nonblocking().cloexec();
    let raw = socket2::Socket::new(family.domain(), kind, None)?;
    options.apply(&raw, family.domain(), K::TYPE)?;
    Ok(Socket::new(raw, Unbound { family, options: Box::new(options.clone()) }))
}

impl<K> Socket<Unbound, K> {
    /// Gives the socket an address. Port 0 takes a free port.
    ///
    /// A path gets a file with [`Options::unix_mode`] from its first moment. A stale socket there is replaced; a live
    /// one, and any other file, is left alone. The file goes with the socket. Until it listens it looks stale itself, so
    /// that others who bind in the same folder wait for it, at most 0.5 s.
    ///
    /// # Errors
    /// [`Failed`] gives the socket back: the address is taken, not allowed, or not of this machine or family.
    pub fn bind(self, address: &Sockaddr) -> Result<Socket<Bound, K>, Failed<Self>> {
        let lock = match unix_path(address).map(FolderLock::acquire_blocking).transpose() {
            Ok(lock) => lock,
            Err(error) => return Err(Failed { error, socket: self }),
        };
        self.bind_locked(address, lock)
    }

    /// Binds under a lock on the folder that the path is in.
    pub(crate) fn bind_locked(
        self,
        address: &Sockaddr,
        lock: Option<FolderLock>,
    ) -> Result<Socket<Bound, K>, Failed<Self>> {
        match self.try_bind(address, lock) {
            Ok((file, lock)) => {
                Ok(self.step(|Unbound { family, options }| Bound { family, options, file, lock }))
            }
            Err(error) => Err(Failed { error, socket: self }),
        }
    }

    fn try_bind(
        &self,
        address: &Sockaddr,
        lock: Option<FolderLock>,
    ) -> io::Result<(Option<unix::BoundPath>, Option<FolderLock>)> {
        self.check_family(address)?;
        if let Some(address) = address.socket_address() {
            self.state.options.apply_before_bind(&self.raw, address)?;
        }
        let Some(path) = unix_path(address) else {
            self.raw.bind(&name_for_kernel(address)?)?;
            return Ok((None, None));
        };
        let file = unix::bind_path(&self.raw, path, self.state.options.unix_mode)?;
        // A stream socket looks stale until it listens; a datagram socket is alive now.
        let lock = lock.filter(|_| self.raw.r#type().is_ok_and(|kind| kind != Type::DGRAM));
        Ok((Some(file), lock))
    }

    /// Connects to an address, from an address and port that the kernel picks. Waits for
    /// [`Options::connect_timeout`] at most.
    ///
    /// A connection that is made may still wait in the listener's queue: it proves that somebody listens, not that
    /// somebody serves.
    ///
    /// # Errors
    /// When nobody listens there, or gives no answer in time. The socket is closed then.
    pub fn connect(self, address: &Sockaddr) -> io::Result<Socket<Connected, K>> {
        self.check_family(address)?;
        let Unbound { options, .. } = &self.state;
        if let Some(address) = address.socket_address().filter(|_| self.is_tcp()) {
            options.apply_before_connect(&self.raw, address)?;
        }
        let deadline = Deadline::after(options.connect_timeout);
        Connecting::begin(self.raw, address, deadline)?.wait(deadline, None)
    }

    /// Begins to connect, and does not wait.
    pub(crate) fn begin_connect(self, address: SocketAddr) -> io::Result<Connecting> {
        self.check_family(&address.into())?;
        self.state.options.apply_before_connect(&self.raw, address)?;
        Connecting::begin_once(self.raw, &address.into())
    }

    /// Asks the Unix listener once; `WouldBlock` when its queue is full.
    pub(crate) fn try_connect(&self, address: &Sockaddr) -> io::Result<()> {
        self.raw.connect(&name_for_kernel(address)?)
    }

    fn is_tcp(&self) -> bool {
        let is_stream = self.raw.r#type().is_ok_and(|kind| kind == Type::STREAM);
        is_stream && self.state.family != Family::Unix
    }

    fn check_family(&self, address: &Sockaddr) -> io::Result<()> {
        if Family::from(address) == self.state.family {
            return Ok(());
        }
        let text = format!("{address} is no address for an {:?} socket", self.state.family);
        Err(invalid(&text))
    }
}

impl<K> From<Socket<Unbound, K>> for OwnedFd {
    fn from(socket: Socket<Unbound, K>) -> Self {
        owned(socket.raw)
    }
}

/// A socket that is on its way to being connected.
#[derive(Debug)]
pub(crate) struct Connecting {
    raw: socket2::Socket,
    address: Sockaddr,
    is_done: bool,
}

impl Connecting {
    /// Begins, and waits where only beginning again helps: a full queue of a Unix listener gives no sign.
    pub(super) fn begin(
        raw: socket2::Socket,
        address: &Sockaddr,
        deadline: Deadline,
    ) -> io::Result<Self> {
        let (mut pause, longest) = UNIX_QUEUE_PAUSE;
        let name = name_for_kernel(address)?;
        loop {
            match raw.connect(&name) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = deadline.left().unwrap_or(longest);
                    if left.is_zero() {
                        return Err(unix::queue_full());
                    }
                    std::thread::sleep(pause.min(left));
                    pause = (pause * 2).min(longest);
                }
                result => return Self::begun(raw, address, result),
            }
        }
    }

    fn begin_once(raw: socket2::Socket, address: &Sockaddr) -> io::Result<Self> {
        let result = raw.connect(&name_for_kernel(address)?);
        Self::begun(raw, address, result)
    }

    fn begun(raw: socket2::Socket, address: &Sockaddr, result: io::Result<()>) -> io::Result<Self> {
        let is_done = match result {
            Ok(()) => true,
            // An interrupted connect goes on by itself; asking for it again is an error (connect(2)).
            Err(error)
                if error.kind() == io::ErrorKind::Interrupted
                    || error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) =>
            {
                false
            }
            Err(error) => return Err(error),
        };
        Ok(Self { raw, address: *address, is_done })
    }

    /// The socket, for a runtime to wait with: until it is writable. What its error option says then is the result.
    pub(crate) fn into_raw(self) -> socket2::Socket {
        self.raw
    }

    /// Whether [`Connecting::wait`] would return at once.
    pub(super) fn has_answer(&self) -> bool {
        let now = Deadline::after(Duration::ZERO);
        self.is_done || wait::until_ready(&self.raw, PollFlags::OUT, now).is_ok()
    }

    /// Waits for the other end's answer.
    pub(super) fn wait<K>(
        self,
        deadline: Deadline,
        file: Option<unix::BoundPath>,
    ) -> io::Result<Socket<Connected, K>> {
        if !self.is_done {
            wait::until_connected(&self.raw, deadline)?;
        }
        let is_tcp = self.raw.r#type()? == Type::STREAM && self.raw.domain()? != Domain::UNIX;
        if is_tcp && is_own_echo(&self.raw)? {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        self.raw.set_nonblocking(false)?;
        let through = through(&self.address);
        Ok(Socket::new(self.raw, Connected { through, file: file.map(Arc::new) }))
    }
}

impl AsFd for Connecting {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.raw.as_fd()
    }
}

/// Whether the socket is connected to itself. That happens when nobody listens on a port of the ephemeral range and the
/// kernel picks that very port for this end (simultaneous open, RFC 9293, section 3.5).
pub(crate) fn is_own_echo(socket: &socket2::Socket) -> io::Result<bool> {
    match socket.peer_addr() {
        Ok(peer) => Ok(socket.local_addr()?.as_socket() == peer.as_socket()),
        // Connected, and closed by the other end since: the first read will tell.
        Err(_) => Ok(false),
    }
}

/// The name of a Unix listener, which both ends of its connections go by.
pub(crate) fn through(address: &Sockaddr) -> Option<Address> {
    let Sockaddr::Un(name) = address else {
        return None;
    };
    match (name.path(), name.abstract_name()) {
        (Some(path), _) => Some(Address::Unix(path.into())),
        (None, Some(name)) => Some(Address::Abstract(String::from_utf8_lossy(name).into())),
        (None, None) => None,
    }
}

fn unix_path(address: &Sockaddr) -> Option<&Path> {
    match address {
        Sockaddr::Un(name) => name.path(),
        _ => None,
    }
}
