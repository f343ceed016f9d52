//! The client's side of one connection: calls out, replies in.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::{Arc, Weak};
use std::task::Context;
use std::time::Instant;

use bytes::Bytes;
use farcall_core::{Result, Status};
use farcall_socket::Peer;
use farcall_wire::event::{Event, Side, StreamId};
use farcall_wire::http2::{ErrorCode, OpenError};
use foldhash::{HashMap, HashMapExt};
use tokio::sync::oneshot;

use crate::client::channel::Routes;
use crate::client::connect::Origin;
use crate::driver::Role;
use crate::engine::{Engine, Spoken};
use crate::link::Link;
use crate::mailbox::{Mailbox, Note};

/// The calls of one connection.
pub(crate) struct ClientConnection {
    /// Weak: a channel that nobody holds any more closes its connections.
    routes: Weak<Routes>,
    peer: Arc<Peer>,
    spoken: Spoken,
    origin: Origin,
    mailbox: Arc<Mailbox>,
    notes: Vec<Note>,
    /// Told once whether the connection came to life.
    opened: Option<oneshot::Sender<Result<()>>>,
    calls: HashMap<StreamId, ActiveCall>,
    /// Calls for which the peer has no stream at the moment.
    stalled: VecDeque<Arc<Link>>,
    written: u64,
    /// No new calls: the peer is going away, or the channel is gone.
    draining: bool,
    /// Why the connection ended, for the error of those whose call it ends.
    cause: Option<String>,
}

struct ActiveCall {
    link: Arc<Link>,
    /// Where the request's HEADERS end in the bytes of the connection. While fewer have been written, the peer cannot
    /// have seen the call.
    headers_end: u64,
}

impl ClientConnection {
    pub(crate) fn new(
        routes: &Arc<Routes>,
        peer: Arc<Peer>,
        spoken: Spoken,
        opened: oneshot::Sender<Result<()>>,
    ) -> Self {
        Self {
            routes: Arc::downgrade(routes),
            peer,
            spoken,
            origin: routes.target.origin(),
            mailbox: Arc::default(),
            notes: Vec::new(),
            opened: Some(opened),
            calls: HashMap::new(),
            stalled: VecDeque::new(),
            written: 0,
            draining: false,
            cause: None,
        }
    }

    fn open(&mut self, engine: &Engine) {
        if let Some(routes) = self.routes.upgrade() {
            routes.connected(&self.mailbox, engine.open_room());
        }
        if let Some(opened) = self.opened.take() {
            let _ = opened.send(Ok(()));
        }
    }

    fn start(&mut self, link: Arc<Link>, engine: &mut Engine, now: Instant) {
        let Some(head) = link.request_head(&self.origin, now) else {
            // Cancelled while it waited.
            self.ended();
            return;
        };
        match engine.open(&head, false) {
            Ok(stream) => {
                let headers_end = self.written + engine.output().len() as u64;
                link.opened(&self.mailbox, stream, &self.peer);
                self.calls.insert(stream, ActiveCall { link, headers_end });
                self.attend(stream, engine);
            }
            Err(OpenError::Concurrency) => self.stalled.push_back(link),
            Err(OpenError::IdsExhausted | OpenError::Draining | OpenError::Closed) => {
                self.retire();
                self.send_elsewhere(link);
            }
        }
    }

    /// Gives the call back to the channel, which sends it on another connection.
    fn send_elsewhere(&self, link: Arc<Link>) {
        match self.routes.upgrade() {
            Some(routes) => {
                if link.rewind() {
                    routes.dispatch(link);
                }
            }
            None => link.fail(Status::unavailable("the channel was dropped")),
        }
    }

    /// Sends what the link has to send and gives back the credit it has ready.
    fn attend(&mut self, stream: StreamId, engine: &mut Engine) {
        let Some(call) = self.calls.get(&stream) else { return };
        engine.release(stream, call.link.take_credit());
        let room = engine.send_room(stream);
        let Some(outgoing) = call.link.take_outgoing(room) else { return };
        if !outgoing.data.is_empty() || outgoing.finished {
            // Gone means that the stream has ended meanwhile; its event is on the way.
            let _ = engine.send_data(stream, outgoing.data, outgoing.finished);
        }
    }

    fn data(&mut self, stream: StreamId, data: Bytes, credit: u32, end: bool, engine: &mut Engine) {
        let Some(call) = self.calls.get(&stream) else {
            engine.release(stream, credit);
            return;
        };
        engine.release(stream, call.link.receive(data, credit, end));
        if end {
            self.finish(stream, true, engine);
        }
    }

    fn reset(&mut self, stream: StreamId, reset: &Reset, engine: &mut Engine, now: Instant) {
        if reset.code == ErrorCode::ConnectError {
            // The connection is ending under the call; why is known when it has.
            return;
        }
        let Some(call) = self.calls.remove(&stream) else { return };
        engine.release(stream, call.link.take_held());
        engine.done(stream);
        self.ended();
        if reset.unprocessed || call.headers_end > self.written {
            self.send_elsewhere(call.link);
        } else if reset.by == Side::Remote {
            call.link.receive_reset(reset.code, now);
        } else {
            call.link.fail(self.spoilt(reset, &call.link));
        }
    }

