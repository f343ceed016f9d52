//! Waiting for a socket without a runtime: the thread blocks, and an interruption is no end of the wait.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::sockopt::socket_error;

/// When to stop waiting; `None` is never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Self = Self(None);

    /// So long from now. What the clock cannot hold is never.
    pub(crate) fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    pub(crate) fn earlier(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(two)) => Self(Some(one.min(two))),
            (one, two) => Self(one.or(two)),
        }
    }

    /// The time that is left.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0.map(|end| end.saturating_duration_since(Instant::now()))
    }

    pub(crate) fn is_over(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }
}

/// Waits until one of the events, or an error, is there.
///
/// # Errors
/// `TimedOut` at the deadline.
pub(crate) fn until_ready(
    socket: impl AsFd,
    events: PollFlags,
    deadline: Deadline,
) -> io::Result<()> {
    loop {
        // What does not fit is longer than anybody waits.
        let left = deadline.left().and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(&socket, events)], left.as_ref()) {
            Ok(0) if deadline.is_over() => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
            }
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until a connect that was begun is done.
///
/// # Errors
/// The cause why there is no connection; `TimedOut` at the deadline, while the connect goes on.
pub(crate) fn until_connected(socket: impl AsFd, deadline: Deadline) -> io::Result<()> {
    until_ready(&socket, PollFlags::OUT, deadline)?;
    Ok(socket_error(socket)??)
}

/// Makes a system call again until it was neither interrupted nor told to wait.
pub(crate) fn retry<T>(
    socket: impl AsFd,
    events: PollFlags,
    mut call: impl FnMut() -> rustix::io::Result<T>,
) -> io::Result<T> {
    loop {
        match call() {
            Ok(done) => return Ok(done),
            Err(Errno::INTR) => {}
            // The descriptor may be shared with somebody who does not want to block.
            Err(Errno::AGAIN) => until_ready(&socket, events, Deadline::NEVER)?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Makes a system call again until it was not interrupted.
pub(crate) fn uninterrupted<T>(call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    Ok(retry_on_intr(call)?)
}
