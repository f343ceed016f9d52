//! The server's side of one connection: calls in, replies out.
//!
//! The handler of a call is polled in place, within the batch that brought its request. One that is ready at once costs
//! no task and no queue; one that waits becomes a task, and its end comes back as a note.
//!
//! ```text
//!   request ---> Collecting ---> handler ---> Running ---> answered
//!                  (one            | ready      | note       ^
//!                   message)       '------------+------------'
//!                                               | cancelled, deadline
//!                                               v
//!                                            Leaving ---> gone
//! ```
//! A stream is held until its handler's future is gone, not until the client has lost interest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::mem;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use farcall_core::{
    CallHead, Cardinality, Deadline, Encoding, Metadata, Protocol, Refusal, Result, ServerExchange,
    Status,
};
use farcall_socket::Peer;
use farcall_wire::event::{Event, RequestHead, StreamId};
use farcall_wire::http2::{Engine, ErrorCode};
use foldhash::{HashMap, HashMapExt};
use tokio::task::AbortHandle;

use crate::call::{Call, Wire};
use crate::driver::Role;
use crate::link::Link;
use crate::mailbox::{Mailbox, Note};
use crate::server::Shared;
use crate::server::handler::{self, Running};
use crate::server::index;
use crate::server::ledger::Ledger;
use crate::server::routes::Place;
use crate::service::{Finished, Handler};

/// Places of paths that a connection remembers; a client calls few methods.
const REMEMBERED: usize = 32;
/// Deadlines of calls that have ended before them, kept until there are more of them than it is worth.
const STALE_DEADLINES: usize = 64;

/// The calls of one connection.
pub(crate) struct ServerConnection {
    shared: Arc<Shared>,
    peer: Arc<Peer>,
    mailbox: Arc<Mailbox>,
    notes: Vec<Note>,
    calls: HashMap<StreamId, Stage>,
    deadlines: BinaryHeap<Reverse<(Instant, StreamId)>>,
    ledger: Ledger,
    /// Where the paths stand that the client's header compression has given a number.
    places: [Option<(NonZeroU64, Place)>; REMEMBERED],
}

/// How far a call has come.
enum Stage {
    /// Its one request is not complete.
    Collecting(Box<Collecting>),
    /// Its handler has become a task.
    Running { protocol: Protocol, task: AbortHandle, link: Option<Arc<Link>> },
    /// It has been answered or given up; its handler's future is not gone yet.
    Leaving,
    /// No call: a request for the page that says what this port is.
    Index { is_head: bool },
}

/// A handler that has not been polled yet.
struct Begun {
    running: Running,
    protocol: Protocol,
    link: Option<Arc<Link>>,
    deadline: Option<Deadline>,
}

struct Collecting {
    exchange: ServerExchange,
    head: CallHead,
    place: Place,
    deadline: Option<Deadline>,
}

impl ServerConnection {
    pub(crate) fn new(shared: Arc<Shared>, peer: Arc<Peer>, mailbox: Arc<Mailbox>) -> Self {
        Self {
            shared,
            peer,
            mailbox,
            notes: Vec::new(),
            calls: HashMap::new(),
            deadlines: BinaryHeap::new(),
            ledger: Ledger::default(),
            places: [None; REMEMBERED],
        }
    }

    fn request(
        &mut self,
        stream: StreamId,
        head: RequestHead,
        end: bool,
        engine: &mut Engine,
        now: Instant,
    ) {
        if index::is_asked_for(&head) {
            self.calls.insert(stream, Stage::Index { is_head: head.method() == b"HEAD" });
            if end {
                self.index(stream, engine);
            }
            return;
        }
        let place = self.place(&head);
        match ServerExchange::accept(head, &self.shared.limits) {
            Err(refusal) => refuse(stream, refusal, engine),
            Ok((exchange, head)) => match place {
                Ok(place) => {
                    let deadline = head.timeout.map(|timeout| Deadline::after(now, timeout));
                    let collecting = Collecting { exchange, head, place, deadline };
                    self.accept(stream, collecting, end, engine, now);
                }
                Err(status) => fail(stream, exchange.protocol(), &status, engine),
            },
        }
    }

    /// Looks the path up, once per connection and path where the client compresses it away.
    fn place(&mut self, head: &RequestHead) -> Result<Place> {
        let Some(token) = head.path_token() else { return self.shared.routes.find(head.path()) };
        let slot = &mut self.places[(token.get() % REMEMBERED as u64) as usize];
        if let Some((known, place)) = slot
            && *known == token
        {
            return Ok(*place);
        }
        let place = self.shared.routes.find(head.path())?;
        *slot = Some((token, place));
        Ok(place)
    }

