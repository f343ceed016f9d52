//! Several datagrams with one system call, and several in one message (`sendmmsg`, `recvmmsg`, UDP GSO and GRO).

use std::io;
use std::mem::{offset_of, size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::limits::DATAGRAM_BATCH;
use crate::sockaddr::{SockaddrStorage, SockaddrStorageView};

/// One message that goes out.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub(crate) bytes: &'a [u8],
    /// `None` on a connected socket.
    pub(crate) to: Option<&'a SockaddrStorage>,
    /// The kernel cuts the bytes into datagrams of this length; the last may be shorter.
    pub(crate) segment: Option<u16>,
}

/// One message that came in.
#[derive(Clone, Copy)]
pub(crate) struct Incoming {
    /// How many bytes are in the buffer.
    pub(crate) length: usize,
    /// There were more than fit.
    pub(crate) is_cut: bool,
    /// The kernel joined datagrams of this length; the last may be shorter.
    pub(crate) segment: Option<usize>,
    name: [u8; SockaddrStorage::BYTES],
    name_length: usize,
}

impl Incoming {
    pub(crate) const NOTHING: Self = Self {
        length: 0,
        is_cut: false,
        segment: None,
        name: [0; SockaddrStorage::BYTES],
        name_length: 0,
    };

    /// Who sent it.
    pub(crate) fn from(&self) -> SockaddrStorageView<'_> {
        SockaddrStorageView::new(&self.name, self.name_length)
    }
}

/// Room for one control message with a number in it, aligned as `struct cmsghdr` wants.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; 64]);

impl Control {
    const EMPTY: Self = Self([0; 64]);
    const HEADER: usize = size_of::<libc::cmsghdr>();

    /// A control message that holds the length of the segments; the second value is how many bytes it takes.
    fn segment(length: u16) -> (Self, usize) {
        type Header = libc::cmsghdr;
        let mut bytes = [0; 64];
        let mut put = |at: usize, field: &[u8]| {
            bytes[at..at + field.len()].copy_from_slice(field);
        };
        put(offset_of!(Header, cmsg_len), &(Self::HEADER + 2).to_ne_bytes());
        put(offset_of!(Header, cmsg_level), &libc::IPPROTO_UDP.to_ne_bytes());
        put(offset_of!(Header, cmsg_type), &libc::UDP_SEGMENT.to_ne_bytes());
        put(Self::HEADER, &length.to_ne_bytes());
        (Self(bytes), Self::HEADER + size_of::<usize>())
    }

    /// The length of the segments, if the kernel told one. The socket asks for no other control message.
    fn parse_segment(&self, length: usize) -> Option<usize> {
        type Header = libc::cmsghdr;
        let bytes = self.0.get(..length)?;
        let number = |at: usize| bytes.get(at..)?.first_chunk().copied().map(i32::from_ne_bytes);
        let is_it = number(offset_of!(Header, cmsg_level))? == libc::IPPROTO_UDP
            && number(offset_of!(Header, cmsg_type))? == libc::UDP_GRO;
        let segment = usize::try_from(number(Self::HEADER)?).ok()?;
        (is_it && segment > 0).then_some(segment)
    }
}

/// Sends the messages, at most [`DATAGRAM_BATCH`] of them, without waiting. Says how many were sent: at least one.
///
/// # Errors
/// The error of the first message; those behind a message that failed were not sent.
pub(crate) fn send(socket: BorrowedFd<'_>, messages: &[Outgoing<'_>]) -> io::Result<usize> {
    let messages = &messages[..messages.len().min(DATAGRAM_BATCH)];
    let mut controls = [Control::EMPTY; DATAGRAM_BATCH];
    // SAFETY: `iovec` and `mmsghdr` are C structs of numbers and pointers, for which zero (null) is a value.
    let mut slices: [libc::iovec; DATAGRAM_BATCH] = unsafe { zeroed() };
    // SAFETY: as above.
    let mut headers: [libc::mmsghdr; DATAGRAM_BATCH] = unsafe { zeroed() };
    for (index, message) in messages.iter().enumerate() {
        slices[index].iov_base = message.bytes.as_ptr().cast_mut().cast();
        slices[index].iov_len = message.bytes.len();
        let header = &mut headers[index].msg_hdr;
        header.msg_iov = &raw mut slices[index];
        header.msg_iovlen = 1;
        if let Some(name) = message.to {
            header.msg_name = name.address().as_ptr().cast_mut().cast();
            header.msg_namelen = name.address().len() as libc::socklen_t;
        }
        if let Some(segment) = message.segment {
            let (control, length) = Control::segment(segment);
            controls[index] = control;
            header.msg_control = controls[index].0.as_mut_ptr().cast();
            header.msg_controllen = length as _;
        }
    }
    // SAFETY: the first `messages.len()` headers are filled. Each points to one slice, to a name and a control message
    // with their true lengths or to nothing; all of them live until the call returns, and the kernel only reads what
    // they point to. It writes to `msg_len` of the headers alone.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            messages.len() as _,
            (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Receives messages without waiting, at most as many as `incoming` and [`DATAGRAM_BATCH`] have room for, each into its
/// own `stride` bytes of the buffer. Says how many came: at least one.
///
/// # Errors
/// `WouldBlock` when none is there.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    stride: usize,
    incoming: &mut [Incoming],
) -> io::Result<usize> {
    let mut controls = [Control::EMPTY; DATAGRAM_BATCH];
    // SAFETY: `iovec` and `mmsghdr` are C structs of numbers and pointers, for which zero (null) is a value.
    let mut slices: [libc::iovec; DATAGRAM_BATCH] = unsafe { zeroed() };
    // SAFETY: as above.
    let mut headers: [libc::mmsghdr; DATAGRAM_BATCH] = unsafe { zeroed() };
    let mut count = 0;
    let rooms = buffer.chunks_exact_mut(stride).zip(&mut *incoming).take(DATAGRAM_BATCH);
    for (index, (room, message)) in rooms.enumerate() {
        slices[index].iov_base = room.as_mut_ptr().cast();
        slices[index].iov_len = room.len();
        let header = &mut headers[index].msg_hdr;
        header.msg_iov = &raw mut slices[index];
        header.msg_iovlen = 1;
        header.msg_name = message.name.as_mut_ptr().cast();
        header.msg_namelen = message.name.len() as libc::socklen_t;
        header.msg_control = controls[index].0.as_mut_ptr().cast();
        header.msg_controllen = controls[index].0.len() as _;
        count += 1;
    }
    // SAFETY: the first `count` headers are filled. Each points to one slice, a name and a control buffer, all disjoint,
    // with their true lengths; they are borrowed or owned by this function until the call returns. The kernel writes
    // within these lengths, and every byte is a valid `u8`. A null timeout means none.
    let received = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count,
            libc::MSG_DONTWAIT as _,
            std::ptr::null_mut(),
        )
    };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    for (index, message) in incoming.iter_mut().take(received).enumerate() {
        let header = &headers[index];
        message.length = stride.min(header.msg_len as usize);
        message.is_cut = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
        message.name_length = header.msg_hdr.msg_namelen as usize;
        message.segment = controls[index].parse_segment(header.msg_hdr.msg_controllen as usize);
    }
    Ok(received)
}
