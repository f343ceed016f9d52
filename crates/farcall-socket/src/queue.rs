//! The accept queue of a listener, as the kernel counts it.
//!
//! Reading it takes nothing out of it. Connections that were refused for want of room have left no other trace.

use std::fmt;
use std::io;
use std::os::fd::AsFd;

use crate::sys::option;

/// How full a listener's queue of connections is that wait to be accepted.
///
/// Prints as `2/128`, and as `6/5 (full, 3 dropped)` when it overflowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Queue {
    /// Connections that wait to be accepted.
    pub now: u32,
    /// How many may wait: the backlog, cut down to the system's maximum. The kernel takes one more.
    pub max: u32,
    /// Attempts that found the queue full, and other segments that the listener threw away, since it began to listen.
    /// A client whose attempt was dropped hears nothing and tries again after a second. Unix listeners drop nothing.
    pub dropped: u32,
}

/// Where the fields of `struct tcp_info` are (`linux/tcp.h`). For a listener the first two counts have another meaning.
const STATE: usize = 0;
const UNACKED: usize = 24;
const SACKED: usize = 28;
const LISTEN: u8 = 10;
/// Where the drop counter is among the numbers of `SO_MEMINFO` (`linux/sock_diag.h`).
pub(crate) const DROPS: usize = 8 * 4;

impl Queue {
    /// Whether the next connection has to wait outside: TCP drops its SYN, a Unix connect blocks.
    pub fn is_full(&self) -> bool {
        self.now > self.max
    }

    /// Asks the kernel about a listening TCP socket of this process.
    ///
    /// # Errors
    /// `Unsupported` for sockets that are not TCP; `InvalidInput` for TCP sockets that do not listen.
    pub fn of(socket: impl AsFd) -> io::Result<Self> {
        let (info, length) = option::bytes::<32>(&socket, option::TCP_INFO)?;
        if length < info.len() || info[STATE] != LISTEN {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket does not listen"));
        }
        let (memory, _) = option::bytes::<36>(&socket, option::MEMORY_INFO)?;
        Ok(Self {
            now: number(&info, UNACKED),
            max: number(&info, SACKED),
            dropped: number(&memory, DROPS),
        })
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { now, max, dropped } = self;
        write!(f, "{now}/{max}")?;
        match (self.is_full(), dropped) {
            (false, 0) => Ok(()),
            (true, 0) => f.write_str(" (full)"),
            (true, _) => write!(f, " (full, {dropped} dropped)"),
            (false, _) => write!(f, " ({dropped} dropped)"),
        }
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_ne_bytes(*four))
}
