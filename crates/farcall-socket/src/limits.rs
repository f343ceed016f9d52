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
pub(crate) const ACCEPT_PAUSE: (Duration, Duration) =
    (Duration::from_millis(5), Duration::from_secs(1));

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
