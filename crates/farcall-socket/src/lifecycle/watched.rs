//! Sockets of packets for use with tokio. Streams have [`crate::Listener`] and [`crate::Connection`] instead.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::net::{SocketFlags, acceptfrom_with};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::connected::{receive_packet, send_packet, whole};
use super::{Connected, Listening, SeqPacket, Socket};
use crate::sys::watch::watch;
use crate::wait::uninterrupted;

/// A [`SeqPacket`] socket in the state `S` that a tokio runtime watches.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use farcall_socket::{Connected, Socket, lifecycle::SeqPacket};
///
/// let (left, right) = Socket::<Connected, SeqPacket>::pair()?;
/// let (left, right) = (left.into_async()?, right.into_async()?);
/// left.send(b"one").await?;
/// left.send(b"two").await?;
/// let mut buffer = [0; 16];
/// assert_eq!(right.receive(&mut buffer).await?, 3);
/// assert_eq!(&buffer[..3], b"one");
/// # Ok::<_, std::io::Error>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct Watched<S> {
    // Dropped before the descriptor, as in `Socket`.
    state: S,
    watch: AsyncFd<Arc<OwnedFd>>,
}

impl<S> Socket<S, SeqPacket> {
    fn watched(self) -> io::Result<Watched<S>> {
        self.raw.set_nonblocking(true)?;
        let watch = watch(Arc::new(self.raw.into()))?;
        Ok(Watched { state: self.state, watch })
    }
}

impl Socket<Listening, SeqPacket> {
    /// The same queue for use with tokio. Must be called inside a runtime with I/O and time enabled.
    ///
    /// # Errors
    /// When the runtime cannot watch the socket.
    pub fn into_async(self) -> io::Result<Watched<Listening>> {
        self.watched()
    }
}

impl Socket<Connected, SeqPacket> {
    /// The same connection for use with tokio. Must be called inside a runtime with I/O enabled.
    ///
    /// # Errors
    /// When the runtime cannot watch the socket.
    pub fn into_async(self) -> io::Result<Watched<Connected>> {
        self.watched()
    }
}

impl Watched<Listening> {
    /// The connection that waits longest; waits for one while the queue is empty. Dropping the future loses none.
    /// Without descriptors or memory it tries again after 5 ms, doubling up to 1 s.
    ///
    /// # Errors
    /// Only when the listener itself is broken; never because of a single connection.
    pub async fn accept(&self) -> io::Result<Watched<Connected>> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let accept = |socket: &Arc<OwnedFd>| uninterrupted(|| acceptfrom_with(socket, flags));
        loop {
            self.state.pause.wait().await;
            let accepted = self.watch.async_io(Interest::READABLE, accept).await;
            match accepted.and_then(|(socket, _)| watch(Arc::new(socket))) {
                Ok(watch) => {
                    self.state.pause.accepted();
                    let through = self.state.through.clone();
                    return Ok(Watched { state: Connected { through, file: None }, watch });
                }
                Err(error) => self.state.pause.failed(error)?,
            }
        }
    }
}

impl Watched<Connected> {
    /// Sends one message, whole or not at all. Dropping the future before it is ready has sent nothing.
    ///
    /// # Errors
    /// When the other end is gone, or the message is larger than the send buffer.
    pub async fn send(&self, message: &[u8]) -> io::Result<()> {
        let send = |socket: &Arc<OwnedFd>| uninterrupted(|| send_packet(socket, message));
        self.watch.async_io(Interest::WRITABLE, send).await?;
        Ok(())
    }

    /// Receives one message, and says how long it is; 0 at the end of them, or for an empty one.
    ///
    /// # Errors
    /// `InvalidData` when the message is longer than the buffer; what did not fit is lost.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len();
        let receive = |socket: &Arc<OwnedFd>| uninterrupted(|| receive_packet(socket, buffer));
        whole(self.watch.async_io(Interest::READABLE, receive).await?, room)
    }
}

impl<S> Watched<S> {
    /// The socket itself, for use without a runtime.
    ///
    /// # Errors
    /// When the kernel refuses to make it blocking.
    pub fn into_blocking(self) -> io::Result<Socket<S, SeqPacket>> {
        let descriptor = self.watch.into_inner();
        // Nobody else ever gets the `Arc`; a copy of the descriptor would do as well.
        let descriptor = match Arc::try_unwrap(descriptor) {
            Ok(descriptor) => descriptor,
            Err(shared) => shared.try_clone()?,
        };
        let raw = socket2::Socket::from(descriptor);
        raw.set_nonblocking(false)?;
        Ok(Socket::new(raw, self.state))
    }
}

impl<S> AsFd for Watched<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.get_ref().as_fd()
    }
}