    fn accept(
        &mut self,
        stream: StreamId,
        mut collecting: Collecting,
        end: bool,
        engine: &mut Engine,
        now: Instant,
    ) {
        let exchange = &mut collecting.exchange;
        if collecting.deadline.is_some_and(|deadline| deadline.has_passed(now)) {
            let late = Status::deadline_exceeded("the deadline had passed when the call arrived");
            return fail(stream, exchange.protocol(), &late, engine);
        }
        if end {
            exchange.receive(Bytes::new(), true);
        }
        if self.shared.routes.get(collecting.place).method.kind.streams_requests() {
            self.stream(stream, collecting, engine);
        } else {
            exchange.expect(Cardinality::One);
            let deadline = collecting.deadline.filter(|_| !end);
            self.collect(stream, Box::new(collecting), engine);
            self.watch(deadline, stream);
        }
    }

    /// Runs the method when its one request is here.
    fn collect(&mut self, stream: StreamId, mut collecting: Box<Collecting>, engine: &mut Engine) {
        let request = match collecting.exchange.only_message() {
            Ok(Some(message)) => {
                let compressed = message.is_compressed();
                message.into_payload(&self.shared.limits).map(|payload| (payload, compressed))
            }
            Ok(None) => {
                collecting.exchange.settle();
                self.calls.insert(stream, Stage::Collecting(collecting));
                return;
            }
            Err(status) => Err(status),
        };
        match request {
            Ok((request, compressed)) => {
                self.start(stream, *collecting, request, compressed, engine);
            }
            Err(status) => {
                fail(stream, collecting.exchange.protocol(), &status, engine);
                self.give_back(stream, 0, 0, engine);
            }
        }
    }

    /// Runs a method that takes one request.
    fn start(
        &mut self,
        stream: StreamId,
        collecting: Collecting,
        request: Bytes,
        compressed: bool,
        engine: &mut Engine,
    ) {
        let Collecting { exchange, head, place, deadline } = collecting;
        let protocol = exchange.protocol();
        let route = self.shared.routes.get(place);
        let sender = exchange.sender(head.reply_encoding(Encoding::Gzip));
        let link =
            matches!(route.handler, Handler::Replies(_)).then(|| self.link(stream, exchange));
        let mut wire = Wire::new(sender, self.shared.limits, link.clone());
        wire.compressed = compressed;
        let call = Call::new(route.method, head.metadata, wire)
            .with_deadline(deadline)
            .with_peer(&self.peer);
        let running =
            handler::run_one(&self.shared.chain, &route.handler, call, request, link.clone());
        self.launch(stream, Begun { running, protocol, link, deadline }, engine);
    }

    /// Runs a method that takes many requests.
    fn stream(&mut self, stream: StreamId, collecting: Collecting, engine: &mut Engine) {
        let Collecting { exchange, head, place, deadline } = collecting;
        let protocol = exchange.protocol();
        let route = self.shared.routes.get(place);
        let sender = exchange.sender(head.reply_encoding(Encoding::Gzip));
        let link = self.link(stream, exchange);
        let wire = Wire::new(sender, self.shared.limits, Some(Arc::clone(&link)));
        let call = Call::new(route.method, head.metadata, wire)
            .with_deadline(deadline)
            .with_peer(&self.peer);
        let running =
            handler::run_many(&self.shared.chain, &route.handler, call, Arc::clone(&link));
        let begun = Begun { running, protocol, link: Some(link), deadline };
        self.launch(stream, begun, engine);
    }

    fn link(&self, stream: StreamId, exchange: ServerExchange) -> Arc<Link> {
        Arc::new(Link::on_server(Arc::clone(&self.mailbox), stream, exchange))
    }

