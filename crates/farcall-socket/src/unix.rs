//! Unix sockets: binding to a path without a moment of weakness, and connecting.
//!
//! Abstract names are not offered: they carry no permissions, so that every user of the machine could connect.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FlockOperation, Mode, OFlags, fchmod, flock};
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use crate::connection::{Connection, Pipe};
use crate::error::{BindError, ConnectError};
use crate::limits::{UNIX_BIND_ROUNDS, UNIX_LOCK_WAIT, UNIX_QUEUE_PAUSE};
use crate::{Address, Credentials, Endpoint, Options, Peer};

/// The file of a bound socket. Removed when the last listener that holds it goes, if the file is still ours.
#[derive(Debug)]
pub(crate) struct BoundPath {
    path: Arc<Path>,
    file: FileIdentity,
}

impl BoundPath {
    pub(crate) fn path(&self) -> &Arc<Path> {
        &self.path
    }
}

impl Drop for BoundPath {
    fn drop(&mut self) {
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

/// Listens at the path. A file left behind by a process that ended is replaced; nothing else is.
pub(crate) async fn bind(
    endpoint: &Endpoint,
    path: &Path,
    options: &Options,
) -> Result<(OwnedFd, BoundPath), BindError> {
    let failed = |error| BindError::from_io(endpoint, error);
    let folder = path.parent().unwrap_or(Path::new("/"));
    refuse_open_folder(folder).map_err(failed)?;
    let lock = lock(folder).await.map_err(failed)?;
    let bound = bind_locked(path, options).map_err(failed);
    drop(lock);
    bound
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
async fn lock(folder: &Path) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(folder, flags, Mode::empty()) {
        Ok(folder) => folder,
        Err(Errno::ACCESS) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let give_up = Instant::now() + UNIX_LOCK_WAIT;
    loop {
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(folder)),
            Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < give_up => {
                sleep(UNIX_QUEUE_PAUSE.0).await;
            }
            Err(_) => return Ok(None),
        }
    }
}

fn bind_locked(path: &Path, options: &Options) -> io::Result<(OwnedFd, BoundPath)> {
    let socket = open()?;
    // Linux gives the file the mode of the socket's own inode, less the umask: it is never open wider than this, and
    // the umask of the whole process stays as it is.
    let mode = options.unix_mode & 0o777;
    fchmod(&socket, Mode::from_raw_mode(mode))?;
    let address = SockAddr::unix(path)?;
    for _ in 0..UNIX_BIND_ROUNDS {
        match socket.bind(&address) {
            Ok(()) => return listen(socket, path, mode, options),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => clear_the_way(path)?,
            Err(error) => return Err(error),
        }
    }
    Err(in_use("the file there keeps changing"))
}

fn listen(
    socket: Socket,
    path: &Path,
    mode: u32,
    options: &Options,
) -> io::Result<(OwnedFd, BoundPath)> {
    let file = fs::symlink_metadata(path)?;
    let bound = BoundPath { path: path.into(), file: FileIdentity::of(&file) };
    if file.mode() & 0o777 != mode {
        // The umask took a bit that was asked for. Nobody can connect before listen.
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    socket.listen(options.kernel_backlog())?;
    Ok((socket.into(), bound))
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
    match open()?.connect(&SockAddr::unix(path)?) {
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

fn open() -> io::Result<Socket> {
    Socket::new(Domain::UNIX, Type::STREAM.nonblocking().cloexec(), None)
}

/// A connected socket as a connection.
pub(crate) fn connection(stream: UnixStream, path: &Arc<Path>) -> Connection {
    let credentials = stream.peer_cred().ok().map(|peer| Credentials {
        uid: peer.uid(),
        gid: peer.gid(),
        pid: peer.pid(),
    });
    let peer = Peer::new(Address::Unix(path.clone()), credentials);
    Connection::new(Pipe::Unix(stream), Arc::new(peer))
}

/// Connects to the path. A full queue is waited for, as a blocking connect would.
pub(crate) async fn connect(
    endpoint: &Endpoint,
    path: &Path,
    options: &Options,
) -> Result<Connection, ConnectError> {
    let failed = |error| ConnectError::from_io(endpoint, error);
    let give_up = options.connect_deadline();
    let socket = open().map_err(failed)?;
    let address = SockAddr::unix(path).map_err(failed)?;
    let (mut pause, longest) = UNIX_QUEUE_PAUSE;
    loop {
        match socket.connect(&address) {
            Ok(()) => {
                let stream = UnixStream::from_std(socket.into()).map_err(failed)?;
                return Ok(connection(stream, &path.into()));
            }
            // Unlike TCP's, a non-blocking connect to a Unix socket never goes on by itself.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let left = give_up.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    let text = "the listener's queue is full, and nobody accepts";
                    return Err(failed(io::Error::new(io::ErrorKind::TimedOut, text)));
                }
                sleep(pause.min(left)).await;
                pause = (pause * 2).min(longest);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}
