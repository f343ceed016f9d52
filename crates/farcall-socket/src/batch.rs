//! The simple calls of a datagram socket, many datagrams to a system call.
//!
//! Outgoing datagrams are collected; neighbours of one length to one address become one message that the kernel cuts
//! again (GSO), and up to 32 messages leave with one call. Incoming ones are fetched 32 messages at a time, each of which
//! may be several datagrams that the kernel joined (GRO). Borders and order are those of the single calls.

use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use tokio::io::Interest;

use crate::datagram::{DatagramSocket, DatagramTooLong, Received};
use crate::limits::{DATAGRAM_BATCH, DATAGRAM_BYTES, OUTBOX, SEGMENTS, UDP_BYTES};
use crate::sockaddr::{Sockaddr, SockaddrStorage, SockaddrUn};
use crate::sys::datagrams::{self, Incoming, Outgoing};
use crate::sys::option::{self, UDP_GRO};

/// A [`DatagramSocket`] that collects what it sends and fetches many datagrams at once.
///
/// What was sent leaves when 1,024 datagrams or 1 MiB are together, with [`DatagramBatch::flush`], and before a receive has
/// to wait; so a question is out before its answer is waited for. What is left when the batch is dropped is sent as far
/// as that needs no waiting.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use farcall_socket::{DatagramSocket, Options};
///
/// let (options, anywhere) = (Options::default(), "udp://127.0.0.1:0".parse()?);
/// let mut server = DatagramSocket::bind(&anywhere, &options).await?.batched();
/// let mut client = DatagramSocket::bind(&anywhere, &options).await?.batched();
/// let to = server.get_ref().local()?;
/// for number in 0..100_u8 {
///     client.send_to(&[number], &to).await?; // collected
/// }
/// client.flush().await?; // two system calls or fewer
/// for number in 0..100_u8 {
///     let mut buffer = [0; 1];
///     server.receive(&mut buffer).await?;
///     assert_eq!(buffer, [number]);
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct DatagramBatch {
    socket: DatagramSocket,
    outbox: Outbox,
    inbox: Inbox,
}

impl DatagramBatch {
    pub(crate) fn new(socket: DatagramSocket) -> Self {
        // A kernel that cannot join hands them over one by one, which is as right and only slower.
        let _ = socket.is_udp() && option::set_number(&socket, UDP_GRO, 1).is_ok();
        let outbox = Outbox::new(socket.is_udp());
        Self { socket, outbox, inbox: Inbox::new() }
    }

    /// The socket: for its addresses and groups. It must not be received from directly: a datagram could come joined to
    /// its neighbours.
    pub fn get_ref(&self) -> &DatagramSocket {
        &self.socket
    }

    /// Puts one datagram to those that leave together, for the address that the socket is connected to.
    ///
    /// # Errors
    /// `InvalidInput` when it is too long for UDP; and as [`DatagramBatch::flush`], about an earlier one.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.push(bytes, None).await
    }

    /// Puts one datagram to those that leave together, for this address.
    ///
    /// # Errors
    /// As [`DatagramBatch::send`].
    pub async fn send_to(&mut self, bytes: &[u8], to: &Sockaddr) -> io::Result<()> {
        self.push(bytes, Some(*to)).await
    }

    async fn push(&mut self, bytes: &[u8], to: Option<Sockaddr>) -> io::Result<()> {
        self.outbox.check(bytes)?;
        if self.outbox.is_full_with(bytes) {
            self.flush().await?;
        }
        self.outbox.push(bytes, to);
        Ok(())
    }

    /// Sends what was collected. Dropping the future loses none: what did not leave stays collected.
    ///
    /// # Errors
    /// The cause why a datagram could not be sent. That one is dropped, with its neighbours of the same message; the
    /// others stay for the next flush.
    pub async fn flush(&mut self) -> io::Result<()> {
        let Self { socket, outbox, .. } = self;
        if outbox.is_empty() {
            return Ok(());
        }
        socket.ready(Interest::WRITABLE, || outbox.send(socket.as_fd())).await
    }

    /// Receives one datagram into the buffer: from those fetched before, or else by fetching more, after a flush. Dropping
    /// the future loses none.
    ///
    /// # Errors
    /// As [`DatagramSocket::receive`], and as [`DatagramBatch::flush`].
    pub async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        loop {
            if let Some(received) = self.inbox.take(buffer) {
                return received;
            }
            self.flush().await?;
            let Self { socket, inbox, .. } = self;
            socket.ready(Interest::READABLE, || inbox.fetch(socket.as_fd())).await?;
        }
    }

    /// The same calls for a program without a runtime: they block the thread.
    pub fn blocking(&mut self) -> BlockingBatch<'_> {
        BlockingBatch { batch: self }
    }
}

