//! Netlink messages of `sock_diag`: asking for a dump, and taking the kernel's answer apart.
//!
//! Numbers are in this machine's byte order. What does not fit its own length is an error, never a panic; unknown
//! messages and attributes are passed over, because later kernels send more of them.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::netlink::SOCK_DIAG;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{recv, send, socket_with};

use crate::limits::{NETLINK_MESSAGE_BYTES, NETLINK_WAIT};

/// `struct nlmsghdr`: length, type, flags, sequence number, port.
const HEAD_BYTES: usize = 16;
/// `struct nlattr`: length and type.
const ATTRIBUTE_HEAD_BYTES: usize = 4;

/// `SOCK_DIAG_BY_FAMILY`
const BY_FAMILY: u16 = 20;
/// `NLMSG_ERROR`
const ERROR: u16 = 2;
/// `NLMSG_DONE`
const DONE: u16 = 3;
/// `NLM_F_REQUEST | NLM_F_DUMP`
const REQUEST_DUMP: u16 = 0x001 | 0x300;

/// Sends the request, and hands the body of every message of the answer to `take` until that returns `false`.
///
/// # Errors
/// The kernel's refusal (`NotFound` where it has no such table), or an answer that is not well formed.
pub(super) fn dump(request: &[u8], mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let socket = open()?;
    send(&socket, &message(request), SendFlags::empty())?;
    let mut buffer = vec![0; NETLINK_MESSAGE_BYTES];
    loop {
        let datagram = receive(&socket, &mut buffer)?;
        for message in Messages(datagram) {
            match message? {
                Message::Body(body) if take(body) => {}
                Message::Body(_) | Message::Done => return Ok(()),
                Message::Other => {}
            }
        }
    }
}

fn open() -> io::Result<OwnedFd> {
    let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
    let socket = socket_with(family, SocketType::DGRAM, flags, Some(SOCK_DIAG))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(NETLINK_WAIT))?;
    Ok(socket)
}

fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<&[u8]> {
    let length = loop {
        match recv(&socket, &mut *buffer, RecvFlags::TRUNC) {
            Ok((_, length)) => break length,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    match length {
        0 => Err(malformed("an empty answer")),
        length => buffer.get(..length).ok_or_else(|| malformed("an answer that was cut off")),
    }
}

/// The request as a message that asks for a dump.
fn message(request: &[u8]) -> Vec<u8> {
    let length = (HEAD_BYTES + request.len()) as u32;
    let mut bytes = Vec::with_capacity(HEAD_BYTES + request.len());
    bytes.extend(length.to_ne_bytes());
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST_DUMP.to_ne_bytes());
    // One request per socket: neither the sequence number nor the port has to tell answers apart.
    bytes.extend([0; 8]);
    bytes.extend(request);
    bytes
}

/// One message of a datagram.
#[derive(Debug, PartialEq, Eq)]
enum Message<'a> {
    /// One socket.
    Body(&'a [u8]),
    /// The dump is complete.
    Done,
    /// Nothing to us.
    Other,
}

/// The messages of one datagram, one after the other. Ends after the first that is not well formed.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = io::Result<Message<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let message = self.split();
        if message.is_err() {
            self.0 = &[];
        }
        Some(message)
    }
}

impl<'a> Messages<'a> {
    fn split(&mut self) -> io::Result<Message<'a>> {
        let length = number(self.0, 0).ok_or_else(|| malformed("half a head of a message"))?;
        let kind = short(self.0, 4).ok_or_else(|| malformed("half a head of a message"))?;
        let length = length as usize;
        let body = self.0.get(HEAD_BYTES..length).ok_or_else(|| malformed("a message's length"))?;
        self.0 = self.0.get(aligned(length)..).unwrap_or_default();
        match kind {
            BY_FAMILY => Ok(Message::Body(body)),
            // The kernel may end a dump with an error, too: then it is in the last message.
            ERROR | DONE => match number(body, 0).map(u32::cast_signed) {
                Some(code @ ..0) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
                Some(_) | None if kind == DONE => Ok(Message::Done),
                _ => Ok(Message::Other),
            },
            _ => Ok(Message::Other),
        }
    }
}

