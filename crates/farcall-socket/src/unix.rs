//! Unix sockets: binding to a path without a moment of weakness, and connecting.
//!
//! An abstract name carries no permissions: every user of the machine can connect, and take the name before us. Whoever
//! listens on one has to look at [`Credentials`].

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{FlockOperation, Mode, OFlags, fchmod, flock};
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use socket2::{Domain, SockAddr, SockRef, Type};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use crate::connection::Connection;
use crate::error::{BindError, ConnectError};
use crate::lifecycle::through;
use crate::limits::{UNIX_BIND_ROUNDS, UNIX_LOCK_WAIT, UNIX_QUEUE_PAUSE};
use crate::pipe::Pipe;
use crate::sockaddr::{Sockaddr, SockaddrUn};
use crate::sys::option;
use crate::wait::Deadline;
use crate::{Address, Credentials, Endpoint, Family, Listening, Options, Peer, Socket};

/// The file of a bound socket. Removed when the last listener that holds it goes, if the file is still ours.
#[derive(Debug)]
pub(crate) struct BoundPath {
    path: Arc<Path>,
    file: FileIdentity,
    /// Whether it is for us to remove it: not before a predecessor left it to us, and not after we left it.
    ours: AtomicBool,
}

impl BoundPath {
    /// The file that was just made. Nobody can connect before listen, so that a bit which the umask took and which was
    /// asked for may come now.
    fn with_mode(path: &Path, mode: u32) -> io::Result<Self> {
        let file = fs::symlink_metadata(path)?;
        let ours = AtomicBool::new(true);
        let bound = Self { path: path.into(), file: FileIdentity::of(&file), ours };
        if file.mode() & 0o777 != mode {
            fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        Ok(bound)
    }

    /// The file of a socket that another process bound; not ours yet.
    pub(crate) fn of_other(socket: impl AsFd) -> Option<Arc<Self>> {
        let local = SockRef::from(&socket).local_addr().ok()?;
        let path = local.as_pathname()?;
        let file = fs::symlink_metadata(path).ok().filter(|file| file.file_type().is_socket())?;
        let ours = AtomicBool::new(false);
        Some(Arc::new(Self { path: path.into(), file: FileIdentity::of(&file), ours }))
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.ours.load(Ordering::Relaxed)
    }

    pub(crate) fn set_ours(&self, ours: bool) {
        self.ours.store(ours, Ordering::Relaxed);
    }
}

impl Drop for BoundPath {
    fn drop(&mut self) {
        if !self.is_ours() {
            return;
        }
        let found = fs::symlink_metadata(&self.path);
        if found.is_ok_and(|found| FileIdentity::of(&found) == self.file) {
            // A file that cannot be removed is replaced by the next bind: it answers no connect.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Tells one file from another at the same path. File systems give a freed inode number to the next file, so the time
/// at which the file was made counts, too; a socket's file is never written to.
#[derive(Debug, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
    modified: (i64, i64),
}

impl FileIdentity {
    fn of(file: &Metadata) -> Self {
        Self { device: file.dev(), inode: file.ino(), modified: (file.mtime(), file.mtime_nsec()) }
    }
}

/// Listens at the endpoint's path or abstract name. A file left behind by a process that ended is replaced; nothing else is.
pub(crate) async fn bind(
    endpoint: &Endpoint,
    options: &Options,
) -> Result<Socket<Listening>, BindError> {
    let failed = |error| BindError::from_io(endpoint, error);
    let address = address(endpoint).map_err(failed)?;
    let socket = Socket::stream(Family::Unix, options).map_err(failed)?;
    let lock = match endpoint.path() {
        Some(path) => Some(FolderLock::acquire(path).await.map_err(failed)?),
        None => None,
    };
    let bound = socket.bind_locked(&address, lock).map_err(|f| failed(f.into()))?;
    bound.listen().map_err(|f| failed(f.into()))
}

/// The path or abstract name of a `unix://` endpoint.
pub(crate) fn address(endpoint: &Endpoint) -> io::Result<Sockaddr> {
    let name = match (endpoint.path(), endpoint.name()) {
        (Some(path), _) => SockaddrUn::from_path(path)?,
        (None, name) => SockaddrUn::from_abstract(name.unwrap_or_default().as_bytes())?,
    };
    Ok(name.into())
}

/// In a folder that everybody may write to, everybody may put another socket in our place; the sticky bit forbids it.
fn refuse_open_folder(folder: &Path) -> io::Result<()> {
    let mode = fs::metadata(folder)?.mode();
    let (world_writable, sticky) = (0o002, 0o1000);
    if mode & world_writable != 0 && mode & sticky == 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "everybody may write to {}, so anybody could replace the socket",
                folder.display()
            ),
        ));
    }
    Ok(())
}

/// Between bind and listen a socket refuses connects and looks like a stale one. The lock on the folder keeps two starting
/// processes from replacing each other in that moment; it leaves no lock file behind. A folder that we may not read, or
/// that is locked for long by somebody else, goes without.
#[derive(Debug)]
pub(crate) struct FolderLock {
    /// Dropping it unlocks.
    _folder: Option<OwnedFd>,
}

