//! A call on the server: from its head to its end.
//!
//! ```text
//!   request ---> Collecting ---> handler ---> Running ---> answered
//!                  (one            | ready      | note       ^
//!                   message)       '------------+------------'
//!                                               | cancelled, deadline
//!                                               v
//!                                            Leaving ---> gone
//! ```

use std::cmp::Reverse;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use farcall_core::{
    CallHead, Cardinality, Deadline, Incoming, Metadata, Result, ServerExchange, Status,
};
use farcall_wire::event::StreamId;

use super::answer::Asker;
use super::{ServerConnection, Stage};
use crate::budget::SMALL;
use crate::call::{Call, Wire};
use crate::engine::Engine;
use crate::link::Link;
use crate::server::handler::{self, Running};
use crate::server::routes::Place;
use crate::service::{BoxCall, Finished, Handler, Route};

/// Deadlines of calls that have ended before them, kept until there are more of them than it is worth.
const STALE_DEADLINES: usize = 64;

/// A call whose one request is not complete.
pub(super) struct Collecting {
    pub(super) exchange: ServerExchange,
    pub(super) head: CallHead,
    pub(super) place: Place,
    pub(super) deadline: Option<Deadline>,
    pub(super) asker: Asker,
}

/// A handler that has not been polled yet.
struct Begun {
    running: Running,
    asker: Asker,
    link: Option<Arc<Link>>,
    deadline: Option<Deadline>,
}

impl ServerConnection {
    /// Begins the call that a request is.
    pub(super) fn accept(
        &mut self,
        stream: StreamId,
        mut collecting: Box<Collecting>,
        end: bool,
        engine: &mut Engine,
        now: Instant,
    ) {
        let deadline = collecting.deadline;
        if deadline.is_some_and(|deadline| deadline.has_passed(now)) {
            let late = Status::deadline_exceeded("the deadline had passed when the call arrived");
            return self.fail(stream, &collecting.asker, &late, engine);
        }
        let exchange = &mut collecting.exchange;
        if end {
            exchange.receive(Bytes::new(), true);
        }
        if self.shared.routes.get(collecting.place).method.kind.streams_requests() {
            engine.allow_pauses(stream);
            return self.stream(stream, *collecting, engine);
        }
        exchange.expect(Cardinality::One);
        let request = if exchange.is_ended() { exchange.only_message().transpose() } else { None };
        if let Some(request) = request {
            self.collected(stream, collecting, request, engine);
        } else {
            self.stages.insert(stream, Stage::Collecting(collecting));
            self.watch(deadline, stream);
        }
    }

    /// Runs the method whose one request is here, or cannot be taken.
    pub(super) fn collected(
        &mut self,
        stream: StreamId,
        collecting: Box<Collecting>,
        request: Result<Incoming>,
        engine: &mut Engine,
    ) {
        let payload = request.and_then(|request| {
            let compressed = request.is_compressed();
            request.into_payload(&self.shared.limits).map(|payload| (payload, compressed))
        });
        match payload {
            Ok((payload, compressed)) => {
                self.start(stream, collecting, payload, compressed, engine);
            }
            Err(status) => self.fail(stream, &collecting.asker, &status, engine),
        }
    }

    /// Runs a method that takes one request.
    fn start(
        &mut self,
        stream: StreamId,
        collecting: Box<Collecting>,
        request: Bytes,
        compressed: bool,
        engine: &mut Engine,
    ) {
        let route = self.shared.routes.get(collecting.place);
        let sender = collecting.exchange.sender(collecting.head.best_encoding());
        let (deadline, asker) = (collecting.deadline, collecting.asker);
        let link = if matches!(route.handler, Handler::Replies(_)) {
            Some(self.link(stream, collecting.exchange))
        } else {
            None
        };
        let mut wire = Wire::new(sender, self.shared.limits, link.clone());
        wire.compressed = compressed;
        let call = self.make_call(route, collecting.head.metadata, deadline, wire);
        let running =
            handler::run_one(&self.shared.chain, &route.handler, call, request, link.clone());
        self.launch(stream, Begun { running, asker, link, deadline }, engine);
    }

    /// Runs a method that takes many requests.
    fn stream(&mut self, stream: StreamId, collecting: Collecting, engine: &mut Engine) {
        let Collecting { exchange, head, place, deadline, asker } = collecting;
        let route = self.shared.routes.get(place);
        let sender = exchange.sender(head.best_encoding());
        let link = self.link(stream, exchange);
        let wire = Wire::new(sender, self.shared.limits, Some(Arc::clone(&link)));
        let call = self.make_call(route, head.metadata, deadline, wire);
        let running =
            handler::run_many(&self.shared.chain, &route.handler, call, Arc::clone(&link));
        let begun = Begun { running, asker, link: Some(link), deadline };
        self.launch(stream, begun, engine);
    }

