//! How sockets are set up. The defaults are meant for servers and clients that talk calls; each one says why.
//!
//! Options hold no address and open nothing.

use std::time::Duration;

use tokio::time::Instant;

/// How sockets are set up.
///
/// ```
/// use farcall_socket::Options;
/// let options = Options { backlog: Some(16), ..Options::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many connections may wait to be accepted; `None` is the system's maximum (`net.core.somaxconn`).
    ///
    /// Default `None`: a full queue drops the client's SYN without an answer and costs it a second or more, while a
    /// waiting connection costs little. The kernel takes one more than it is told. `mem://` reads `None` as 128.
    pub backlog: Option<u32>,
    /// Send small writes at once (`TCP_NODELAY`). Default `true`: farcall already writes a batch with one write, so
    /// that waiting for more only adds delay.
    pub nodelay: bool,
    /// Probe an idle TCP connection, so that a peer that vanished without a word is noticed. Default: see [`Keepalive`].
    pub keepalive: Option<Keepalive>,
    /// How long sent TCP bytes may stay unacknowledged before the connection is given up (`TCP_USER_TIMEOUT`).
    /// Default 30 s: the kernel alone would try for about 15 minutes. `None` leaves it to the kernel.
    pub user_timeout: Option<Duration>,
    /// How long a connect may take in all: names, every address, a full queue at the other end. Default 10 s: long
    /// enough for six more SYNs to a listener whose queue is full.
    pub connect_timeout: Duration,
    /// Permission bits of a Unix socket's file. Default `0o600`: only the same user (and root) can connect.
    pub unix_mode: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            backlog: None,
            nodelay: true,
            keepalive: Some(Keepalive::default()),
            user_timeout: Some(Duration::from_secs(30)),
            connect_timeout: Duration::from_secs(10),
            unix_mode: 0o600,
        }
    }
}

impl Options {
    /// When a connect that begins now has to be done. A time-out beyond what the clock can hold is cut to 30 years.
    pub(crate) fn connect_deadline(&self) -> Instant {
        let now = Instant::now();
        let far = Duration::from_hours(30 * 365 * 24);
        now + self.connect_timeout.min(far)
    }

    /// As `listen` takes it. The kernel cuts the number down to its maximum, so that the largest stands for that maximum.
    pub(crate) fn kernel_backlog(&self) -> i32 {
        let wanted = self.backlog.unwrap_or(u32::MAX);
        i32::try_from(wanted).unwrap_or(i32::MAX)
    }
}

/// When an idle TCP connection is probed. Durations are rounded to whole seconds, at least 1 s and at most 32,767 s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Silence before the first probe. Default 60 s: below the usual idle limits of NAT boxes and load balancers.
    pub idle: Duration,
    /// Time between probes that are not answered. Default 20 s.
    pub interval: Duration,
    /// Unanswered probes before the connection is given up, 1 to 127. Default 3; a user timeout can end it sooner.
    pub probes: u8,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self { idle: Duration::from_mins(1), interval: Duration::from_secs(20), probes: 3 }
    }
}