    /// Polls the handler once, here; one that has to wait becomes a task.
    fn launch(&mut self, stream: StreamId, begun: Begun, engine: &mut Engine) {
        let Begun { mut running, protocol, link, deadline } = begun;
        // No waker is needed: a handler that waits is polled again as a task.
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut running).poll(&mut cx) {
            Poll::Ready(finished) => {
                answer(stream, protocol, link.as_deref(), finished, engine);
                engine.done(stream);
            }
            Poll::Pending => {
                let task = handler::spawn(running, stream, &self.mailbox);
                self.watch(deadline, stream);
                self.calls.insert(stream, Stage::Running { protocol, task, link });
            }
        }
    }

    /// Ends the call at its deadline, if it has one.
    fn watch(&mut self, deadline: Option<Deadline>, stream: StreamId) {
        let Some(deadline) = deadline else { return };
        if self.deadlines.len() > 2 * self.calls.len() + STALE_DEADLINES {
            let calls = &self.calls;
            self.deadlines.retain(|Reverse((_, stream))| calls.contains_key(stream));
        }
        self.deadlines.push(Reverse((deadline.instant(), stream)));
    }

    fn data(&mut self, stream: StreamId, data: Bytes, credit: u32, end: bool, engine: &mut Engine) {
        match self.calls.get_mut(&stream) {
            Some(Stage::Collecting(_)) => {
                if let Some(Stage::Collecting(mut collecting)) = self.calls.remove(&stream) {
                    collecting.exchange.receive(data, end);
                    let unfinished = if end { 0 } else { collecting.exchange.pending() };
                    self.give_back(stream, unfinished, credit, engine);
                    self.collect(stream, collecting, engine);
                }
            }
            Some(Stage::Running { link: Some(link), .. }) => {
                let due = link.receive(data, credit, end);
                let unfinished = link.pending();
                self.give_back(stream, unfinished, due, engine);
            }
            Some(Stage::Index { .. }) => {
                engine.release(stream, credit);
                if end {
                    self.index(stream, engine);
                }
            }
            _ => engine.release(stream, credit),
        }
    }

    /// Gives received bytes back to the peer's window, unless unfinished messages hold too much already.
    fn give_back(&mut self, stream: StreamId, unfinished: usize, due: u32, engine: &mut Engine) {
        engine.release(stream, self.ledger.settle(stream, unfinished, due));
        while let Some((stream, due)) = self.ledger.thaw() {
            engine.release(stream, due);
        }
    }

    fn index(&mut self, stream: StreamId, engine: &mut Engine) {
        if let Some(Stage::Index { is_head }) = self.calls.remove(&stream) {
            refuse(stream, index::page(is_head), engine);
        }
    }

    /// Sends what the handler has to send and gives back the credit it has ready.
    fn attend(&mut self, stream: StreamId, engine: &mut Engine) {
        let Some(Stage::Running { link: Some(link), protocol, .. }) = self.calls.get(&stream)
        else {
            return;
        };
        let (link, protocol) = (Arc::clone(link), *protocol);
        let due = link.take_credit();
        self.give_back(stream, link.pending(), due, engine);
        if link.needs_head()
            && let Some((metadata, encoding)) = link.take_head()
        {
            // An error means that the stream has ended meanwhile; its event is on the way.
            let _ = engine.send_head(stream, &protocol.response_head(&metadata, encoding), false);
        }
        if let Some(outgoing) = link.take_outgoing(engine.send_room(stream)) {
            let _ = engine.send_data(stream, outgoing.data, false);
        }
    }

    /// The handler's task has ended.
    fn ended(&mut self, stream: StreamId, finished: Option<Box<Finished>>, engine: &mut Engine) {
        let Some(stage) = self.calls.remove(&stream) else { return };
        self.give_back(stream, 0, 0, engine);
        if let (Stage::Running { protocol, link, .. }, Some(finished)) = (stage, finished) {
            if let Some(link) = &link {
                engine.release(stream, link.take_held());
            }
            answer(stream, protocol, link.as_deref(), *finished, engine);
        }
        engine.done(stream);
    }

    /// The client takes no answer any more.
    fn abandon(&mut self, stream: StreamId, engine: &mut Engine) {
        self.give_back(stream, 0, 0, engine);
        let Some(stage) = self.calls.get_mut(&stream) else { return };
        match mem::replace(stage, Stage::Leaving) {
            Stage::Running { task, link, .. } => {
                task.abort();
                if let Some(link) = link {
                    engine.release(stream, link.take_held());
                    link.disconnect();
                }
            }
            Stage::Leaving => {}
            Stage::Collecting(_) | Stage::Index { .. } => {
                self.calls.remove(&stream);
                engine.done(stream);
            }
        }
    }

    fn expire(&mut self, stream: StreamId, engine: &mut Engine) {
        let (protocol, head_sent) = match self.calls.get(&stream) {
            Some(Stage::Running { protocol, link, .. }) => {
                (*protocol, link.as_ref().is_some_and(|link| link.head_sent()))
            }
            Some(Stage::Collecting(collecting)) => (collecting.exchange.protocol(), false),
            _ => return,
        };
        let status = Status::deadline_exceeded("the deadline passed while the call was handled");
        if head_sent {
            let trailers = protocol.trailers(Err(&status), &Metadata::new());
            let _ = engine.send_trailers(stream, &trailers);
        } else {
            let head = protocol.trailers_only(&status, &Metadata::new());
            let _ = engine.send_head(stream, &head, true);
        }
        self.abandon(stream, engine);
    }

    fn abort_all(&mut self) {
        for (_, stage) in self.calls.drain() {
            if let Stage::Running { task, link, .. } = stage {
                task.abort();
                if let Some(link) = link {
                    link.disconnect();
                }
            }
        }
    }
}