impl FolderLock {
    /// Locks the folder that the path is in.
    pub(crate) async fn acquire(path: &Path) -> io::Result<Self> {
        let mut lock = Self::begin(path)?;
        while !lock.try_lock() {
            sleep(UNIX_QUEUE_PAUSE.0).await;
        }
        Ok(lock.done())
    }

    /// The same without a runtime.
    pub(crate) fn acquire_blocking(path: &Path) -> io::Result<Self> {
        let mut lock = Self::begin(path)?;
        while !lock.try_lock() {
            std::thread::sleep(UNIX_QUEUE_PAUSE.0);
        }
        Ok(lock.done())
    }

    fn begin(path: &Path) -> io::Result<Locking> {
        let folder = match path.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => Path::new("/"),
        };
        refuse_open_folder(folder)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = match rustix::fs::open(folder, flags, Mode::empty()) {
            Ok(folder) => Some(folder),
            Err(Errno::ACCESS) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Locking { folder, give_up: Deadline::after(UNIX_LOCK_WAIT) })
    }
}

struct Locking {
    folder: Option<OwnedFd>,
    give_up: Deadline,
}

impl Locking {
    /// Whether the wait is over, with the lock or without.
    fn try_lock(&mut self) -> bool {
        let Some(folder) = &self.folder else {
            return true;
        };
        match flock(folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return true,
            Err(Errno::WOULDBLOCK | Errno::INTR) if !self.give_up.is_over() => return false,
            Err(_) => {}
        }
        self.folder = None;
        true
    }

    fn done(self) -> FolderLock {
        FolderLock { _folder: self.folder }
    }
}

/// Binds the socket to the path, under a [`FolderLock`].
pub(crate) fn bind_path(
    socket: &socket2::Socket,
    path: &Path,
    unix_mode: u32,
) -> io::Result<BoundPath> {
    // Linux gives the file the mode of the socket's own inode, less the umask: it is never open wider than this, and
    // the umask of the whole process stays as it is.
    let mode = unix_mode & 0o777;
    fchmod(socket, Mode::from_raw_mode(mode))?;
    let address = SockAddr::unix(path)?;
    for _ in 0..UNIX_BIND_ROUNDS {
        match socket.bind(&address) {
            Ok(()) => return BoundPath::with_mode(path, mode),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => clear_the_way(path)?,
            Err(error) => return Err(error),
        }
    }
    Err(in_use("the file there keeps changing"))
}

/// Removes a stale socket from the path, or says what is in the way.
fn clear_the_way(path: &Path) -> io::Result<()> {
    let before = match fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !before.file_type().is_socket() {
        return Err(in_use("a file that is not a socket is there"));
    }
    match probe()?.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(in_use("the socket of another user is there"));
        }
        _ => return Err(in_use("another listener is there")),
    }
    let now = fs::symlink_metadata(path)?;
    if FileIdentity::of(&now) == FileIdentity::of(&before) {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn in_use(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::AddrInUse, what)
}

/// A socket that only asks whether somebody listens.
fn probe() -> io::Result<socket2::Socket> {
    socket2::Socket::new(Domain::UNIX, Type::STREAM.nonblocking().cloexec(), None)
}

/// A connected socket as a connection; it goes by the name of its listener.
pub(crate) fn connection(stream: UnixStream, through: Address) -> Connection {
    let credentials = credentials(&stream);
    let peer = Peer::new(through, credentials);
    Connection::new(Pipe::Unix(stream), Arc::new(peer))
}

/// The user and process at the other end (`SO_PEERCRED`).
pub(crate) fn credentials(socket: impl AsFd) -> Option<Credentials> {
    let peer = socket_peercred(socket).ok()?;
    // The kernel says 0 for a process that this one's name space does not have; it is not a process's number here.
    let pid = Some(peer.pid.as_raw_pid()).filter(|pid| *pid > 0);
    Some(Credentials { uid: peer.uid.as_raw(), gid: peer.gid.as_raw(), pid })
}

/// The process at the other end, as a descriptor.
pub(crate) fn peer_process(socket: impl AsFd) -> io::Result<OwnedFd> {
    option::peer_pidfd(socket)
}

/// Connects to the endpoint's path or abstract name. A full queue is waited for, as a blocking connect would.
pub(crate) async fn connect(
    endpoint: &Endpoint,
    options: &Options,
) -> Result<Connection, ConnectError> {
    let failed = |error| ConnectError::from_io(endpoint, error);
    let give_up = options.connect_deadline();
    let socket = Socket::stream(Family::Unix, options).map_err(failed)?;
    let address = address(endpoint).map_err(failed)?;
    let (mut pause, longest) = UNIX_QUEUE_PAUSE;
    loop {
        match socket.try_connect(&address) {
            Ok(()) => break,
            // Unlike TCP's, a non-blocking connect to a Unix socket never goes on by itself.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let left = give_up.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(failed(queue_full()));
                }
                sleep(pause.min(left)).await;
                pause = (pause * 2).min(longest);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let stream = UnixStream::from_std(OwnedFd::from(socket).into()).map_err(failed)?;
    Ok(connection(stream, through(&address).unwrap_or(Address::Unnamed)))
}

/// What a connect says that waited for a place in vain.
pub(crate) fn queue_full() -> io::Error {
    let text = "the listener's queue is full, and nobody accepts";
    io::Error::new(io::ErrorKind::TimedOut, text)
}
