//! Where the code behind a plain HTTP request and its connection's task meet.
//!
//! The same as a link is for a call, but for bytes: a body comes, a head and a body go, each bounded, each side wakes the
//! other. After an upgrade the same flow carries the raw bytes of both directions. Knows no protocol.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use farcall_wire::event::StreamId;
use farcall_wire::fields::Fields;

use crate::link::{remember, wake};
use crate::mailbox::{Mailbox, Note};

/// Bytes that wait for the connection before whoever sends them has to wait too.
const OUTGOING_BOUND: usize = 64 * 1024;
/// Consumed bytes that are given back to the peer's window at once rather than with the next.
const CREDIT_BATCH: u32 = 16 * 1024;

/// One request's meeting point.
pub(crate) struct Flow {
    state: Mutex<State>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts that hold or do not, in any combination"
)]
struct State {
    mailbox: Arc<Mailbox>,
    stream: StreamId,
    incoming: VecDeque<Bytes>,
    source: Source,
    /// Consumed bytes whose credit the peer has not got back.
    due: u32,
    reader: Option<Waker>,
    /// Nobody reads: what comes is thrown away.
    unread: bool,
    head: Option<Head>,
    /// A head was given, whether it has gone or not.
    answered: bool,
    outgoing: VecDeque<Bytes>,
    queued: usize,
    sink: Sink,
    writer: Option<Waker>,
    noted: bool,
    upgrade: Upgrade,
    /// The connection is to end.
    draining: bool,
}

/// Whether bytes still come.
enum Source {
    Open,
    Ended(Option<Fields>),
    /// The peer or the connection is gone.
    Broken,
}

/// Whether bytes still go.
enum Sink {
    Open,
    Finished(Option<Fields>),
    /// What was begun cannot be brought to its end.
    Failed,
    /// All is said, or the peer or the connection is gone.
    Closed,
}

/// Whether the flow is to carry raw bytes.
enum Upgrade {
    No,
    Watched(Waker),
    /// Whoever could have spoken the other protocol has let it be.
    Forsaken,
    /// The flow carries raw bytes; nobody has taken them yet.
    Done,
    Taken,
}

/// The head of a response.
pub(crate) struct Head {
    /// `:status` first.
    pub(crate) fields: Fields,
    /// What follows is another protocol.
    pub(crate) upgrade: bool,
}

/// What a connection takes from a flow to send it.
pub(crate) enum Outgoing {
    Data(Bytes),
    /// The last of it; with the trailers, if there are any.
    End(Option<Fields>),
    /// The rest will never come.
    Failure,
}

