//! The server's side of one connection: requests in, replies out.
//!
//! A request is a call of a service that was added, calls over a WebSocket, or the HTTP application's. The handler of a
//! call is polled in place, within the batch that brought its request. One that is ready at once costs no task and no
//! queue; one that waits becomes a task, and its end comes back as a note. A stream is held until its handler's future is
//! gone, not until the client has lost interest.

mod aging;
mod answer;
mod call;
mod page;
mod request;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::hash_map::Entry;
use std::io;
use std::mem;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::task::Context;
use std::time::Instant;

use bytes::Bytes;
use farcall_socket::Peer;
use farcall_wire::event::{Event, StreamId};
use farcall_wire::fields::Fields;
use farcall_wire::http2::ErrorCode;
use foldhash::{HashMap, HashMapExt};
use tokio::task::AbortHandle;

use crate::budget::{ALLOWANCE, Share};
use crate::driver::Role;
use crate::engine::Engine;
use crate::http::Flow;
use crate::link::Link;
use crate::mailbox::{Mailbox, Note};
use crate::server::Shared;
use crate::server::age::Age;
use crate::server::connections::Connections;
use crate::server::hosts::Guard;
use crate::server::ledger::Ledger;
use crate::server::routes::Place;
use crate::service::Finished;
use answer::Asker;
use call::Collecting;
use request::Arrival;

/// Places of paths that a connection remembers; a client calls few methods.
const REMEMBERED: usize = 32;

/// The requests of one connection.
pub(crate) struct ServerConnection {
    shared: Arc<Shared>,
    /// Where a connection inside this one is served: a WebSocket with calls in it.
    connections: Arc<Connections>,
    peer: Arc<Peer>,
    mailbox: Arc<Mailbox>,
    notes: Vec<Note>,
    stages: HashMap<StreamId, Stage>,
    deadlines: BinaryHeap<Reverse<(Instant, StreamId)>>,
    ledger: Ledger,
    /// What this connection holds of the memory that all have.
    share: Share,
    /// Replies wait for the output to drain, though their streams have room.
    paused: bool,
    /// Where the paths stand that the client's header compression has given a number.
    places: [Option<(NonZeroU64, Place)>; REMEMBERED],
    guard: Guard,
    age: Age,
}

/// How far a request has come.
enum Stage {
    /// A call whose one request is not complete.
    Collecting(Box<Collecting>),
    /// A call whose handler has become a task.
    Running { asker: Asker, task: AbortHandle, link: Option<Arc<Link>> },
    /// A request of the HTTP application, or a pipe that was one; the task, unless it has ended.
    Page { flow: Arc<Flow>, task: Option<AbortHandle>, answered: bool },
    /// Answered or given up; the future behind it is not gone yet.
    Leaving,
}

impl ServerConnection {
    pub(crate) fn new(
        shared: Arc<Shared>,
        connections: Arc<Connections>,
        peer: Arc<Peer>,
        mailbox: Arc<Mailbox>,
        guard: Guard,
    ) -> Self {
        let share = Share::new(Arc::clone(&shared.budget));
        Self {
            shared,
            connections,
            peer,
            mailbox,
            notes: Vec::new(),
            stages: HashMap::new(),
            deadlines: BinaryHeap::new(),
            ledger: Ledger::default(),
            share,
            paused: false,
            places: [None; REMEMBERED],
            guard,
            age: Age::default(),
        }
    }

    fn data(&mut self, stream: StreamId, data: Bytes, credit: u32, end: bool, engine: &mut Engine) {
        let Entry::Occupied(mut entry) = self.stages.entry(stream) else {
            return engine.release(stream, credit);
        };
        match entry.get_mut() {
            Stage::Collecting(collecting) => {
                collecting.exchange.receive(data, end);
                let Some(request) = collecting.exchange.only_message().transpose() else {
                    collecting.exchange.settle();
                    let unfinished = collecting.exchange.pending();
                    return self.collect(stream, unfinished, credit, engine);
                };
                let stage = entry.remove();
                self.give_back(stream, 0, credit, engine);
                if let Stage::Collecting(collecting) = stage {
                    self.collected(stream, collecting, request, engine);
                }
            }
            Stage::Running { link: Some(link), .. } => {
                let due = link.receive(data, credit, end);
                let unfinished = link.pending();
                self.collect(stream, unfinished, due, engine);
            }
            Stage::Page { flow, .. } => engine.release(stream, flow.receive(data, credit, end)),
            Stage::Running { link: None, .. } | Stage::Leaving => engine.release(stream, credit),
        }
    }