    /// The reply broke a rule of the protocol: sending the call again would not help.
    fn spoilt(&self, reset: &Reset, link: &Link) -> Status {
        let text = format!("{} {}: {}", link.stage(), self.peer, reset.reason);
        match reset.code {
            ErrorCode::Cancel => Status::unavailable(text),
            ErrorCode::EnhanceYourCalm => Status::resource_exhausted(text),
            _ => Status::internal(text),
        }
    }

    fn lost(&self, cause: &str, link: &Link) -> Status {
        Status::unavailable(format!("{} {}: {cause}", link.stage(), self.peer))
    }

    /// The call is over; `ended`: the server has ended the stream.
    fn finish(&mut self, stream: StreamId, ended: bool, engine: &mut Engine) {
        let Some(call) = self.calls.remove(&stream) else { return };
        engine.release(stream, call.link.take_held());
        if !(ended && call.link.has_sent_all()) {
            engine.reset(stream, ErrorCode::Cancel);
        }
        engine.done(stream);
        self.ended();
    }

    fn cancel(&mut self, stream: StreamId, engine: &mut Engine) {
        if let Some(call) = self.calls.remove(&stream) {
            engine.reset(stream, ErrorCode::Cancel);
            engine.release(stream, call.link.take_held());
            engine.done(stream);
            self.ended();
        }
    }

    fn ended(&self) {
        if let Some(routes) = self.routes.upgrade() {
            routes.ended(&self.mailbox);
        }
    }

    fn retire(&mut self) {
        self.draining = true;
        if let Some(routes) = self.routes.upgrade() {
            routes.retired(&self.mailbox);
        }
    }

    fn restart_stalled(&mut self, engine: &mut Engine, now: Instant) {
        while engine.open_room() > 0 || self.draining {
            let Some(link) = self.stalled.pop_front() else { return };
            self.start(link, engine, now);
        }
    }

    fn note(&mut self, note: Note, engine: &mut Engine, now: Instant) {
        match note {
            Note::Start(link) => self.start(link, engine, now),
            Note::Attend(stream) => self.attend(stream, engine),
            Note::Cancel(stream) => self.cancel(stream, engine),
            Note::Shutdown => {
                self.draining = true;
                engine.drain(now);
            }
            Note::Abort => engine.close(ErrorCode::NoError, "", now),
            Note::Ended(..) => {}
        }
    }
}

/// How a stream ended before its time.
struct Reset {
    code: ErrorCode,
    by: Side,
    reason: &'static str,
    unprocessed: bool,
}

impl Role for ClientConnection {
    fn handle(&mut self, event: Event, engine: &mut Engine, now: Instant) {
        match event {
            Event::Open => self.open(engine),
            Event::Response { stream, head, end } => {
                if let Some(call) = self.calls.get(&stream)
                    && call.link.receive_head(head, end)
                {
                    self.finish(stream, end, engine);
                }
            }
            Event::Data { stream, data, credit, end } => {
                self.data(stream, data, credit, end, engine);
            }
            Event::Trailers { stream, fields } => {
                if let Some(call) = self.calls.get(&stream) {
                    call.link.receive_trailers(fields);
                }
                self.finish(stream, true, engine);
            }
            Event::Reset { stream, code, by, reason, unprocessed } => {
                self.reset(stream, &Reset { code, by, reason, unprocessed }, engine, now);
                self.restart_stalled(engine, now);
            }
            Event::Writable { stream } => self.attend(stream, engine),
            Event::Draining { code, debug } => {
                self.cause = Some(format!("the peer is going away ({code}) {debug}"));
                self.retire();
                self.restart_stalled(engine, now);
            }
            Event::Capacity { streams } => {
                if let Some(routes) = self.routes.upgrade() {
                    routes.resized(&self.mailbox, streams);
                }
                self.restart_stalled(engine, now);
            }
            Event::Closed { error } => {
                let named = error.map(|error| format!("{} {error}", self.spoken));
                self.cause = named.or(self.cause.take());
            }
            Event::Request { .. } | Event::Informational { .. } | Event::Pong { .. } => {}
        }
    }

    fn work(&mut self, engine: &mut Engine, now: Instant) -> bool {
        let mut notes = mem::take(&mut self.notes);
        self.mailbox.drain(&mut notes);
        let worked = !notes.is_empty();
        for note in notes.drain(..) {
            self.note(note, engine, now);
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
        None
    }

    fn handle_timeout(&mut self, _: &mut Engine, _: Instant) {}

    fn written(&mut self, written: u64) {
        self.written = written;
    }

    fn broken(&mut self, cause: &io::Error) {
        self.cause = Some(cause.to_string());
    }

    fn closed(&mut self) {
        let cause = self.cause.take().unwrap_or_else(|| "the connection was closed".to_owned());
        self.retire();
        if let Some(opened) = self.opened.take() {
            let text = format!("connect to {}: no answer from the server: {cause}", self.peer);
            let _ = opened.send(Err(Status::unavailable(text)));
        }
        for (_, call) in mem::take(&mut self.calls) {
            if call.headers_end > self.written {
                self.send_elsewhere(call.link);
            } else {
                call.link.fail(self.lost(&cause, &call.link));
            }
        }
        for link in mem::take(&mut self.stalled) {
            self.send_elsewhere(link);
        }
        for note in self.mailbox.close() {
            if let Note::Start(link) = note {
                self.send_elsewhere(link);
            }
        }
    }
}