    fn make_call(
        &self,
        route: &Route,
        metadata: Metadata,
        deadline: Option<Deadline>,
        wire: Wire,
    ) -> BoxCall {
        let peer = Some(Arc::clone(&self.peer));
        Box::new(Call::new(route.method, metadata, deadline, peer, wire))
    }

    fn link(&self, stream: StreamId, exchange: ServerExchange) -> Arc<Link> {
        Arc::new(Link::on_server(Arc::clone(&self.mailbox), stream, exchange))
    }

    /// Polls the handler once, here; one that has to wait becomes a task.
    fn launch(&mut self, stream: StreamId, begun: Begun, engine: &mut Engine) {
        let Begun { mut running, asker, link, deadline } = begun;
        // No waker is needed: a handler that waits is polled again as a task.
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut running).poll(&mut cx) {
            Poll::Ready(mut finished) => {
                self.admit(&mut finished, engine);
                asker.finish(stream, link.as_deref(), finished, self.shared.cors.as_ref(), engine);
                engine.done(stream);
            }
            Poll::Pending => {
                let task = handler::spawn(running, stream, &self.mailbox);
                self.watch(deadline, stream);
                self.stages.insert(stream, Stage::Running { asker, task, link });
            }
        }
    }

    /// A whole reply is queued at once, however slow its reader is: one that the process has no memory left for becomes a
    /// failure. It is charged from here on, with all that is unsent before it.
    pub(super) fn admit(&mut self, finished: &mut Finished, engine: &Engine) {
        let Ok(Some(reply)) = &finished.result else { return };
        if reply.len() > SMALL
            && !self.share.try_output(engine.unsent().saturating_add(reply.len()))
        {
            finished.result = Err(self.shared.budget.exhausted());
        }
    }

    /// Ends the call at its deadline, if it has one.
    fn watch(&mut self, deadline: Option<Deadline>, stream: StreamId) {
        let Some(deadline) = deadline else { return };
        if self.deadlines.len() > 2 * self.stages.len() + STALE_DEADLINES {
            let calls = &self.stages;
            self.deadlines.retain(|Reverse((_, stream))| calls.contains_key(stream));
        }
        self.deadlines.push(Reverse((deadline.instant(), stream)));
    }

    /// Sends what the handler has to send and gives back the credit it has ready.
    pub(super) fn attend_call(&mut self, stream: StreamId, link: &Link, engine: &mut Engine) {
        let due = link.take_credit();
        self.give_back(stream, link.pending(), due, engine);
        let Some(Stage::Running { asker, .. }) = self.stages.get(&stream) else { return };
        if link.needs_head()
            && let Some((metadata, encoding)) = link.take_head()
        {
            let head = asker.dialect.response_head(&metadata, encoding);
            asker.send_head(stream, head, false, self.shared.cors.as_ref(), engine);
        }
        if let Some(outgoing) = link.take_outgoing(self.room(stream, engine)) {
            let _ = engine.send_data(stream, outgoing.data, false);
        }
    }

    /// The deadline of the call has passed.
    pub(super) fn expire(&mut self, stream: StreamId, engine: &mut Engine) {
        let status = Status::deadline_exceeded("the deadline passed while the call was handled");
        self.cut(stream, &status, engine);
    }

    /// Answers a call with a failure, whatever has become of it, and ends it.
    pub(super) fn cut(&mut self, stream: StreamId, status: &Status, engine: &mut Engine) {
        let cors = self.shared.cors.as_ref();
        match self.stages.get(&stream) {
            Some(Stage::Running { asker, link, .. }) => {
                if link.as_ref().is_some_and(|link| link.head_sent()) {
                    asker.end(stream, Err(status), &Metadata::new(), engine);
                } else {
                    asker.fail(stream, status, cors, engine);
                }
            }
            Some(Stage::Collecting(collecting)) => {
                collecting.asker.fail(stream, status, cors, engine);
            }
            _ => return,
        }
        self.abandon(stream, engine);
    }

    /// Answers a call that no handler sees with a failure.
    pub(super) fn fail(
        &mut self,
        stream: StreamId,
        asker: &Asker,
        status: &Status,
        engine: &mut Engine,
    ) {
        asker.fail(stream, status, self.shared.cors.as_ref(), engine);
        engine.done(stream);
    }
}
