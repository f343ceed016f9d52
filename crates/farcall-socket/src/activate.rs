//! Starting a program that finds its sockets open, as a supervisor does (`sd_listen_fds(3)`).
//!
//! The other side, finding them, is the `fd://` endpoint.

use std::io;
use std::os::fd::BorrowedFd;
use std::process::{self, Command};

use socket2::SockRef;

use crate::sys::placed;

/// Replaces this program by the command, which has the sockets as descriptors 3, 4, ... and is told so by `LISTEN_FDS`,
/// `LISTEN_PID` and `LISTEN_FDNAMES`. Returns only when that fails.
///
/// The sockets block, as programs expect; who connects before the program is ready waits in the queue. A Unix listener's
/// file stays, because nothing is dropped.
///
/// ```standalone_crate
/// use std::net::{TcpListener, TcpStream};
/// use std::os::fd::AsFd;
/// use std::process::Command;
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let sockets = [("web", listener.as_fd())];
/// let error = farcall_socket::activate(&mut Command::new("/no/such/server"), &sockets);
/// assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
/// // This program is still there, and so is its listener.
/// TcpStream::connect(listener.local_addr()?)?;
/// # Ok::<_, std::io::Error>(())
/// ```
///
/// # Errors
/// Always: why this program is still there. `InvalidInput` for a name that cannot be told, `Unsupported` when this
/// program has another thread.
pub fn activate(command: &mut Command, sockets: &[(&str, BorrowedFd<'_>)]) -> io::Error {
    let names: Vec<_> = sockets.iter().map(|(name, _)| *name).collect();
    let descriptors: Vec<_> = sockets.iter().map(|(_, socket)| *socket).collect();
    if names.iter().any(|name| !name.bytes().all(|b| b.is_ascii_graphic() && b != b':')) {
        return io::Error::new(io::ErrorKind::InvalidInput, "a name must not have `:` or spaces");
    }
    command
        .env("LISTEN_FDS", sockets.len().to_string())
        .env("LISTEN_PID", process::id().to_string())
        .env("LISTEN_FDNAMES", names.join(":"));
    let set_blocking = |blocking: bool| {
        let mut sockets = descriptors.iter();
        sockets.try_for_each(|socket| SockRef::from(socket).set_nonblocking(!blocking))
    };
    if let Err(error) = set_blocking(true) {
        return error;
    }
    let error = placed::exec(command, &descriptors);
    // As every socket of this crate is; one that cannot be set is found out by its next use.
    let _ = set_blocking(false);
    error
}
