//! A connect that a signal interrupted.
//!
//! For IP sockets it goes on by itself: connecting again would only say that it is under way. It is waited for here. A
//! connect to a Unix socket does not go on, and is made again.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{SocketAddrUnix, connect as connect_once};

use crate::sockaddr::{Sockaddr, SockaddrUn};
use crate::wait::{self, Deadline};

/// Connects the socket, and is done when it is connected or has failed: interruptions do not show, and a non-blocking
/// socket is waited for.
///
/// # Errors
/// The cause why there is no connection.
pub fn connect(socket: impl AsFd, address: &Sockaddr) -> io::Result<()> {
    let socket = socket.as_fd();
    let result = match (address.socket_address(), address) {
        (Some(address), _) => connect_once(socket, &address),
        (None, Sockaddr::Un(address)) => return connect_unix(socket, address),
        (None, _) => Err(Errno::AFNOSUPPORT),
    };
    match result {
        Err(Errno::INTR | Errno::INPROGRESS | Errno::ALREADY) => wait_connected(socket, None),
        result => Ok(result?),
    }
}

fn connect_unix(socket: BorrowedFd<'_>, address: &SockaddrUn) -> io::Result<()> {
    let address = match (address.path(), address.abstract_name()) {
        (Some(path), _) => SocketAddrUnix::new(path)?,
        (None, Some(name)) => SocketAddrUnix::new_abstract_name(name)?,
        (None, None) => SocketAddrUnix::new_unnamed(),
    };
    Ok(rustix::io::retry_on_intr(|| connect_once(socket, &address))?)
}

/// Waits until a connect that was begun and interrupted, or begun on a non-blocking socket, is done.
///
/// # Errors
/// The cause why there is no connection; `TimedOut` when the time is up first, while the connect goes on.
pub fn wait_connected(socket: impl AsFd, timeout: Option<Duration>) -> io::Result<()> {
    wait::until_connected(socket, timeout.map_or(Deadline::NEVER, Deadline::after))
}