/// The attributes behind the fixed part of a message: type and value. Ends where the bytes make no sense.
pub(super) struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// Of a message whose fixed part has `fixed` bytes.
    pub(super) fn behind(body: &'a [u8], fixed: usize) -> Self {
        Self(body.get(fixed..).unwrap_or_default())
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(short(self.0, 0)?);
        let kind = short(self.0, 2)?;
        let value = self.0.get(ATTRIBUTE_HEAD_BYTES..length)?;
        self.0 = self.0.get(aligned(length)..).unwrap_or_default();
        Some((kind, value))
    }
}

/// Messages and attributes begin at multiples of four.
fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// The bytes at the place, if there are so many.
pub(super) fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes_at(bytes, at).map(u32::from_ne_bytes)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes_at(bytes, at).map(u16::from_ne_bytes)
}

/// An answer that the kernel should not have given.
pub(super) fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("sock_diag answered with {what}"))
}

/// Reads all messages of a datagram and their attributes, as far as they can be read.
#[cfg(test)]
pub(super) fn try_to_read(datagram: &[u8]) {
    for message in Messages(datagram) {
        if let Ok(Message::Body(body)) = message {
            Attributes::behind(body, 8).for_each(drop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of this kind, padded as the kernel does.
    fn canned(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = message(body);
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes.resize(aligned(bytes.len()), 0);
        bytes
    }

    fn read(bytes: &[u8]) -> Vec<io::Result<Message<'_>>> {
        Messages(bytes).collect()
    }

    #[test]
    fn several_messages_of_one_datagram_are_told_apart() {
        let mut bytes = canned(BY_FAMILY, b"first");
        bytes.extend(canned(BY_FAMILY, b""));
        bytes.extend(canned(99, b"what is this"));
        bytes.extend(canned(DONE, &0_i32.to_ne_bytes()));
        let messages: Vec<_> = read(&bytes).into_iter().map(Result::unwrap).collect();
        let expected = [Message::Body(b"first"), Message::Body(b""), Message::Other, Message::Done];
        assert_eq!(messages, expected);
    }

    #[test]
    fn a_refusal_is_an_error_with_the_kernels_number() {
        for kind in [ERROR, DONE] {
            let bytes = canned(kind, &(-2_i32).to_ne_bytes());
            let error = read(&bytes).pop().unwrap().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
        let smallest = canned(ERROR, &i32::MIN.to_ne_bytes());
        assert!(read(&smallest).pop().unwrap().is_err());
    }

    #[test]
    fn a_length_that_cannot_be_is_an_error_and_the_end() {
        for length in [0_u32, 1, 15, 22, u32::MAX] {
            let mut bytes = canned(BY_FAMILY, b"first");
            bytes.truncate(21);
            bytes[..4].copy_from_slice(&length.to_ne_bytes());
            let messages = read(&bytes);
            assert_eq!(messages.len(), 1, "{length}");
            assert!(messages[0].is_err(), "{length}");
        }
        assert!(read(&[1, 2, 3])[0].is_err());
    }

    #[test]
    fn attributes_end_where_they_make_no_sense() {
        let mut bytes = vec![0; 8];
        for (kind, value) in [(2_u16, &b"abc"[..]), (7, b"")] {
            bytes.extend(((4 + value.len()) as u16).to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(value);
            bytes.resize(aligned(bytes.len()), 0);
        }
        let all = |bytes: &[u8]| Attributes::behind(bytes, 8).count();
        assert_eq!(all(&bytes), 2);
        assert_eq!(Attributes::behind(&bytes, 8).next(), Some((2, &b"abc"[..])));
        for length in [0_u16, 3, 500] {
            bytes[16..18].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(all(&bytes), 1, "{length}");
        }
        assert_eq!(all(&bytes[..6]), 0);
    }
}
