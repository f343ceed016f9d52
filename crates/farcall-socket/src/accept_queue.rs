//! The kernel's queue of connections that wait to be accepted, for TCP and Unix sockets alike.
//!
//! The queue does not bind: [`crate::tcp`] and [`crate::unix`] hand it a socket that already listens.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::net::{SocketFlags, acceptfrom_with};
use tokio::net::{TcpListener, UnixListener};

use crate::connection::Connection;
use crate::pause::Pause;
use crate::unix::BoundPath;
use crate::{tcp, unix};

#[derive(Debug)]
pub(crate) struct AcceptQueue {
    socket: Socket,
    pause: Pause,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix {
        // Dropped before the socket: as long as the file is there somebody must answer, or another process would take
        // it for a stale one.
        file: Arc<BoundPath>,
        socket: UnixListener,
    },
}

impl AcceptQueue {
    /// Takes a listening, non-blocking TCP socket. Must be called inside a tokio runtime, which will watch it.
    pub(crate) fn tcp(socket: OwnedFd) -> io::Result<Self> {
        let socket = Socket::Tcp(TcpListener::from_std(socket.into())?);
        Ok(Self::new(socket))
    }

    /// Takes a listening, non-blocking Unix socket and its file.
    pub(crate) fn unix(socket: OwnedFd, file: Arc<BoundPath>) -> io::Result<Self> {
        let socket = UnixListener::from_std(socket.into())?;
        Ok(Self::new(Socket::Unix { file, socket }))
    }

    fn new(socket: Socket) -> Self {
        let pause = Pause::default();
        Self { socket, pause }
    }

    pub(crate) async fn accept(&self) -> io::Result<Connection> {
        loop {
            self.pause.wait().await;
            let result = match &self.socket {
                Socket::Tcp(socket) => {
                    socket.accept().await.map(|(stream, address)| tcp::connection(stream, address))
                }
                Socket::Unix { socket, file } => {
                    socket.accept().await.map(|(stream, _)| unix::connection(stream, file.path()))
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
                Socket::Tcp(socket) => ready!(socket.poll_accept(cx))
                    .map(|(stream, address)| tcp::connection(stream, address)),
                Socket::Unix { socket, file } => ready!(socket.poll_accept(cx))
                    .map(|(stream, _)| unix::connection(stream, file.path())),
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
                Socket::Tcp(socket) => try_accept_tcp(socket.as_fd()),
                Socket::Unix { socket, file } => try_accept_unix(socket.as_fd(), file.path()),
            };
            match result {
                Ok(connection) => return Ok(Some(connection)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if Pause::concerns_one_connection(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        match &self.socket {
            Socket::Tcp(socket) => Self::tcp(socket.as_fd().try_clone_to_owned()?),
            Socket::Unix { socket, file } => {
                Self::unix(socket.as_fd().try_clone_to_owned()?, file.clone())
            }
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

fn try_accept_unix(socket: BorrowedFd<'_>, path: &Arc<std::path::Path>) -> io::Result<Connection> {
    let (socket, _) = acceptfrom_with(socket, FLAGS)?;
    let stream = tokio::net::UnixStream::from_std(socket.into())?;
    Ok(unix::connection(stream, path))
}