impl Flow {
    pub(crate) fn new(mailbox: Arc<Mailbox>, stream: StreamId, end: bool) -> Self {
        let state = State {
            mailbox,
            stream,
            incoming: VecDeque::new(),
            source: if end { Source::Ended(None) } else { Source::Open },
            due: 0,
            reader: None,
            unread: false,
            head: None,
            answered: false,
            outgoing: VecDeque::new(),
            queued: 0,
            sink: Sink::Open,
            writer: None,
            noted: false,
            upgrade: Upgrade::No,
            draining: false,
        };
        Self { state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The program's side.
impl Flow {
    /// The next bytes, at most `most` of them; none at the end.
    ///
    /// # Errors
    /// The peer or the connection has gone before the end.
    pub(crate) fn poll_data(
        &self,
        most: usize,
        cx: &Context<'_>,
    ) -> Poll<io::Result<Option<Bytes>>> {
        let mut state = self.lock();
        if let Some(mut data) = state.incoming.pop_front() {
            if data.len() > most {
                state.incoming.push_front(data.split_off(most));
            }
            state.consume(data.len());
            return Poll::Ready(Ok(Some(data)));
        }
        match state.source {
            Source::Ended(_) => Poll::Ready(Ok(None)),
            Source::Broken => Poll::Ready(Err(gone())),
            Source::Open => {
                state.flush_credit();
                remember(&mut state.reader, cx);
                Poll::Pending
            }
        }
    }

    /// The fields that came behind the body, once: after the end.
    pub(crate) fn take_trailers(&self) -> Option<Fields> {
        match &mut self.lock().source {
            Source::Ended(trailers) => trailers.take(),
            Source::Open | Source::Broken => None,
        }
    }

    /// Whether nothing is to be read any more.
    pub(crate) fn is_at_end(&self) -> bool {
        let state = self.lock();
        state.incoming.is_empty() && matches!(state.source, Source::Ended(None))
    }

    /// Nobody reads any more: what still comes is thrown away.
    pub(crate) fn ignore(&self) {
        let mut state = self.lock();
        state.unread = true;
        let rest: usize = state.incoming.drain(..).map(|data| data.len()).sum();
        state.consume(rest);
        state.flush_credit();
    }

    /// Answers with a head.
    pub(crate) fn send_head(&self, head: Head) {
        let mut state = self.lock();
        state.head = Some(head);
        state.answered = true;
        state.note();
    }

    /// Whether a head was given.
    pub(crate) fn is_answered(&self) -> bool {
        self.lock().answered
    }

    /// Ready when more may be sent.
    ///
    /// # Errors
    /// The peer or the connection is gone.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        if !matches!(state.sink, Sink::Open) {
            return Poll::Ready(Err(gone()));
        }
        if state.queued < OUTGOING_BOUND {
            return Poll::Ready(Ok(()));
        }
        remember(&mut state.writer, cx);
        Poll::Pending
    }

    /// Queues bytes for the connection.
    pub(crate) fn send(&self, data: Bytes) {
        let mut state = self.lock();
        if matches!(state.sink, Sink::Open) && !data.is_empty() {
            state.queued += data.len();
            state.outgoing.push_back(data);
            state.note();
        }
    }

    /// Nothing more is sent but these trailers.
    pub(crate) fn finish(&self, trailers: Option<Fields>) {
        let mut state = self.lock();
        if matches!(state.sink, Sink::Open) {
            state.sink = Sink::Finished(trailers);
            state.note();
        }
    }

    /// What was begun cannot be brought to its end.
    pub(crate) fn fail(&self) {
        let mut state = self.lock();
        if matches!(state.sink, Sink::Open) {
            state.sink = Sink::Failed;
            state.note();
        }
    }

    /// Ready when the flow carries raw bytes, which are the caller's then.
    ///
    /// # Errors
    /// The request was answered otherwise, or is gone, or somebody else has taken the bytes.
    pub(crate) fn poll_upgraded(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        match state.upgrade {
            Upgrade::Done => {
                state.upgrade = Upgrade::Taken;
                Poll::Ready(Ok(()))
            }
            Upgrade::Taken | Upgrade::Forsaken => Poll::Ready(Err(gone())),
            _ if !matches!(state.sink, Sink::Open) => Poll::Ready(Err(gone())),
            _ => {
                state.upgrade = Upgrade::Watched(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Nobody is left who could take the raw bytes.
    pub(crate) fn forsake(&self) {
        let mut state = self.lock();
        match state.upgrade {
            Upgrade::Taken => {}
            Upgrade::Done => {
                drop(state);
                self.finish(None);
                self.ignore();
            }
            _ => state.upgrade = Upgrade::Forsaken,
        }
    }

    /// Whether somebody may still take the raw bytes.
    pub(crate) fn may_upgrade(&self) -> bool {
        !matches!(self.lock().upgrade, Upgrade::Forsaken)
    }

    /// Whether the connection is to end.
    pub(crate) fn is_draining(&self) -> bool {
        self.lock().draining
    }
}

/// The connection's side.
impl Flow {
    /// Takes received bytes. Returns the credit to give back at once.
    pub(crate) fn receive(&self, data: Bytes, credit: u32, end: bool) -> u32 {
        let mut state = self.lock();
        // Padding is nobody's: its credit goes back.
        let mut due = credit.saturating_sub(data.len() as u32);
        if state.unread {
            due = credit;
        } else if !data.is_empty() {
            state.incoming.push_back(data);
        }
        if end {
            state.source = Source::Ended(None);
        }
        let reader = state.reader.take();
        drop(state);
        wake(reader);
        due
    }

    /// Takes the fields that end the body.
    pub(crate) fn receive_trailers(&self, fields: Fields) {
        let mut state = self.lock();
        state.source = Source::Ended(Some(fields));
        let reader = state.reader.take();
        drop(state);
        wake(reader);
    }

    /// Credit to give back now.
    pub(crate) fn take_credit(&self) -> u32 {
        let mut state = self.lock();
        state.noted = false;
        mem::take(&mut state.due)
    }

    /// Bytes that the connection has not taken.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().queued
    }

    /// The head, when it waits.
    pub(crate) fn take_head(&self) -> Option<Head> {
        self.lock().head.take()
    }

    /// What is to be sent next, when the connection has `room`.
    pub(crate) fn take_outgoing(&self, room: usize) -> Option<Outgoing> {
        let mut state = self.lock();
        if state.outgoing.is_empty() {
            return match mem::replace(&mut state.sink, Sink::Closed) {
                Sink::Finished(trailers) => Some(Outgoing::End(trailers)),
                Sink::Failed => Some(Outgoing::Failure),
                other => {
                    state.sink = other;
                    None
                }
            };
        }
        if room == 0 {
            return None;
        }
        let data = state.outgoing.pop_front()?;
        state.queued -= data.len();
        let writer = state.writer.take();
        drop(state);
        wake(writer);
        Some(Outgoing::Data(data))
    }

    /// The other protocol begins.
    pub(crate) fn upgraded(&self) {
        let mut state = self.lock();
        // The request may have been complete; what follows is not of it.
        state.source = Source::Open;
        state.unread = false;
        match mem::replace(&mut state.upgrade, Upgrade::Done) {
            Upgrade::Watched(waker) => {
                drop(state);
                waker.wake();
            }
            Upgrade::Forsaken => {
                drop(state);
                self.forsake();
            }
            Upgrade::No | Upgrade::Done | Upgrade::Taken => {}
        }
    }

    /// The connection is to end: whoever speaks another protocol here should come to an end.
    pub(crate) fn drain(&self) {
        let mut state = self.lock();
        state.draining = true;
        let wakers = [state.reader.take(), state.writer.take()];
        drop(state);
        wakers.into_iter().for_each(wake);
    }

    /// The peer or the connection is gone.
    pub(crate) fn disconnect(&self) {
        let mut state = self.lock();
        if matches!(state.source, Source::Open) {
            state.source = Source::Broken;
        }
        state.sink = Sink::Closed;
        state.outgoing.clear();
        state.queued = 0;
        let watcher = match mem::replace(&mut state.upgrade, Upgrade::No) {
            Upgrade::Watched(waker) => Some(waker),
            other => {
                state.upgrade = other;
                None
            }
        };
        let wakers = [state.reader.take(), state.writer.take(), watcher];
        drop(state);
        wakers.into_iter().for_each(wake);
    }
}

impl State {
    fn consume(&mut self, bytes: usize) {
        self.due = self.due.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if self.due >= CREDIT_BATCH {
            self.note();
        }
    }

    fn flush_credit(&mut self) {
        if self.due > 0 {
            self.note();
        }
    }

    /// Tells the connection to look here.
    fn note(&mut self) {
        if !self.noted {
            self.noted = self.mailbox.push(Note::Attend(self.stream)).is_ok();
        }
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the other end has gone")
}