impl Drop for DatagramBatch {
    fn drop(&mut self) {
        // Nobody is there any more to be told about an error.
        while !self.outbox.is_empty() && self.outbox.send(self.socket.as_fd()).is_ok() {}
    }
}

/// The calls of a [`DatagramBatch`] for a program without a runtime: they block the thread until they are done.
#[derive(Debug)]
pub struct BlockingBatch<'a> {
    batch: &'a mut DatagramBatch,
}

impl BlockingBatch<'_> {
    /// As [`DatagramBatch::send`].
    ///
    /// # Errors
    /// As [`DatagramBatch::send`].
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.push(bytes, None)
    }

    /// As [`DatagramBatch::send_to`].
    ///
    /// # Errors
    /// As [`DatagramBatch::send_to`].
    pub fn send_to(&mut self, bytes: &[u8], to: &Sockaddr) -> io::Result<()> {
        self.push(bytes, Some(*to))
    }

    fn push(&mut self, bytes: &[u8], to: Option<Sockaddr>) -> io::Result<()> {
        self.batch.outbox.check(bytes)?;
        if self.batch.outbox.is_full_with(bytes) {
            self.flush()?;
        }
        self.batch.outbox.push(bytes, to);
        Ok(())
    }

    /// As [`DatagramBatch::flush`].
    ///
    /// # Errors
    /// As [`DatagramBatch::flush`].
    pub fn flush(&mut self) -> io::Result<()> {
        let DatagramBatch { socket, outbox, .. } = &mut *self.batch;
        socket.ready_blocking(Interest::WRITABLE, || outbox.send(socket.as_fd()))
    }

    /// As [`DatagramBatch::receive`].
    ///
    /// # Errors
    /// As [`DatagramBatch::receive`].
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        loop {
            if let Some(received) = self.batch.inbox.take(buffer) {
                return received;
            }
            self.flush()?;
            let DatagramBatch { socket, inbox, .. } = &mut *self.batch;
            socket.ready_blocking(Interest::READABLE, || inbox.fetch(socket.as_fd()))?;
        }
    }
}

/// Datagrams that were not sent yet, one behind the other, so that neighbours are one piece of memory.
#[derive(Debug)]
struct Outbox {
    bytes: Vec<u8>,
    waiting: Vec<Waiting>,
    /// How many of the first of `waiting` are sent already.
    sent: usize,
    is_udp: bool,
    /// Whether the kernel may be given several datagrams as one message.
    joins: bool,
}

#[derive(Debug)]
struct Waiting {
    place: Range<usize>,
    to: Option<Sockaddr>,
}

/// Neighbours that leave as one message.
struct Group {
    count: usize,
    place: Range<usize>,
    to: Option<SockaddrStorage>,
    segment: Option<u16>,
}

