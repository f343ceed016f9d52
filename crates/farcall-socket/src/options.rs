//! How sockets are set up. The defaults are meant for servers and clients that talk calls; each one says why.
//!
//! Options open nothing. An endpoint can carry some of them as a query, as in `tcp://127.0.0.1:80?backlog=64&nodelay=0`.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Socket, TcpKeepalive, Type};
use tokio::time::Instant;

use crate::query;
use crate::sys::option;
use crate::udp;

/// How sockets are set up.
///
/// ```
/// use farcall_socket::Options;
/// let options = Options { backlog: Some(16), ..Options::default() };
/// assert_eq!(options.to_string(), "backlog=16");
/// ```
///
/// Prints what differs from the defaults, as the query of an endpoint. The keys are
/// `backlog`, `nodelay`, `keepalive`, `keepidle`, `keepinterval`, `keepprobes`, `usertimeout`, `connecttimeout`, `mode`,
/// `reuseaddr`, `reuseport`, `rcvbuf`, `sndbuf`, `linger`, `fastopen`, `deferaccept`, `v6only`, `device`, `local`,
/// `broadcast`, `groups` (with commas), `hops` and `loop`.
/// Switches are `0` or `1`, sizes are bytes, times are a whole number with `ms`, `s`, `m` or `h`, and `none` stands for
/// `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
// Each is a switch of the kernel by itself; no two of them make one state.
#[allow(clippy::struct_excessive_bools)]
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
    /// Listen on a port although connections of an earlier listener linger in `TIME_WAIT` (`SO_REUSEADDR`). Default `true`:
    /// without it a restart within a minute is refused. It takes no port away from a listener that lives.
    pub reuse_address: bool,
    /// Let several listeners share a port; each gets a part of the connections (`SO_REUSEPORT`). Default `false`: a
    /// second server started by mistake would take half of the connections without a word, and connections that wait in
    /// the queue of one that ends are reset.
    pub reuse_port: bool,
    /// Bytes that may wait to be read (`SO_RCVBUF`; the kernel takes twice the number for its own accounting). Default
    /// `None`: the kernel fits the buffer to the path as it goes, and stops to do so once it is told a number.
    pub receive_buffer: Option<usize>,
    /// Bytes that may wait to be sent and acknowledged (`SO_SNDBUF`). Default `None`, for the same reason.
    pub send_buffer: Option<usize>,
    /// What close does about bytes that are not sent yet (`SO_LINGER`): `None`, the default, returns at once and lets the
    /// kernel send them; a time waits for up to so long; zero throws them away and resets the connection.
    pub linger: Option<Duration>,
    /// How many clients may send data with their SYN before the handshake is done (`TCP_FASTOPEN`); a client with more
    /// than 0 sends so. Default 0, which is off: the network can deliver such data twice, and a call must not run twice.
    pub fast_open: u32,
    /// Keep a connection out of the accept queue until it has sent something, for up to so long (`TCP_DEFER_ACCEPT`,
    /// whole seconds). Default `None`: it would stop every protocol in which the server speaks first.
    pub defer_accept: Option<Duration>,
    /// Make `[::]` stand for IPv6 only. Default `false`: it takes IPv4 too, whatever `net.ipv6.bindv6only` says.
    pub v6_only: bool,
    /// Use only this network interface (`SO_BINDTODEVICE`). Default `None`: the routes decide.
    pub device: Option<Arc<str>>,
    /// Where a client's own end is to be; port 0 takes a free one. Default `None`: a client need not bind, the kernel
    /// picks the address by the route and a port of the ephemeral range. Addresses of the other family ignore it.
    pub local: Option<SocketAddr>,
    /// Let datagrams go to everybody on a network (`SO_BROADCAST`). Default `false`: the kernel then refuses a broadcast
    /// address, which a name or a peer could have brought in.
    pub broadcast: bool,
    /// Multicast groups whose datagrams are received, on [`Options::device`] or where the routes lead. Default none.
    /// Groups of the other family than the socket's are passed over.
    pub groups: Vec<IpAddr>,
    /// How many routers a multicast datagram may pass (`IP_MULTICAST_TTL`, `IPV6_MULTICAST_HOPS`), at most 255. Default 1:
    /// it stays in its own network.
    pub multicast_hops: u8,
    /// Give multicast datagrams to the receivers on this machine, too. Default `true`, as the kernel does.
    pub multicast_loop: bool,
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
            reuse_address: true,
            reuse_port: false,
            receive_buffer: None,
            send_buffer: None,
            linger: None,
            fast_open: 0,
            defer_accept: None,
            v6_only: false,
            device: None,
            local: None,
            broadcast: false,
            groups: Vec::new(),
            multicast_hops: 1,
            multicast_loop: true,
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

    /// Sets up a new socket. Accepted sockets inherit all of it from their listener.
    pub(crate) fn apply(&self, socket: &Socket, domain: Domain, kind: Type) -> io::Result<()> {
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.send_buffer {
            socket.set_send_buffer_size(bytes)?;
        }
        if domain == Domain::UNIX {
            return Ok(());
        }
        if let Some(device) = &self.device {
            socket.bind_device(Some(device.as_bytes()))?;
        }
        match kind {
            Type::STREAM => self.apply_tcp(socket),
            Type::DGRAM => udp::apply(self, socket, domain),
            _ => Ok(()),
        }
    }

    fn apply_tcp(&self, socket: &Socket) -> io::Result<()> {
        socket.set_tcp_nodelay(self.nodelay)?;
        if let Some(keepalive) = &self.keepalive {
            let keepalive = TcpKeepalive::new()
                .with_time(whole_seconds(keepalive.idle))
                .with_interval(whole_seconds(keepalive.interval))
                .with_retries(u32::from(keepalive.probes.clamp(1, 127)));
            socket.set_tcp_keepalive(&keepalive)?;
        }
        if self.user_timeout.is_some() {
            socket.set_tcp_user_timeout(self.user_timeout)?;
        }
        if let Some(time) = self.linger {
            // Counted in whole seconds; half a second must not become the zero that throws bytes away.
            let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
            socket.set_linger(Some(Duration::from_secs(seconds.min(32_767))))?;
        }
        Ok(())
    }

    /// What a socket needs before it is bound to an address.
    pub(crate) fn apply_before_bind(&self, socket: &Socket, address: SocketAddr) -> io::Result<()> {
        // Of two UDP sockets that set it the second takes the port away from the first; only members of a group share.
        if self.reuse_address && (socket.r#type()? != Type::DGRAM || !self.groups.is_empty()) {
            socket.set_reuse_address(true)?;
        }
        if self.reuse_port {
            socket.set_reuse_port(true)?;
        }
        if let SocketAddr::V6(v6) = address {
            socket.set_only_v6(self.v6_only || !v6.ip().is_unspecified())?;
        }
        Ok(())
    }

    /// What a TCP socket needs before it listens.
    pub(crate) fn apply_before_listen(&self, socket: &Socket) -> io::Result<()> {
        if self.fast_open > 0 {
            let waiting = i32::try_from(self.fast_open).unwrap_or(i32::MAX);
            option::set_number(socket, option::TCP_FASTOPEN, waiting)?;
        }
        if let Some(time) = self.defer_accept {
            let seconds = whole_seconds(time).as_secs();
            option::set_number(socket, option::TCP_DEFER_ACCEPT, seconds as i32)?;
        }
        Ok(())
    }

    /// What a TCP socket needs before it connects.
    pub(crate) fn apply_before_connect(&self, socket: &Socket, to: SocketAddr) -> io::Result<()> {
        if self.fast_open > 0 {
            option::set_number(socket, option::TCP_FASTOPEN_CONNECT, 1)?;
        }
        if let Some(local) = self.local.filter(|local| local.is_ipv4() == to.is_ipv4()) {
            if local.port() == 0 {
                // The port is then chosen by connect, which knows that the same one may lead to many other ends.
                option::set_number(socket, option::BIND_ADDRESS_NO_PORT, 1)?;
            }
            socket.bind(&local.into())?;
        }
        Ok(())
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        query::emit(self, f)
    }
}

/// The kernel counts these times in whole seconds, and 32,767 of them are its limit for the keepalive times.
fn whole_seconds(time: Duration) -> Duration {
    time.clamp(Duration::from_secs(1), Duration::from_secs(32_767))
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
