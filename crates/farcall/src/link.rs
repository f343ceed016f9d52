//! Where a call's user code and its connection's task meet.
//!
//! A handler or a caller on one side, a connection on the other, each on its own thread perhaps: messages wait here in
//! both directions, bounded, and each side wakes the other. A unary call on a server needs no link. On a client every
//! call has one, and it outlives the connection: a call that was provably not processed is sent again from here.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use farcall_core::{
    Encoding, Incoming, Message, Metadata, MetadataError, Next, Result, Sender, ServerExchange,
    Status,
};
use farcall_wire::event::StreamId;

use crate::client::request::ClientSide;
use crate::mailbox::{Mailbox, Note};

/// Bytes of encoded messages that wait for the connection before the sender has to wait too.
const OUTGOING_BOUND: usize = 64 * 1024;
/// Consumed bytes that are given back to the peer's window at once rather than with the next.
const CREDIT_BATCH: u32 = 4 * 1024;
/// A message above this many bytes was charged to its connection while it was incomplete.
pub(crate) const LARGE: usize = 64 * 1024;
/// Consumed bytes that are given back before the reader goes to sleep.
const CREDIT_FLUSH: u32 = 1024;

/// One call's meeting point.
pub(crate) struct Link {
    state: Mutex<State>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts that hold or do not, in any combination"
)]
pub(crate) struct State {
    /// The connection and the stream on it; none while a client's call waits for a connection.
    lane: Option<(Arc<Mailbox>, StreamId)>,
    pub(crate) side: Side,
    /// Received bytes whose credit the peer has not got back.
    held: u32,
    /// Those of them that have been consumed.
    due: u32,
    pub(crate) reader: Option<Waker>,
    pub(crate) outgoing: BytesMut,
    /// This side sends no more messages.
    pub(crate) finished: bool,
    /// All of them have been handed to the connection.
    sent_all: bool,
    /// The connection knows already that it should look here.
    noted: bool,
    pub(crate) writer: Option<Waker>,
    /// Nobody is interested any more.
    cancelled: bool,
}

/// What differs between the two ends of a call.
pub(crate) enum Side {
    Server(Box<ServerSide>),
    Client(Box<ClientSide>),
}

/// A call as its server sees it.
pub(crate) struct ServerSide {
    pub(crate) exchange: ServerExchange,
    /// Metadata that goes before the first reply.
    pub(crate) reply: Metadata,
    /// How compressed replies are; the head announces it.
    pub(crate) encoding: Encoding,
    pub(crate) head_sent: bool,
    /// The head is to go, though no reply waits.
    head_wanted: bool,
}

/// What a connection takes from a link to send it.
pub(crate) struct Outgoing {
    pub(crate) data: Bytes,
    /// The last of it.
    pub(crate) finished: bool,
}

impl Link {
    pub(crate) fn on_server(
        mailbox: Arc<Mailbox>,
        stream: StreamId,
        exchange: ServerExchange,
    ) -> Self {
        let side = ServerSide {
            exchange,
            reply: Metadata::new(),
            encoding: Encoding::Identity,
            head_sent: false,
            head_wanted: false,
        };
        Self::new(Some((mailbox, stream)), Side::Server(Box::new(side)))
    }

    pub(crate) fn on_client(side: ClientSide) -> Self {
        Self::new(None, Side::Client(Box::new(side)))
    }