impl Outbox {
    fn new(is_udp: bool) -> Self {
        Self { bytes: Vec::new(), waiting: Vec::new(), sent: 0, is_udp, joins: is_udp }
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn check(&self, bytes: &[u8]) -> io::Result<()> {
        if self.is_udp && bytes.len() > UDP_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                DatagramTooLong { length: bytes.len(), room: UDP_BYTES },
            ));
        }
        Ok(())
    }

    fn is_full_with(&self, bytes: &[u8]) -> bool {
        let (datagrams, most) = OUTBOX;
        self.waiting.len() >= datagrams
            || (self.bytes.len() + bytes.len() > most && !self.waiting.is_empty())
    }

    fn push(&mut self, bytes: &[u8], to: Option<Sockaddr>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.waiting.push(Waiting { place: start..self.bytes.len(), to });
    }

    /// Sends all that is left, without waiting.
    fn send(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        while self.sent < self.waiting.len() {
            let groups = self.groups();
            let messages: Vec<_> = groups
                .iter()
                .map(|group| Outgoing {
                    bytes: &self.bytes[group.place.clone()],
                    to: group.to.as_ref(),
                    segment: group.segment,
                })
                .collect();
            match datagrams::send(socket, &messages) {
                Ok(sent) => {
                    self.sent += groups.iter().take(sent).map(|group| group.count).sum::<usize>();
                }
                Err(error) => self.failed(error, groups.first())?,
            }
        }
        self.bytes.clear();
        self.waiting.clear();
        self.sent = 0;
        Ok(())
    }

    /// Goes on without joining when that may have been the cause; else drops what cannot be sent.
    fn failed(&mut self, error: io::Error, first: Option<&Group>) -> io::Result<()> {
        let passing = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
        if passing.contains(&error.kind()) {
            return Err(error);
        }
        // The device cannot cut, or a segment is longer than the path takes in one piece.
        let may_be_joining = [Errno::IO, Errno::INVAL, Errno::MSGSIZE, Errno::OPNOTSUPP]
            .iter()
            .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
        if may_be_joining && first.is_some_and(|group| group.segment.is_some()) {
            self.joins = false;
            return Ok(());
        }
        self.sent += first.map_or(1, |group| group.count);
        Err(error)
    }

    /// The next messages, as many as one call takes.
    fn groups(&self) -> Vec<Group> {
        let mut groups = Vec::with_capacity(DATAGRAM_BATCH);
        let mut next = self.sent;
        while groups.len() < DATAGRAM_BATCH {
            let Some(group) = self.group(next) else { break };
            next += group.count;
            groups.push(group);
        }
        groups
    }

    /// A run of datagrams to one address: all of the first one's length, except that the last may be shorter.
    fn group(&self, at: usize) -> Option<Group> {
        let first = self.waiting.get(at)?;
        let length = first.place.len();
        let (mut count, mut end) = (1, first.place.end);
        if self.joins && length > 0 {
            for next in self.waiting[at + 1..].iter().take(SEGMENTS - 1) {
                let fits = (1..=length).contains(&next.place.len())
                    && next.place.end - first.place.start <= UDP_BYTES;
                if !fits || next.to != first.to {
                    break;
                }
                (count, end) = (count + 1, next.place.end);
                if next.place.len() < length {
                    break;
                }
            }
        }
        // A segment is never longer than a datagram, which fits a u16.
        let segment = (count > 1).then_some(length as u16);
        let to = first.to.map(SockaddrStorage::from);
        Some(Group { count, place: first.place.start..end, to, segment })
    }
}

/// Messages that were fetched and not asked for yet.
struct Inbox {
    bytes: Vec<u8>,
    messages: Vec<Incoming>,
    fetched: usize,
    next: usize,
    /// How much of the next message was handed out.
    taken: usize,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox")
            .field("messages", &(self.fetched - self.next))
            .finish_non_exhaustive()
    }
}

impl Inbox {
    fn new() -> Self {
        Self { bytes: Vec::new(), messages: Vec::new(), fetched: 0, next: 0, taken: 0 }
    }

    fn fetch(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        if self.messages.is_empty() {
            // 2 MiB of address space; the kernel backs with memory what datagrams were written to.
            self.bytes = vec![0; DATAGRAM_BATCH * DATAGRAM_BYTES];
            self.messages = vec![Incoming::NOTHING; DATAGRAM_BATCH];
        }
        (self.fetched, self.next, self.taken) = (0, 0, 0);
        self.fetched =
            datagrams::receive(socket, &mut self.bytes, DATAGRAM_BYTES, &mut self.messages)?;
        Ok(())
    }

    /// The next datagram, if one is there.
    fn take(&mut self, buffer: &mut [u8]) -> Option<io::Result<Received>> {
        let message = self.messages[..self.fetched].get(self.next)?;
        let left = message.length - self.taken;
        let length = message.segment.map_or(left, |segment| segment.min(left));
        let start = self.next * DATAGRAM_BYTES + self.taken;
        let datagram = &self.bytes[start..start + length];
        let from = sender(message);
        let cut = message.is_cut && length == left;
        self.taken += length;
        if self.taken == message.length {
            (self.next, self.taken) = (self.next + 1, 0);
        }
        let room = buffer.len().min(DATAGRAM_BYTES);
        if length > room || cut {
            return Some(Err(DatagramTooLong { length, room }.into()));
        }
        buffer[..length].copy_from_slice(datagram);
        Some(from.map(|from| Received { length, from }))
    }
}

fn sender(message: &Incoming) -> io::Result<Sockaddr> {
    match message.from() {
        // A Unix socket that was not bound.
        view if view.address().is_empty() => Ok(SockaddrUn::unnamed().into()),
        view => Ok(view.sockaddr().parse()?),
    }
}
