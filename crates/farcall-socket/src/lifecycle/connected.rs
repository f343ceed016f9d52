//! One end of a connection.

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::event::PollFlags;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, send, sendmsg};
use socket2::Domain;

use super::unbound::through;
use super::{SeqPacket, Socket, Stream, name_from_kernel, owned};
use crate::limits::WRITE_SLICES;
use crate::sockaddr::Sockaddr;
use crate::unix::{self, BoundPath};
use crate::wait::retry;
use crate::{Address, Connection, Peer, tcp};

/// A socket with another end to talk to.
#[derive(Debug)]
pub struct Connected {
    /// The name of the Unix listener that the connection was made through.
    pub(super) through: Option<Address>,
    /// The file of this end, if it was bound to a path.
    pub(super) file: Option<Arc<BoundPath>>,
}

impl<K> Socket<Connected, K> {
    /// The address of the other end; without a name for a Unix client that was not bound.
    ///
    /// # Errors
    /// `NotConnected` when the other end is gone already.
    pub fn remote(&self) -> io::Result<Sockaddr> {
        name_from_kernel(&self.raw.peer_addr()?)
    }

    /// Who is at the other end.
    ///
    /// # Errors
    /// `NotConnected` when the other end is gone already.
    pub fn peer(&self) -> io::Result<Peer> {
        if let Some(address) = self.remote()?.socket_address() {
            return Ok(Peer::new(Address::Tcp(tcp::canonical(address)), None));
        }
        let through = self.state.through.clone().unwrap_or(Address::Unnamed);
        Ok(Peer::new(through, unix::credentials(&self.raw)))
    }

    /// Ends one direction or both. After `Shutdown::Write` the other end reads the end of the bytes and can still answer.
    ///
    /// # Errors
    /// `NotConnected` when the other end is gone already.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.raw.shutdown(how)
    }

    /// The other process as a descriptor (Unix only, Linux 6.5): its number cannot be given to another process
    /// meanwhile, and it becomes readable when the process ends.
    ///
    /// # Errors
    /// When the socket is no Unix socket, the kernel is older, or the process is gone.
    pub fn peer_process(&self) -> io::Result<OwnedFd> {
        unix::peer_process(&self.raw)
    }
}

impl Socket<Connected, Stream> {
    /// Takes a socket that is connected already.
    pub(crate) fn adopt_connected(raw: socket2::Socket) -> io::Result<Self> {
        let remote = name_from_kernel(&raw.peer_addr()?)?;
        let local = name_from_kernel(&raw.local_addr()?)?;
        raw.set_cloexec(true)?;
        let through = through(&remote).or(through(&local));
        Ok(Self::new(raw, Connected { through, file: None }))
    }

    /// Two ends of one pipe, as a parent and a child use them (`socketpair`).
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (left, right) = socket2::Socket::pair(Domain::UNIX, socket2::Type::STREAM, None)?;
        let end = |raw| Self::new(raw, Connected { through: None, file: None });
        Ok((end(left), end(right)))
    }

    /// The same connection for use with tokio. Must be called inside a runtime with I/O enabled.
    ///
    /// # Errors
    /// When the runtime cannot watch the socket, or the other end is gone already.
    pub fn into_async(self) -> io::Result<Connection> {
        let peer = Arc::new(self.peer()?);
        let is_unix = self.raw.domain()? == Domain::UNIX;
        self.raw.set_nonblocking(true)?;
        Connection::from_socket(self.raw, is_unix, peer, self.state.file)
    }

    /// From an async connection, with its peer's address.
    pub(crate) fn from_async(
        raw: socket2::Socket,
        peer: &Peer,
        file: Option<Arc<BoundPath>>,
    ) -> io::Result<Self> {
        raw.set_nonblocking(false)?;
        let through = match peer.address() {
            Address::Unix(_) | Address::Abstract(_) => Some(peer.address().clone()),
            _ => None,
        };
        Ok(Self::new(raw, Connected { through, file }))
    }
}

impl Read for &Socket<Connected, Stream> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let receive = || recv(&self.raw, &mut *buffer, RecvFlags::empty()).map(|(read, _)| read);
        retry(&self.raw, PollFlags::IN, receive)
    }
}

impl Write for &Socket<Connected, Stream> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        retry(&self.raw, PollFlags::OUT, || send(&self.raw, bytes, SendFlags::NOSIGNAL))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let slices = &slices[..slices.len().min(WRITE_SLICES)];
        retry(&self.raw, PollFlags::OUT, || {
            let mut no_control = SendAncillaryBuffer::default();
            sendmsg(&self.raw, slices, &mut no_control, SendFlags::NOSIGNAL)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Socket<Connected, Stream> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Write for Socket<Connected, Stream> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket<Connected, SeqPacket> {
    /// Two ends of one pipe of messages (`socketpair`).
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (left, right) = socket2::Socket::pair(Domain::UNIX, socket2::Type::SEQPACKET, None)?;
        let end = |raw| Self::new(raw, Connected { through: None, file: None });
        Ok((end(left), end(right)))
    }

    /// Sends one message, whole or not at all.
    ///
    /// # Errors
    /// When the other end is gone, or the message is larger than the send buffer.
    pub fn send(&self, message: &[u8]) -> io::Result<()> {
        retry(&self.raw, PollFlags::OUT, || send_packet(&self.raw, message))?;
        Ok(())
    }

    /// Receives one message, and says how long it is; 0 at the end of them, or for an empty one.
    ///
    /// # Errors
    /// `InvalidData` when the message is longer than the buffer; what did not fit is lost.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len();
        let length = retry(&self.raw, PollFlags::IN, || receive_packet(&self.raw, buffer))?;
        whole(length, room)
    }
}

pub(super) fn send_packet(socket: impl AsFd, message: &[u8]) -> rustix::io::Result<usize> {
    send(socket, message, SendFlags::NOSIGNAL)
}

/// Receives one message and says how long it was, which may be more than the buffer holds.
pub(super) fn receive_packet(socket: impl AsFd, buffer: &mut [u8]) -> rustix::io::Result<usize> {
    recv(socket, buffer, RecvFlags::TRUNC).map(|(_, length)| length)
}

/// The length of a message that was received whole.
pub(super) fn whole(length: usize, room: usize) -> io::Result<usize> {
    if length <= room {
        return Ok(length);
    }
    let text = format!("expected a message of at most {room} bytes, got {length}");
    Err(io::Error::new(io::ErrorKind::InvalidData, text))
}

impl<K> From<Socket<Connected, K>> for OwnedFd {
    fn from(socket: Socket<Connected, K>) -> Self {
        owned(socket.raw)
    }
}
