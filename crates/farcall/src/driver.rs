//! The only place that sees both a connection and an engine.
//!
//! One task per connection. A batch is: read what is there, let the engine and the role act on it, write all that came
//! of it with one write. The task sleeps when nothing is readable, no note waits in the mailbox, nothing can be
//! written and no timer is due. What the events mean is the role's business (server or client); what the bytes mean is
//! the engine's.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf, BytesMut};
use farcall_socket::Connection;
use farcall_wire::event::Event;
use farcall_wire::http2::{ErrorCode, Role as End};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::time::Sleep;

use crate::engine::{Engine, Spoken};
use crate::farewell::Farewell;

/// Bytes asked of the kernel at once: four full DATA frames.
const READ_SIZE: usize = 64 * 1024;
/// Batches before the task lets others run.
const ROUNDS: usize = 16;
/// What a connection is for: the server's side or the client's.
pub(crate) trait Role: Send + Unpin + 'static {
    /// Acts on one event of the engine.
    fn handle(&mut self, event: Event, engine: &mut Engine, now: Instant);
    /// Works off the notes in the mailbox. Returns whether there were any.
    fn work(&mut self, engine: &mut Engine, now: Instant) -> bool;
    /// Whether notes wait.
    fn has_work(&self) -> bool;
    /// Registers for the next note; false when one is there already.
    fn sleep(&mut self, cx: &Context<'_>) -> bool;
    /// The role's own earliest timer.
    fn next_timeout(&self) -> Option<Instant>;
    /// Acts on the role's timers that are due.
    fn handle_timeout(&mut self, engine: &mut Engine, now: Instant);
    /// `written` bytes have left, counted from the connection's beginning.
    fn written(&mut self, _written: u64) {}
    /// The batch is over, and has been written as far as that went: what is left is held. Returns whether more can be sent
    /// for it.
    fn settle(&mut self, _engine: &mut Engine) -> bool {
        false
    }
    /// The transport failed.
    fn broken(&mut self, cause: &io::Error);
    /// The last call: the connection is over.
    fn closed(&mut self);
}

/// One connection with its engine and its role.
pub(crate) struct Driver<R: Role> {
    connection: Connection,
    engine: Engine,
    role: R,
    /// The beginning of a frame whose rest has not come yet.
    partial: Box<[u8]>,
    timer: Option<Pin<Box<Sleep>>>,
    written: u64,
    peer_ended: bool,
    /// The engine has ended, and the role knows it.
    farewell: Option<Farewell>,
    /// A wake-up by notes alone waits one turn, so that whoever else is about to leave one joins the batch.
    gathered: bool,
}

/// What one batch came to.
#[derive(Clone, Copy, PartialEq)]
enum Progress {
    Some,
    None,
}

impl<R: Role> Driver<R> {
    /// A connection that has begun to speak what its engine does.
    pub(crate) fn new(connection: Connection, spoken: Spoken, end: End, role: R) -> Self {
        let engine = Engine::new(spoken, end, Instant::now());
        Self {
            connection,
            engine,
            role,
            partial: Box::default(),
            timer: None,
            written: 0,
            peer_ended: false,
            farewell: None,
            gathered: false,
        }
    }

    /// Read, act, write: once.
    fn batch(&mut self, cx: &mut Context<'_>, now: Instant) -> io::Result<Progress> {
        let read = self.read(cx, now)?;
        self.events(now);
        let worked = self.role.work(&mut self.engine, now);
        if worked {
            self.events(now);
        }
        let wrote = self.write(cx, now)?;
        let resumed = self.role.settle(&mut self.engine);
        let progress = read == Progress::Some || worked || wrote == Progress::Some || resumed;
        Ok(if progress { Progress::Some } else { Progress::None })
    }

    fn read(&mut self, cx: &mut Context<'_>, now: Instant) -> io::Result<Progress> {
        if self.peer_ended || !self.engine.wants_input() {
            return Ok(Progress::None);
        }
        let Poll::Ready(read) = self.poll_read(cx) else {
            return Ok(Progress::None);
        };
        let mut input = read?;
        if input.len() == self.partial.len() {
            self.peer_ended = true;
            self.engine.receive_eof(now);
        } else {
            self.engine.receive(&mut input, now);
        }
        // What is left of a frame is kept in a buffer of its own size: a slow peer holds what it sent, no more.
        self.partial = Box::from(&*input);
        buffer::give_back(input);
        Ok(Progress::Some)
    }

