//! Taking possession of descriptors that were open when this program began.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::sockopt::socket_type;

/// Makes an inherited socket ours, and close-on-exec.
///
/// A descriptor of this process that is not close-on-exec came in through exec: everything that Rust, tokio and this crate
/// open is close-on-exec from its first moment. That tells an inherited socket from one that already has an owner here. Each
/// number is to be had once, also after it was closed.
///
/// # Errors
/// `NotFound` when the number is not open; `InvalidInput` when it is no socket or belongs to somebody already.
pub(crate) fn claim(number: RawFd) -> io::Result<OwnedFd> {
    static CLAIMED: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());
    let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
    let wrong = |kind, text: &str| Err(io::Error::new(kind, format!("descriptor {number} {text}")));
    if number < 3 {
        return wrong(io::ErrorKind::InvalidInput, "is standard input, output or error");
    }
    if claimed.contains(&number) {
        return wrong(io::ErrorKind::InvalidInput, "was taken already");
    }
    // SAFETY: fcntl takes any number; it answers EBADF about one that is not open, and F_GETFD changes nothing.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    if flags < 0 {
        return wrong(io::ErrorKind::NotFound, "is not open");
    }
    if flags & libc::FD_CLOEXEC != 0 {
        return wrong(io::ErrorKind::InvalidInput, "was not inherited");
    }
    // SAFETY: the number is open, and nobody in this process owns it who could close it meanwhile: it came in through exec,
    // see above, and only one thread is here at a time.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    if socket_type(descriptor).is_err() {
        return wrong(io::ErrorKind::InvalidInput, "is not a socket");
    }
    fcntl_setfd(descriptor, FdFlags::CLOEXEC)?;
    claimed.insert(number);
    // SAFETY: the descriptor is open and came in through exec (see above), so nothing in this process owns it. The
    // number cannot be claimed again: this is its only owner.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
