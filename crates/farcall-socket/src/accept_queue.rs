//! The kernel's queue of connections that wait to be accepted, for TCP and Unix sockets alike.
//!
//! The queue does not bind: it takes a socket that already listens.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::net::{SocketFlags, acceptfrom_with};
use tokio::net::{TcpListener, UnixListener};

use crate::connection::Connection;
use crate::pause::Pause;
use crate::unix::BoundPath;
use crate::{Address, Listening, Socket, tcp, unix};

#[derive(Debug)]
pub(crate) struct AcceptQueue {
    socket: Kernel,
    pause: Pause,
}

#[derive(Debug)]
enum Kernel {
    Tcp(TcpListener),
    Unix {
        // Dropped before the socket: as long as the file is there somebody must answer, or another process would take
        // it for a stale one.
        file: Option<Arc<BoundPath>>,
        name: Address,
        socket: UnixListener,
    },
}

impl AcceptQueue {
    /// Takes a listening socket. Must be called inside a tokio runtime, which will watch it.
    pub(crate) fn new(socket: Socket<Listening>) -> io::Result<Self> {
        let (raw, name, file) = socket.into_parts();
        raw.set_nonblocking(true)?;
        Self::watch(raw.into(), name, file)
    }

    fn watch(
        socket: OwnedFd,
        name: Option<Address>,
        file: Option<Arc<BoundPath>>,
    ) -> io::Result<Self> {
        let socket = match name {
            Some(name) => {
                Kernel::Unix { file, name, socket: UnixListener::from_std(socket.into())? }
            }
            None => Kernel::Tcp(TcpListener::from_std(socket.into())?),
        };
        let pause = Pause::default();
        Ok(Self { socket, pause })
    }

    /// Back to the socket that it was made of.
    pub(crate) fn into_socket(self) -> io::Result<Socket<Listening>> {
        let (socket, file) = match self.socket {
            Kernel::Tcp(socket) => (OwnedFd::from(socket.into_std()?), None),
            Kernel::Unix { file, socket, .. } => (OwnedFd::from(socket.into_std()?), file),
        };
        Socket::adopt_listening(socket.into(), file)
    }

    /// The file of a Unix socket, if it is ours.
    pub(crate) fn file(&self) -> Option<&Arc<BoundPath>> {
        match &self.socket {
            Kernel::Tcp(_) => None,
            Kernel::Unix { file, .. } => file.as_ref(),
        }
    }

    pub(crate) async fn accept(&self) -> io::Result<Connection> {
        loop {
            self.pause.wait().await;
            let result = match &self.socket {
                Kernel::Tcp(socket) => {
                    socket.accept().await.map(|(stream, address)| tcp::connection(stream, address))
                }
                Kernel::Unix { socket, name, .. } => {
                    socket.accept().await.map(|(stream, _)| unix::connection(stream, name.clone()))
                }
            };
            if let Some(connection) = self.judge(result)? {
                return Ok(connection);
            }
        }
    }

    /// Only the last task that polled is woken.
    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Connection>> {
        loop {
            ready!(self.pause.poll_wait(cx));
            let result = match &self.socket {
                Kernel::Tcp(socket) => ready!(socket.poll_accept(cx))
                    .map(|(stream, address)| tcp::connection(stream, address)),
                Kernel::Unix { socket, name, .. } => ready!(socket.poll_accept(cx))
                    .map(|(stream, _)| unix::connection(stream, name.clone())),
            };
            if let Some(connection) = self.judge(result)? {
                return Poll::Ready(Ok(connection));
            }
        }
    }

    /// Asks the kernel itself, not what the runtime last heard about it. Does not wait, so that running out of
    /// descriptors is an error here.
    pub(crate) fn try_accept(&self) -> io::Result<Option<Connection>> {
        loop {
            let result = match &self.socket {
                Kernel::Tcp(socket) => try_accept_tcp(socket.as_fd()),
                Kernel::Unix { socket, name, .. } => try_accept_unix(socket.as_fd(), name.clone()),
            };
            match result {
                Ok(connection) => return Ok(Some(connection)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if Pause::concerns_one_connection(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Kernel::Tcp(socket) => socket.as_fd(),
            Kernel::Unix { socket, .. } => socket.as_fd(),
        }
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        let copy = self.descriptor().try_clone_to_owned()?;
        match &self.socket {
            Kernel::Tcp(_) => Self::watch(copy, None, None),
            Kernel::Unix { name, file, .. } => Self::watch(copy, Some(name.clone()), file.clone()),
        }
    }

    /// The connection, or nothing when there is to be another try.
    fn judge(&self, result: io::Result<Connection>) -> io::Result<Option<Connection>> {
        match result {
            Ok(connection) => {
                self.pause.accepted();
                Ok(Some(connection))
            }
            Err(error) => self.pause.failed(error).map(|()| None),
        }
    }
}

const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

fn try_accept_tcp(socket: BorrowedFd<'_>) -> io::Result<Connection> {
    let (socket, address) = acceptfrom_with(socket, FLAGS)?;
    // An address that cannot be read is a peer that is gone already.
    let address =
        address.and_then(|address| address.try_into().ok()).ok_or(io::ErrorKind::NotConnected)?;
    let stream = tokio::net::TcpStream::from_std(socket.into())?;
    Ok(tcp::connection(stream, address))
}

fn try_accept_unix(socket: BorrowedFd<'_>, name: Address) -> io::Result<Connection> {
    let (socket, _) = acceptfrom_with(socket, FLAGS)?;
    let stream = tokio::net::UnixStream::from_std(socket.into())?;
    Ok(unix::connection(stream, name))
}
