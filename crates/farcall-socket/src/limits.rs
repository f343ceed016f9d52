//! Every bound of this crate, each with its reason.

use std::time::Duration;

/// Longest endpoint, in bytes. Longer than any host name or socket path; it keeps error messages and maps small.
pub(crate) const ENDPOINT_BYTES: usize = 1024;

/// Longest Unix socket path, in bytes: `sun_path` is 108 bytes and the last one is the final NUL.
pub(crate) const UNIX_PATH_BYTES: usize = 107;

/// Longest host name, in bytes (RFC 1035, section 2.3.4, as text without the final dot).
pub(crate) const HOST_BYTES: usize = 253;

/// Longest label of a host name, in bytes (RFC 1035, section 2.3.4).
pub(crate) const LABEL_BYTES: usize = 63;

/// Longest name of a network interface, in bytes: the kernel's `IFNAMSIZ` less the final NUL.
pub(crate) const DEVICE_BYTES: usize = 15;

/// Options in the query of an endpoint; there are fewer.
pub(crate) const QUERY_OPTIONS: usize = 32;

/// Longest abstract Unix name, in bytes: `sun_path` less the NUL at its beginning.
pub(crate) const ABSTRACT_NAME_BYTES: usize = 107;

/// Longest part of an endpoint that an error quotes, in bytes. The text may come from a stranger and end in a log.
pub(crate) const QUOTED_BYTES: usize = 256;

/// How much of `/etc/services` is read, in bytes; the usual file has 13 KB, the full register about 1 MB.
pub(crate) const SERVICES_FILE_BYTES: u64 = 2 * 1024 * 1024;

/// How many addresses of a name are tried. A name server chooses how many it sends, and each costs a socket.
pub(crate) const ADDRESSES: usize = 32;

/// Head start of an address before the next one is tried too (RFC 8305, section 5: 250 ms recommended).
pub(crate) const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// First and longest pause after the process ran out of descriptors or memory. Without a pause the waiting connection
/// keeps the listener ready and the accept loop takes a whole core.
pub const ACCEPT_PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// Connections in a row that may fail inside accept before it pauses. Each such failure takes a connection off the
/// queue, so that a longer run means an error that does not go away.
pub(crate) const ACCEPT_FAILURES: u32 = 64;

/// First and longest pause between two tries to enter the full queue of a Unix listener, which gives no sign when
/// there is room again.
pub(crate) const UNIX_QUEUE_PAUSE: (Duration, Duration) =
    (Duration::from_millis(1), Duration::from_millis(50));

/// How often a Unix bind starts over because the file at its path changed under its hands.
pub(crate) const UNIX_BIND_ROUNDS: u32 = 4;

/// How long a Unix bind waits for another process that binds in the same folder. They hold the lock for well under a
/// millisecond; whoever holds it longer is not one of us, and must not stop us from starting.
pub(crate) const UNIX_LOCK_WAIT: Duration = Duration::from_millis(500);

/// Buffered slices per write: the kernel's `UIO_MAXIOV`. More are an error instead of a short write.
pub(crate) const WRITE_SLICES: usize = 1024;

/// Bytes in flight each way of a connection in memory: as much as a Unix socket or a stream's first window holds.
pub(crate) const MEMORY_PIPE_BYTES: usize = 64 * 1024;

/// Connections that wait at a `mem://` listener when the options do not say.
pub(crate) const MEMORY_BACKLOG: u32 = 128;

/// Room for one datagram of the kernel's socket table, in bytes: it fills at most 32 KiB per datagram.
pub(crate) const NETLINK_MESSAGE_BYTES: usize = 64 * 1024;

/// How long to wait for the kernel's socket table. It answers at once; this only ends what would otherwise hang.
pub(crate) const NETLINK_WAIT: Duration = Duration::from_secs(5);

/// Sockets of one kind and family in the table. A row takes some 300 bytes, and nobody reads more of them.
pub(crate) const TABLE_SOCKETS: usize = 256 * 1024;

/// Descriptors of all processes that are looked at for sockets, at about 1 microsecond each.
pub(crate) const TABLE_DESCRIPTORS: usize = 1024 * 1024;

/// Holders of one socket that are remembered; a forking server can have thousands of processes on one listener.
pub(crate) const TABLE_HOLDERS: usize = 16;

/// First and usual largest size of the buffer behind robust reads, in bytes. It starts small because most connections
/// are idle, and grows further only for a line or a count that was asked for.
pub(crate) const READ_BUFFER_BYTES: (usize, usize) = (1024, 16 * 1024);

/// Longest line that a robust read takes unless it is told otherwise, in bytes. The other end chooses how long it is.
pub(crate) const LINE_BYTES: usize = 64 * 1024;

/// Most groups that an endpoint's query may name: what one socket may join by default (`net.ipv4.igmp_max_memberships`).
pub(crate) const MULTICAST_GROUPS: usize = 20;

/// Messages that one system call receives or sends. 32 bring a UDP datagram down to a tenth of its cost alone; more gain
/// little and take stack.
pub(crate) const DATAGRAM_BATCH: usize = 32;

/// Room for one received message, in bytes: no UDP datagram is longer, and what the kernel joined of several is not.
pub(crate) const DATAGRAM_BYTES: usize = 64 * 1024;

/// Longest UDP datagram, in bytes: 65,535 less the headers of IPv4 and UDP.
pub(crate) const UDP_BYTES: usize = 65_507;

/// Datagrams that the kernel cuts one message into (`UDP_MAX_SEGMENTS` was 64 before Linux 6.9).
pub(crate) const SEGMENTS: usize = 64;

/// Datagrams and bytes that wait for a flush before a batch flushes by itself.
pub(crate) const OUTBOX: (usize, usize) = (1024, 1024 * 1024);

/// Descriptors in one message: the kernel's `SCM_MAX_FD`.
pub(crate) const DESCRIPTORS_PER_MESSAGE: usize = 253;

/// Sockets that a supervisor may hand in. It sets the number, and a wrong one must not keep us busy.
pub(crate) const INHERITED_SOCKETS: u16 = 1024;

/// Longest message of a hand-over: 253 names of at most 255 bytes, each with a sign and an end of line.
pub(crate) const HANDOVER_BYTES: usize = 64 * 1024 + 2;