    /// What trailers say to a call is its end: requests have none in any of its protocols.
    fn trailers(&mut self, stream: StreamId, fields: Fields, engine: &mut Engine) {
        match self.stages.get(&stream) {
            Some(Stage::Page { flow, .. }) => flow.receive_trailers(fields),
            _ => self.data(stream, Bytes::new(), 0, true, engine),
        }
    }

    /// A message has grown to so many bytes: its beginning is given back, and charged. What is more than the process has
    /// left ends the call.
    fn collect(&mut self, stream: StreamId, unfinished: usize, due: u32, engine: &mut Engine) {
        self.settle_ledger(stream, unfinished, due, engine);
        if !self.share.try_messages(self.ledger.total()) {
            self.cut(stream, &self.shared.budget.exhausted(), engine);
        }
    }

    /// Gives received bytes back: the stream collects no more than `unfinished` bytes.
    fn give_back(&mut self, stream: StreamId, unfinished: usize, due: u32, engine: &mut Engine) {
        self.settle_ledger(stream, unfinished, due, engine);
        self.share.set_messages(self.ledger.total());
    }

    /// Gives received bytes back to the peer's window, unless unfinished messages hold too much already.
    fn settle_ledger(
        &mut self,
        stream: StreamId,
        unfinished: usize,
        due: u32,
        engine: &mut Engine,
    ) {
        engine.release(stream, self.ledger.settle(stream, unfinished, due));
        while let Some((stream, due)) = self.ledger.thaw() {
            engine.release(stream, due);
        }
    }

    /// Sends what waits behind the stream and gives back the credit that is ready.
    fn attend(&mut self, stream: StreamId, engine: &mut Engine) {
        match self.stages.get(&stream) {
            Some(Stage::Running { link: Some(link), .. }) => {
                let link = Arc::clone(link);
                self.attend_call(stream, &link, engine);
            }
            Some(Stage::Page { flow, .. }) => {
                let flow = Arc::clone(flow);
                self.attend_page(stream, &flow, engine);
            }
            _ => {}
        }
    }

    /// Bytes that the stream may be given to send: none while more is unsent than the memory of all allows.
    fn room(&mut self, stream: StreamId, engine: &Engine) -> usize {
        if self.share.may_queue(engine.unsent()) {
            return engine.send_room(stream);
        }
        self.paused = true;
        0
    }

    /// Lets replies go on that waited for the output to drain. Returns whether there may be any.
    fn resume(&mut self, engine: &mut Engine) -> bool {
        if !self.paused || !self.share.may_queue(engine.unsent()) {
            return false;
        }
        self.paused = false;
        let streams: Vec<StreamId> = self.stages.keys().copied().collect();
        for stream in streams {
            self.attend(stream, engine);
        }
        true
    }

    /// Bytes of replies that wait behind the engine.
    fn waiting(&self) -> usize {
        let waiting = self.stages.values().map(|stage| match stage {
            Stage::Running { link: Some(link), .. } => link.waiting(),
            Stage::Page { flow, .. } => flow.waiting(),
            _ => 0,
        });
        waiting.sum()
    }

    /// The task behind the stream has ended.
    fn ended(&mut self, stream: StreamId, finished: Option<Box<Finished>>, engine: &mut Engine) {
        if let Some(Stage::Page { task, answered: false, .. }) = self.stages.get_mut(&stream) {
            *task = None;
            return;
        }
        let Some(stage) = self.stages.remove(&stream) else { return };
        self.give_back(stream, 0, 0, engine);
        match (stage, finished) {
            (Stage::Running { asker, link, .. }, Some(mut finished)) => {
                self.admit(&mut finished, engine);
                if let Some(link) = &link {
                    engine.release(stream, link.take_held());
                }
                asker.finish(stream, link.as_deref(), *finished, self.shared.cors.as_ref(), engine);
            }
            // Whoever still reads the request, or waits for an upgrade, learns that it is over.
            (Stage::Page { flow, .. }, _) => flow.disconnect(),
            _ => {}
        }
        engine.done(stream);
    }

