//! Socket options for which no safe crate has a function.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// An option by its level and name, as `getsockopt` takes them.
pub(crate) type Name = (c_int, c_int);

/// The facts about a TCP socket (`struct tcp_info`).
pub(crate) const TCP_INFO: Name = (libc::IPPROTO_TCP, libc::TCP_INFO);
/// Memory and drop counters of a socket, as an array of `u32`.
pub(crate) const MEMORY_INFO: Name = (libc::SOL_SOCKET, 55);
/// A descriptor of the process at the other end of a Unix socket.
pub(crate) const PEER_PIDFD: Name = (libc::SOL_SOCKET, 77);
/// How many connections may be open with data before their handshake is done.
pub(crate) const TCP_FASTOPEN: Name = (libc::IPPROTO_TCP, libc::TCP_FASTOPEN);
/// A connect sends nothing before the first write.
pub(crate) const TCP_FASTOPEN_CONNECT: Name = (libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT);
/// Seconds for which a connection without data is kept out of the queue.
pub(crate) const TCP_DEFER_ACCEPT: Name = (libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT);
/// A bind to port 0 leaves the port to connect, which knows both ends.
pub(crate) const BIND_ADDRESS_NO_PORT: Name = (libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT);

/// The kernel joins datagrams that came in a row into one message, and says how long each was.
pub(crate) const UDP_GRO: Name = (libc::IPPROTO_UDP, libc::UDP_GRO);

/// Reads up to `N` bytes of an option; the second value is how many the kernel wrote.
pub(crate) fn bytes<const N: usize>(
    socket: impl AsFd,
    (level, name): Name,
) -> io::Result<([u8; N], usize)> {
    let mut value = [0_u8; N];
    let mut length = N as libc::socklen_t;
    // SAFETY: `value` is N writable bytes and `length` says so; the kernel writes at most that many bytes and the number
    // of them to `length`. Both live until the call returns, and any byte is a valid `u8`.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            value.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((value, N.min(length as usize)))
}

/// Sets an option that is an `int`.
pub(crate) fn set_number(socket: impl AsFd, (level, name): Name, value: c_int) -> io::Result<()> {
    // SAFETY: the pointer leads to a live `int`, the length is that of an `int`, and the kernel only reads it.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The process at the other end of a Unix socket, as a descriptor that stays with it (`SO_PEERPIDFD`, Linux 6.5).
pub(crate) fn peer_pidfd(socket: impl AsFd) -> io::Result<OwnedFd> {
    let (value, _) = bytes(socket, PEER_PIDFD)?;
    let descriptor = c_int::from_ne_bytes(value);
    // SAFETY: the call succeeded, so the kernel opened this descriptor for us a moment ago (close-on-exec) and nobody
    // else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