    fn new(lane: Option<(Arc<Mailbox>, StreamId)>, side: Side) -> Self {
        let state = State {
            lane,
            side,
            held: 0,
            due: 0,
            reader: None,
            outgoing: BytesMut::new(),
            finished: false,
            sent_all: false,
            noted: false,
            writer: None,
            cancelled: false,
        };
        Self { state: Mutex::new(state) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The user's side: handlers and callers.
impl Link {
    /// The next message; none at the end.
    pub(crate) fn poll_receive(&self, cx: &Context<'_>) -> Poll<Result<Option<Incoming>>> {
        let mut state = self.lock();
        match state.next_message() {
            Ok(Next::Message(message)) => {
                let consumed = u32::try_from(message.wire_len()).unwrap_or(u32::MAX);
                // While a large message was incomplete, others may have had to wait for it: tell at once.
                let batch = if message.wire_len() > LARGE { 0 } else { CREDIT_BATCH };
                state.consume(consumed, batch);
                Poll::Ready(Ok(Some(message)))
            }
            Ok(Next::End) => Poll::Ready(state.outcome().map(|()| None)),
            Ok(Next::Pending) => {
                // What is here is the beginning of a message: the rest needs room in the window.
                state.consume_all();
                remember(&mut state.reader, cx);
                Poll::Pending
            }
            Err(status) => {
                let wakers = state.abandon();
                drop(state);
                wakers.into_iter().for_each(Waker::wake);
                Poll::Ready(Err(status))
            }
        }
    }

    /// Ready when another message may be sent.
    ///
    /// # Errors
    /// How the call ended, when it has.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<Result<()>> {
        let mut state = self.lock();
        if let Some(status) = state.why_no_more() {
            return Poll::Ready(Err(status));
        }
        if state.outgoing.len() < OUTGOING_BOUND {
            return Poll::Ready(Ok(()));
        }
        remember(&mut state.writer, cx);
        Poll::Pending
    }

    /// Queues a message for the connection.
    pub(crate) fn send<M: Message>(
        &self,
        message: &M,
        sender: Sender,
        compress: bool,
    ) -> Result<()> {
        let mut state = self.lock();
        let compress = compress && state.may_compress();
        sender.envelope_into(message, compress, &mut state.outgoing)?;
        state.note();
        Ok(())
    }

    /// Queues the one request of a call that has one, in its envelope.
    pub(crate) fn send_only(&self, request: Bytes) {
        let mut state = self.lock();
        state.outgoing = request.into();
        state.finished = true;
    }

    /// No more messages come from this side.
    pub(crate) fn finish(&self) {
        let mut state = self.lock();
        if !state.finished {
            state.finished = true;
            state.note();
        }
    }

    /// Nobody is interested in the call any more.
    pub(crate) fn cancel(&self) {
        let wakers = self.lock().abandon();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Changes the metadata that goes before the first reply; on a client nothing happens.
    pub(crate) fn change_reply_metadata(
        &self,
        change: impl FnOnce(&mut Metadata) -> Result<(), MetadataError>,
    ) -> Result<(), MetadataError> {
        match &mut self.lock().side {
            Side::Server(side) => change(&mut side.reply),
            Side::Client(_) => Ok(()),
        }
    }

    /// Sends the head of a server's replies now.
    pub(crate) fn send_head(&self) {
        let mut state = self.lock();
        if let Side::Server(side) = &mut state.side {
            side.head_wanted = true;
            state.note();
        }
    }

    /// Announces that replies may be compressed; too late once the first one is on its way.
    pub(crate) fn announce(&self, encoding: Encoding) {
        if let Side::Server(side) = &mut self.lock().side
            && !side.head_sent
        {
            side.encoding = encoding;
        }
    }
}

/// The connection's side.
impl Link {
    /// Takes received bytes. Returns the credit to give back to the peer.
    pub(crate) fn receive(&self, data: Bytes, credit: u32, end: bool) -> u32 {
        let mut state = self.lock();
        state.held += credit;
        state.exchange_receive(data, end);
        // A reader that waits has consumed all there is to consume.
        if state.reader.is_some() {
            state.due = state.held;
        }
        let due = state.take_due();
        let reader = state.reader.take();
        drop(state);
        wake(reader);
        due
    }

    /// Bytes received of a request and not taken.
    pub(crate) fn pending(&self) -> usize {
        match &self.lock().side {
            Side::Server(side) => side.exchange.pending(),
            Side::Client(_) => 0,
        }
    }

    /// Bytes of messages that the connection has not taken.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().outgoing.len()
    }

    /// Credit to give back now.
    pub(crate) fn take_credit(&self) -> u32 {
        self.lock().take_due()
    }

    /// All credit not given back: the call is over.
    pub(crate) fn take_held(&self) -> u32 {
        let mut state = self.lock();
        state.lane = None;
        state.due = 0;
        mem::take(&mut state.held)
    }

    /// What is to be sent, when the connection has `room` for it.
    pub(crate) fn take_outgoing(&self, room: usize) -> Option<Outgoing> {
        let mut state = self.lock();
        state.noted = false;
        let blocked = room == 0 && !state.outgoing.is_empty();
        if blocked || (state.outgoing.is_empty() && !state.finished) || state.sent_all {
            return None;
        }
        let data = state.outgoing.split().freeze();
        state.sent_all = state.finished;
        let finished = state.finished;
        if let Side::Client(side) = &mut state.side {
            side.replay.keep(&data, finished);
        }
        let writer = state.writer.take();
        drop(state);
        wake(writer);
        Some(Outgoing { data, finished })
    }

    /// Whether all messages of this side have been handed to the connection.
    pub(crate) fn has_sent_all(&self) -> bool {
        self.lock().sent_all
    }

    /// Whether a server's replies wait whose head has not been taken.
    pub(crate) fn needs_head(&self) -> bool {
        let state = self.lock();
        let Side::Server(side) = &state.side else { return false };
        !side.head_sent && (side.head_wanted || !state.outgoing.is_empty())
    }

    /// Whether the head of a server's replies has been taken.
    pub(crate) fn head_sent(&self) -> bool {
        matches!(&self.lock().side, Side::Server(side) if side.head_sent)
    }

    /// The metadata that goes before the first reply, when it has not gone.
    pub(crate) fn take_head(&self) -> Option<(Metadata, Encoding)> {
        self.lock().side.take_head()
    }

    /// The peer has reset the stream or the connection is gone: a handler learns of it when it receives or sends.
    pub(crate) fn disconnect(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        state.lane = None;
        let wakers = state.take_wakers();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Puts a client's call on a stream.
    pub(crate) fn enter(&self, mailbox: &Arc<Mailbox>, stream: StreamId) {
        self.lock().lane = Some((Arc::clone(mailbox), stream));
    }
}

impl State {
    fn next_message(&mut self) -> Result<Next> {
        match &mut self.side {
            Side::Server(_) if self.cancelled => {
                Err(Status::cancelled("the client has cancelled the call"))
            }
            Side::Server(side) => side.exchange.next_message(),
            Side::Client(side) => side.exchange.next_message(),
        }
    }

    fn exchange_receive(&mut self, data: Bytes, end: bool) {
        match &mut self.side {
            Side::Server(side) => {
                side.exchange.receive(data, end);
                side.exchange.settle();
            }
            Side::Client(side) => {
                side.exchange.receive(data, end);
                side.exchange.settle();
            }
        }
    }

    /// How the reading side ended.
    fn outcome(&self) -> Result<()> {
        match &self.side {
            Side::Server(_) => Ok(()),
            Side::Client(side) => side.outcome().map(|_| ()),
        }
    }

    /// Why nothing can be sent any more.
    fn why_no_more(&self) -> Option<Status> {
        if let Side::Client(side) = &self.side
            && let Some(outcome) = side.exchange.outcome()
        {
            return Some(match outcome {
                Err(status) => status.clone(),
                Ok(_) => {
                    Status::cancelled("the server has ended the call and takes no more messages")
                }
            });
        }
        if self.cancelled {
            return Some(Status::cancelled("the call was cancelled"));
        }
        self.finished.then(|| Status::failed_precondition("a message was sent after finish()"))
    }

    fn may_compress(&self) -> bool {
        match &self.side {
            Side::Server(side) => side.encoding != Encoding::Identity,
            Side::Client(_) => true,
        }
    }

    /// `consumed` received bytes are done with; the connection is told when at least `batch` are due.
    fn consume(&mut self, consumed: u32, batch: u32) {
        self.due = self.due.saturating_add(consumed).min(self.held);
        if self.due >= batch {
            self.note();
        }
    }

    /// All that is here is done with, or is the beginning of a message whose rest needs room.
    pub(crate) fn consume_all(&mut self) {
        self.consume(self.held, CREDIT_FLUSH);
    }

    fn take_due(&mut self) -> u32 {
        let due = mem::take(&mut self.due);
        self.held -= due;
        due
    }

    /// Tells the connection to look here.
    pub(crate) fn note(&mut self) {
        if self.noted {
            return;
        }
        if let Some((mailbox, stream)) = &self.lane {
            self.noted = mailbox.push(Note::Attend(*stream)).is_ok();
        }
    }

    /// Ends the call from this side. Returns who is to be woken.
    fn abandon(&mut self) -> Vec<Waker> {
        if mem::replace(&mut self.cancelled, true) {
            return Vec::new();
        }
        if let Some((mailbox, stream)) = self.lane.take() {
            let _ = mailbox.push(Note::Cancel(stream));
        }
        if let Side::Client(side) = &mut self.side {
            side.exchange.fail(Status::cancelled("the caller has cancelled the call"));
        }
        self.take_wakers()
    }

    /// Everybody who waits for something to happen to the call.
    pub(crate) fn take_wakers(&mut self) -> Vec<Waker> {
        let mut wakers = match &mut self.side {
            Side::Client(side) => mem::take(&mut side.watchers),
            Side::Server(_) => Vec::new(),
        };
        wakers.extend(self.reader.take());
        wakers.extend(self.writer.take());
        wakers
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Forgets the stream that the call was on.
    pub(crate) fn leave(&mut self) {
        self.lane = None;
        self.noted = false;
        self.sent_all = false;
        self.held = 0;
        self.due = 0;
    }
}

impl Side {
    fn take_head(&mut self) -> Option<(Metadata, Encoding)> {
        match self {
            Self::Server(side) if !side.head_sent => {
                side.head_sent = true;
                Some((mem::take(&mut side.reply), side.encoding))
            }
            Self::Server(_) | Self::Client(_) => None,
        }
    }
}

/// Wakes whoever waits, if anybody does. Never under a lock.
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Leaves the task's waker.
pub(crate) fn remember(place: &mut Option<Waker>, cx: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *place = Some(cx.waker().clone()),
    }
}
