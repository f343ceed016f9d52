//! Descriptors passed over a Unix socket (`SCM_RIGHTS`).
//!
//! What arrives is close-on-exec from its first moment, and closed again when not all of it could be taken. Nothing here
//! asks what a descriptor is.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::lifecycle::Connected;
use crate::limits::DESCRIPTORS_PER_MESSAGE;
use crate::wait::{retry, uninterrupted};
use crate::{Connection, Socket};

impl<K> Socket<Connected, K> {
    /// Sends bytes, and duplicates of the descriptors with the first of them. Says how many bytes were taken; the
    /// descriptors went with them. Unix sockets only.
    ///
    /// # Errors
    /// `InvalidInput` without a byte or with more than 253 descriptors; an error of the system for other sockets.
    pub fn send_descriptors(
        &self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<usize> {
        check(bytes, descriptors)?;
        retry(self, PollFlags::OUT, || send(self, bytes, descriptors))
    }

    /// Receives bytes and the descriptors that came with them, at most `room`. No bytes mean the end.
    ///
    /// # Errors
    /// `InvalidData` when more descriptors came than there is room for, or than this process may open: all of them are
    /// closed then, and the bytes that came with them are lost.
    pub fn receive_descriptors(
        &self,
        buffer: &mut [u8],
        room: usize,
    ) -> io::Result<(usize, Vec<OwnedFd>)> {
        let received = retry(self, PollFlags::IN, || receive(self, buffer, room))?;
        received.complete(room)
    }
}

impl Connection {
    /// Sends bytes, and duplicates of the descriptors with the first of them. Says how many bytes were taken; the
    /// descriptors went with them. Unix sockets only.
    ///
    /// # Errors
    /// `InvalidInput` without a byte or with more than 253 descriptors; `Unsupported` for other connections.
    pub async fn send_descriptors(
        &self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<usize> {
        check(bytes, descriptors)?;
        let stream = self.unix_stream()?;
        let send = || uninterrupted(|| send(stream, bytes, descriptors));
        stream.async_io(tokio::io::Interest::WRITABLE, send).await
    }

    /// Receives bytes and the descriptors that came with them, at most `room`. No bytes mean the end.
    ///
    /// # Errors
    /// `InvalidData` when more descriptors came than there is room for, or than this process may open: all of them are
    /// closed then, and the bytes that came with them are lost. `Unsupported` for other connections than Unix, and while
    /// there are bytes that were put back.
    pub async fn receive_descriptors(
        &self,
        buffer: &mut [u8],
        room: usize,
    ) -> io::Result<(usize, Vec<OwnedFd>)> {
        if self.has_unread() {
            let text = "bytes that were put back are to be read first";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        let stream = self.unix_stream()?;
        let receive = || uninterrupted(|| receive(stream, buffer, room));
        stream.async_io(tokio::io::Interest::READABLE, receive).await?.complete(room)
    }
}

fn check(bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let text = match (bytes.len(), descriptors.len()) {
        (0, _) => "descriptors travel with at least one byte",
        (_, count) if count > DESCRIPTORS_PER_MESSAGE => "at most 253 descriptors fit in a message",
        _ => return Ok(()),
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

fn send(
    socket: impl AsFd,
    bytes: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> rustix::io::Result<usize> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(descriptors.len()))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        // The space was made for exactly this.
        let pushed = control.push(SendAncillaryMessage::ScmRights(descriptors));
        debug_assert!(pushed);
    }
    sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)
}

struct Received {
    bytes: usize,
    descriptors: Vec<OwnedFd>,
    flags: ReturnFlags,
}

fn receive(socket: impl AsFd, buffer: &mut [u8], room: usize) -> rustix::io::Result<Received> {
    let room = room.min(DESCRIPTORS_PER_MESSAGE);
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(room))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut slices = [IoSliceMut::new(buffer)];
    let message = recvmsg(socket, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    Ok(Received { bytes: message.bytes, descriptors, flags: message.flags })
}

impl Received {
    /// The bytes and descriptors, if none of them is missing.
    fn complete(self, room: usize) -> io::Result<(usize, Vec<OwnedFd>)> {
        let count = self.descriptors.len();
        let text = if self.flags.contains(ReturnFlags::CTRUNC) {
            // The kernel closed the others already. It does so, too, when this process may open no more.
            format!("descriptors got lost: there was room for {room}, and {count} could be opened")
        } else if self.flags.contains(ReturnFlags::TRUNC) {
            "the message is longer than the buffer".to_owned()
        } else if count > room {
            format!("expected at most {room} descriptors, got {count}")
        } else {
            return Ok((self.bytes, self.descriptors));
        };
        Err(io::Error::new(io::ErrorKind::InvalidData, text))
    }
}
