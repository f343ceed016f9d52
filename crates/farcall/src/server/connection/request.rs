//! What a request is: a call, calls over a WebSocket, or a page of the HTTP application.

use std::time::Instant;

use farcall_core::{Deadline, Protocol, Result, ServerExchange, Status, method};
use farcall_wire::event::{RequestHead, StreamId};
use farcall_wire::http2::ErrorCode;
use farcall_wire::websocket::handshake;

use super::answer::{Asker, refuse};
use super::call::Collecting;
use super::{REMEMBERED, ServerConnection};
use crate::engine::Engine;
use crate::server::routes::Place;

/// A request that has just come.
pub(super) struct Arrival {
    pub(super) stream: StreamId,
    pub(super) head: RequestHead,
    /// Nothing follows the head.
    pub(super) end: bool,
}

impl ServerConnection {
    pub(super) fn request(&mut self, arrival: Arrival, engine: &mut Engine, now: Instant) {
        let (guard, hosts) = (&self.guard, &self.shared.hosts);
        if let Err(refusal) = guard.check(&arrival.head, engine.version(), hosts) {
            return refuse(arrival.stream, refusal, engine);
        }
        match self.place(&arrival.head) {
            Ok(place) => self.call(arrival, place, engine, now),
            Err(missing) => self.other(arrival, &missing, engine),
        }
    }

    /// Looks the path up, once per connection and path where the client compresses it away.
    fn place(&mut self, head: &RequestHead) -> Result<Place> {
        let routes = &self.shared.routes;
        let Some(token) = head.path_token() else { return routes.find(method::call_path(head)) };
        let slot = &mut self.places[(token.get() % REMEMBERED as u64) as usize];
        if let Some((known, place)) = slot
            && *known == token
        {
            return Ok(*place);
        }
        let place = routes.find(method::call_path(head))?;
        *slot = Some((token, place));
        Ok(place)
    }

    /// The path names a method.
    fn call(&mut self, arrival: Arrival, place: Place, engine: &mut Engine, now: Instant) {
        let Arrival { stream, head, end } = arrival;
        if !self.share.may_begin() {
            // Not processed: the client may send it again, and a channel does so by itself.
            engine.reset(stream, ErrorCode::RefusedStream);
            return engine.done(stream);
        }
        let mut origin = None;
        if let Some(cors) = &self.shared.cors {
            if let Some(answer) = cors.preflight(&head) {
                return refuse(stream, answer, engine);
            }
            origin = head.fields().get("origin").map(Box::from);
        }
        let method = self.shared.routes.get(place).method;
        match ServerExchange::accept(head, Some(method), &self.shared.limits) {
            Err(refusal) => {
                Asker::refuse(
                    stream,
                    refusal,
                    origin.as_deref(),
                    self.shared.cors.as_ref(),
                    engine,
                );
            }
            Ok((exchange, head)) => {
                let deadline = head.timeout.map(|timeout| Deadline::after(now, timeout));
                let asker = Asker { dialect: exchange.dialect(), origin };
                let collecting = Box::new(Collecting { exchange, head, place, deadline, asker });
                self.accept(stream, collecting, end, engine, now);
            }
        }
    }

    /// The path names no method.
    fn other(&mut self, arrival: Arrival, missing: &Status, engine: &mut Engine) {
        if handshake::is_upgrade(&arrival.head) {
            self.websocket(arrival, engine);
        } else if self.is_lost_call(&arrival.head) {
            self.lost_call(arrival, missing, engine);
        } else {
            self.page(arrival, engine);
        }
    }

    /// Whether the request can only be meant as a call. JSON may as well be the HTTP application's, when there is one.
    fn is_lost_call(&self, head: &RequestHead) -> bool {
        match Protocol::of(head) {
            Some(Protocol::Grpc | Protocol::GrpcWeb) => true,
            Some(Protocol::Connect) => !self.shared.has_app,
            None => false,
        }
    }

    fn lost_call(&mut self, arrival: Arrival, missing: &Status, engine: &mut Engine) {
        let Arrival { stream, head, .. } = arrival;
        match ServerExchange::accept(head, None, &self.shared.limits) {
            Err(refusal) => refuse(stream, refusal, engine),
            Ok((exchange, _)) => {
                let asker = Asker { dialect: exchange.dialect(), origin: None };
                self.fail(stream, &asker, missing, engine);
            }
        }
    }
}