    /// Reads once behind what is left of the last frame. No more bytes than that: the peer has closed.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<BytesMut>> {
        let mut input = buffer::take();
        input.extend_from_slice(&self.partial);
        match pin!(self.connection.read_buf(&mut input)).poll(cx) {
            Poll::Ready(Ok(_)) => Poll::Ready(Ok(input)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                buffer::give_back(input);
                Poll::Pending
            }
        }
    }

    /// Lets the role act on what the engine has to tell. Returns whether it was anything.
    fn events(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(event) = self.engine.poll_event() {
            self.role.handle(event, &mut self.engine, now);
            any = true;
        }
        any
    }

    /// Fills the output; what the engine tells meanwhile may let it fill more.
    fn fill(&mut self, now: Instant) {
        loop {
            self.engine.fill(now);
            if !self.events(now) {
                return;
            }
        }
    }

    /// Writes until all is written or the kernel takes no more.
    fn write(&mut self, cx: &mut Context<'_>, now: Instant) -> io::Result<Progress> {
        let mut progress = Progress::None;
        loop {
            self.fill(now);
            let output = self.engine.output();
            if output.is_empty() {
                // A connection that encrypts may hold what the socket has not taken yet.
                let _ = Pin::new(&mut self.connection).poll_flush(cx)?;
                return Ok(progress);
            }
            let Poll::Ready(wrote) = Pin::new(&mut self.connection).poll_write(cx, output) else {
                return Ok(progress);
            };
            let wrote = wrote?;
            if wrote == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            output.advance(wrote);
            self.written += wrote as u64;
            self.role.written(self.written);
            progress = Progress::Some;
        }
    }

    /// Sleeps until the earliest timer. Returns whether one is due already.
    fn timer_due(&mut self, cx: &mut Context<'_>) -> bool {
        let timeouts = [self.engine.next_timeout(), self.role.next_timeout()];
        let Some(next) = timeouts.into_iter().flatten().min() else {
            self.timer = None;
            return false;
        };
        let next = tokio::time::Instant::from_std(next);
        match &mut self.timer {
            // A timer that rings too early only costs one look; moving it each time would cost more.
            Some(timer) if timer.deadline() <= next => {}
            Some(timer) => timer.as_mut().reset(next),
            None => self.timer = Some(Box::pin(tokio::time::sleep_until(next))),
        }
        let rang = self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
        if rang {
            self.timer = None;
        }
        rang
    }

    fn handle_timeouts(&mut self, now: Instant) {
        self.engine.handle_timeout(now);
        self.role.handle_timeout(&mut self.engine, now);
        self.events(now);
    }

    /// One turn of the task: batches until nothing moves.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.gathered && self.role.has_work() {
            self.gathered = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.gathered = false;
        for _ in 0..ROUNDS {
            let now = Instant::now();
            let progress = self.batch(cx, now)?;
            if self.engine.is_drained() && !self.engine.is_closed() {
                self.engine.close(ErrorCode::NoError, "", now);
                continue;
            }
            if self.engine.is_closed() {
                return Poll::Ready(Ok(()));
            }
            if progress == Progress::Some {
                continue;
            }
            if self.timer_due(cx) {
                self.handle_timeouts(Instant::now());
                continue;
            }
            if self.role.sleep(cx) {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<R: Role> Future for Driver<R> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.farewell.is_none() {
            let ended = ready!(this.turn(cx));
            if let Err(cause) = &ended {
                this.role.broken(cause);
                this.engine.receive_eof(Instant::now());
                this.events(Instant::now());
            }
            this.role.closed();
            if ended.is_err() {
                return Poll::Ready(());
            }
        }
        let peer_ended = this.peer_ended;
        let farewell = this.farewell.get_or_insert_with(|| Farewell::new(peer_ended));
        farewell.poll(&mut this.connection, this.engine.output(), cx)
    }
}

/// Read buffers, one per thread: an idle connection holds none.
mod buffer {
    use std::cell::Cell;

    use bytes::BytesMut;

    use super::READ_SIZE;

    thread_local! {
        static SPARE: Cell<BytesMut> = Cell::new(BytesMut::new());
    }

    /// The thread's spare buffer, empty, with room for a read.
    pub(super) fn take() -> BytesMut {
        let mut buffer = SPARE.take();
        buffer.clear();
        buffer.reserve(READ_SIZE);
        buffer
    }

    pub(super) fn give_back(buffer: BytesMut) {
        SPARE.set(buffer);
    }
}
