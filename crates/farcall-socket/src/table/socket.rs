//! One socket of the table, and the words for what it is and does.
//!
//! Values only: nothing here asks the kernel.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::queue::Queue;

/// What kind of socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// TCP over IPv4 or IPv6.
    Tcp,
    /// UDP over IPv4 or IPv6.
    Udp,
    /// A Unix socket that carries bytes.
    UnixStream,
    /// A Unix socket that carries datagrams.
    UnixDatagram,
    /// A Unix socket that carries records in order.
    UnixSeqpacket,
}

impl Kind {
    /// Whether it carries datagrams without a connection, so that there is nothing to accept.
    pub fn is_datagram(self) -> bool {
        matches!(self, Self::Udp | Self::UnixDatagram)
    }

    /// Whether it stays on this machine.
    pub fn is_unix(self) -> bool {
        !matches!(self, Self::Tcp | Self::Udp)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::UnixStream => "unix",
            Self::UnixDatagram => "unix-datagram",
            Self::UnixSeqpacket => "unix-seqpacket",
        })
    }
}

/// Where in its life a socket is. For Unix sockets and UDP only the first three and the last but one occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Neither connected nor listening.
    Unconnected,
    /// Waits for connections.
    Listening,
    /// Connected; perhaps not accepted yet.
    Established,
    /// Asked for a connection and waits for the answer.
    SynSent,
    /// Was asked for a connection and waits for the last word of the handshake.
    SynReceived,
    /// Closed or shut down here; the other end has not acknowledged that.
    FinWait1,
    /// Closed or shut down here, which the other end knows; it can still send.
    FinWait2,
    /// Shut down by the other end, not by this one yet.
    CloseWait,
    /// Both ends closed at the same time.
    Closing,
    /// Closed by the other end first and then here; the last acknowledgement is missing.
    LastAck,
    /// Closed; the kernel still catches late segments, for a minute.
    TimeWait,
    /// Has an address, and is neither connected nor listening.
    Bound,
    /// A number that this version does not know.
    Other(u8),
}

impl State {
    /// All that have a name.
    pub const NAMED: [Self; 12] = [
        Self::Unconnected,
        Self::Listening,
        Self::Established,
        Self::SynSent,
        Self::SynReceived,
        Self::FinWait1,
        Self::FinWait2,
        Self::CloseWait,
        Self::Closing,
        Self::LastAck,
        Self::TimeWait,
        Self::Bound,
    ];

    /// By the kernel's number (`include/net/tcp_states.h`), which Unix sockets share.
    pub(super) fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Established,
            2 => Self::SynSent,
            3 | 12 => Self::SynReceived,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            7 => Self::Unconnected,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listening,
            11 => Self::Closing,
            13 => Self::Bound,
            other => Self::Other(other),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Unconnected => "unconnected",
            Self::Listening => "listening",
            Self::Established => "established",
            Self::SynSent => "syn-sent",
            Self::SynReceived => "syn-received",
            Self::FinWait1 => "fin-wait-1",
            Self::FinWait2 => "fin-wait-2",
            Self::CloseWait => "close-wait",
            Self::Closing => "closing",
            Self::LastAck => "last-ack",
            Self::TimeWait => "time-wait",
            Self::Bound => "bound",
            Self::Other(_) => "other",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::NAMED.into_iter().find(|state| state.name().eq_ignore_ascii_case(name)).ok_or_else(
            || {
                let names = Self::NAMED.map(State::name).join(", ");
                format!("expected one of {names}")
            },
        )
    }
}

/// The address of one end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Name {
    /// An address and port. IPv4 addresses of an IPv6 socket's connection are written as IPv4.
    Ip(SocketAddr),
    /// A Unix socket's file.
    Path(PathBuf),
    /// A Unix socket's abstract name, without the zero byte that it begins with.
    Abstract(Vec<u8>),
    /// A Unix socket without a name.
    Unnamed,
}

impl Name {
    /// The port, where there is one.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Ip(address) => Some(address.port()),
            _ => None,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) if address.port() != 0 => address.fmt(f),
            Self::Ip(address) if address.is_ipv6() => write!(f, "[{}]:*", address.ip()),
            Self::Ip(address) => write!(f, "{}:*", address.ip()),
            // Files are named by anybody; a terminal must not obey them.
            Self::Path(path) => path.to_string_lossy().escape_debug().fmt(f),
            Self::Abstract(name) => write!(f, "@{}", name.escape_ascii()),
            Self::Unnamed => f.write_str("-"),
        }
    }
}

/// What the kernel has measured about a TCP connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Measured {
    /// Round-trip time, smoothed; `None` before the first measurement.
    pub round_trip: Option<Duration>,
    /// How much the round-trip time varies.
    pub variation: Duration,
    /// Segments sent again over the connection's life.
    pub retransmitted: u32,
    /// Time since bytes were last sent, 1 ms exact.
    pub last_sent: Duration,
    /// Time since bytes last came, 1 ms exact.
    pub last_received: Duration,
}

/// A process that has the socket open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The name of its program, as `/proc/PID/comm` has it: at most 15 bytes.
    pub command: String,
    /// The number of its descriptor.
    pub descriptor: u32,
}

/// One socket as the kernel sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Socket {
    /// What it is.
    pub kind: Kind,
    /// Where in its life it is.
    pub state: State,
    /// The address of this end.
    pub local: Name,
    /// The address of the other end, if it is connected to one. Unix clients are nameless.
    pub remote: Option<Name>,
    /// Connections that wait to be accepted; only listeners have it.
    pub accept_queue: Option<Queue>,
    /// Bytes that came and were not read; 0 for a listener.
    pub unread: u32,
    /// Bytes that were written and are not with the other end yet; 0 for a listener.
    pub unsent: u32,
    /// The round-trip time and more, for TCP connections.
    pub measured: Option<Measured>,
    /// The user that made the socket.
    pub uid: Option<u32>,
    /// The socket's own number. 0 while nobody has it open: not accepted yet, or closed.
    pub inode: u32,
    /// The number of the other end of a connected Unix socket.
    pub(super) peer_inode: Option<u32>,
    /// Who has it open, as far as this process may know: without privileges only processes of the same user.
    pub holders: Vec<Holder>,
}

impl Socket {
    /// Whether others can come to it: a listener, or a datagram socket that has an address and no partner.
    pub fn is_listening(&self) -> bool {
        let has_address = match &self.local {
            Name::Ip(address) => address.port() != 0,
            Name::Path(_) | Name::Abstract(_) => true,
            Name::Unnamed => false,
        };
        match self.state {
            State::Listening => true,
            State::Unconnected => self.kind.is_datagram() && has_address,
            _ => false,
        }
    }
}