    /// The client takes no answer any more.
    fn abandon(&mut self, stream: StreamId, engine: &mut Engine) {
        self.give_back(stream, 0, 0, engine);
        let Some(stage) = self.stages.get_mut(&stream) else { return };
        match mem::replace(stage, Stage::Leaving) {
            Stage::Running { task, link, .. } => {
                task.abort();
                if let Some(link) = link {
                    engine.release(stream, link.take_held());
                    link.disconnect();
                }
            }
            Stage::Page { flow, task: Some(task), .. } => {
                task.abort();
                flow.disconnect();
            }
            Stage::Page { flow, task: None, .. } => {
                flow.disconnect();
                self.forget(stream, engine);
            }
            Stage::Leaving => {}
            Stage::Collecting(_) => self.forget(stream, engine),
        }
    }

    /// Takes no new requests. Pipes that were requests have no end of their own: they are told.
    fn drain(&mut self, engine: &mut Engine, now: Instant) {
        engine.drain(now);
        self.drain_pipes();
    }

    fn drain_pipes(&self) {
        for stage in self.stages.values() {
            if let Stage::Page { flow, .. } = stage {
                flow.drain();
            }
        }
    }

    /// Nothing is held of the stream any more.
    fn forget(&mut self, stream: StreamId, engine: &mut Engine) {
        self.stages.remove(&stream);
        engine.done(stream);
    }

    fn abort_all(&mut self) {
        self.ledger = Ledger::default();
        self.share.set_messages(0);
        for (_, stage) in self.stages.drain() {
            match stage {
                Stage::Running { task, link, .. } => {
                    task.abort();
                    if let Some(link) = link {
                        link.disconnect();
                    }
                }
                Stage::Page { flow, task, .. } => {
                    flow.disconnect();
                    if let Some(task) = task {
                        task.abort();
                    }
                }
                Stage::Collecting(_) | Stage::Leaving => {}
            }
        }
    }
}

impl Role for ServerConnection {
    fn handle(&mut self, event: Event, engine: &mut Engine, now: Instant) {
        match event {
            Event::Request { stream, head, end } => {
                self.take_leave(engine, now);
                self.request(Arrival { stream, head, end }, engine, now);
            }
            Event::Data { stream, data, credit, end } => {
                self.data(stream, data, credit, end, engine);
            }
            Event::Trailers { stream, fields } => self.trailers(stream, fields, engine),
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
        if !self.has_work() {
            return false;
        }
        let mut notes = mem::take(&mut self.notes);
        self.mailbox.drain(&mut notes);
        for note in notes.drain(..) {
            match note {
                Note::Attend(stream) => self.attend(stream, engine),
                Note::Ended(stream, finished) => self.ended(stream, finished, engine),
                Note::Shutdown => self.drain(engine, now),
                Note::Abort => engine.close(ErrorCode::NoError, "the server was stopped", now),
                Note::Cancel(_) | Note::Start(_) => {}
            }
        }
        self.notes = notes;
        true
    }

    fn has_work(&self) -> bool {
        !self.mailbox.is_empty()
    }

    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        self.mailbox.sleep(cx)
    }

    fn next_timeout(&self) -> Option<Instant> {
        let deadline = self.deadlines.peek().map(|Reverse((instant, _))| *instant);
        deadline.into_iter().chain(self.age.next_timeout()).min()
    }

    fn handle_timeout(&mut self, engine: &mut Engine, now: Instant) {
        while let Some(&Reverse((instant, stream))) = self.deadlines.peek()
            && instant <= now
        {
            self.deadlines.pop();
            self.expire(stream, engine);
        }
        self.grow_older(engine, now);
    }

    fn settle(&mut self, engine: &mut Engine) -> bool {
        let unsent = engine.unsent();
        // Nothing waits behind an engine that has room.
        let waiting = if unsent > ALLOWANCE { self.waiting() } else { 0 };
        self.share.set_output(unsent.saturating_add(waiting));
        self.resume(engine)
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