/// The end of a reply.
fn answer(
    stream: StreamId,
    protocol: Protocol,
    link: Option<&Link>,
    finished: Finished,
    engine: &mut Engine,
) {
    let Finished { reply, encoding, result } = finished;
    let (metadata, trailing) = reply.into_parts();
    let waiting =
        link.and_then(|link| link.take_outgoing(usize::MAX)).map(|outgoing| outgoing.data);
    let head = match link {
        Some(link) => link.take_head(),
        None => Some((metadata, encoding)),
    };
    // Errors here mean that the stream is gone and has no use for its answer.
    let (status, message) = match result {
        Ok(message) => (Ok(()), message),
        Err(status) => (Err(status), None),
    };
    match (&status, head) {
        (Err(status), Some(_)) if waiting.is_none() => {
            let _ = engine.send_head(stream, &protocol.trailers_only(status, &trailing), true);
            return;
        }
        (_, Some((metadata, encoding))) => {
            let _ = engine.send_head(stream, &protocol.response_head(&metadata, encoding), false);
        }
        (_, None) => {}
    }
    for data in waiting.into_iter().chain(message) {
        let _ = engine.send_data(stream, data, false);
    }
    let _ = engine.send_trailers(stream, &protocol.trailers(status.as_ref().copied(), &trailing));
}

/// Answers a call that no handler sees with a failure.
fn fail(stream: StreamId, protocol: Protocol, status: &Status, engine: &mut Engine) {
    let _ = engine.send_head(stream, &protocol.trailers_only(status, &Metadata::new()), true);
    engine.done(stream);
}

/// Answers a request that is no call.
fn refuse(stream: StreamId, refusal: Refusal, engine: &mut Engine) {
    let body = refusal.body.filter(|body| !body.is_empty());
    let _ = engine.send_head(stream, &refusal.head, body.is_none());
    if let Some(body) = body {
        let _ = engine.send_data(stream, body, true);
    }
    engine.done(stream);
}

impl Role for ServerConnection {
    fn handle(&mut self, event: Event, engine: &mut Engine, now: Instant) {
        match event {
            Event::Request { stream, head, end } => self.request(stream, head, end, engine, now),
            Event::Data { stream, data, credit, end } => {
                self.data(stream, data, credit, end, engine);
            }
            // Requests have no trailers in any protocol here; what they say is their end.
            Event::Trailers { stream, .. } => self.data(stream, Bytes::new(), 0, true, engine),
            Event::Reset { stream, .. } => self.abandon(stream, engine),
            Event::Writable { stream } => self.attend(stream, engine),
            Event::Closed { .. } => self.abort_all(),
            Event::Open
            | Event::Response { .. }
            | Event::Informational { .. }
            | Event::Draining { .. }
            | Event::Pong { .. }
            | Event::Capacity { .. } => {}
        }
    }

    fn work(&mut self, engine: &mut Engine, now: Instant) -> bool {
        let mut notes = mem::take(&mut self.notes);
        self.mailbox.drain(&mut notes);
        let worked = !notes.is_empty();
        for note in notes.drain(..) {
            match note {
                Note::Attend(stream) => self.attend(stream, engine),
                Note::Ended(stream, finished) => self.ended(stream, finished, engine),
                Note::Shutdown => engine.drain(now),
                Note::Abort => engine.close(ErrorCode::NoError, "the server was stopped", now),
                Note::Cancel(_) | Note::Start(_) => {}
            }
        }
        self.notes = notes;
        worked
    }

    fn has_work(&self) -> bool {
        !self.mailbox.is_empty()
    }

    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        self.mailbox.sleep(cx)
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((instant, _))| *instant)
    }

    fn handle_timeout(&mut self, engine: &mut Engine, now: Instant) {
        while let Some(&Reverse((instant, stream))) = self.deadlines.peek()
            && instant <= now
        {
            self.deadlines.pop();
            self.expire(stream, engine);
        }
    }

    fn broken(&mut self, _: &io::Error) {}

    fn closed(&mut self) {
        self.mailbox.close();
        self.abort_all();
    }
}

impl Drop for ServerConnection {
    fn drop(&mut self) {
        self.abort_all();
    }
}
