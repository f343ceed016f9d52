//! A request of the HTTP application, and what it may become: a pipe of another protocol.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use ::http::Version;
use farcall_core::Refusal;
use farcall_wire::event::{RequestHead, StreamId};
use farcall_wire::fields::Fields;
use farcall_wire::http2::ErrorCode;
use farcall_wire::limits::WebSocketLimits;
use farcall_wire::websocket::{SUBPROTOCOL, handshake};

use super::answer::refuse;
use super::request::Arrival;
use super::{ServerConnection, Stage};
use crate::engine::Engine;
use crate::http::{self, Body, Flow, Outgoing, Upgrade};
use crate::server::handler;

impl ServerConnection {
    /// Lets the HTTP application answer.
    pub(super) fn page(&mut self, arrival: Arrival, engine: &mut Engine) {
        let Arrival { stream, head, end } = arrival;
        let flow = Arc::new(Flow::new(Arc::clone(&self.mailbox), stream, end));
        if self.age.is_leaving() {
            flow.drain();
        }
        let upgrade = (engine.can_upgrade() && asks_for_another_protocol(&head))
            .then(|| Upgrade::new(&flow, &head, end));
        let length = content_length(&head);
        let body = match &upgrade {
            Some(_) => Body::empty(),
            None => Body::incoming(Arc::clone(&flow), length),
        };
        let mut request = match http::request(&head, engine.version()) {
            Ok(request) => request.map(|()| body),
            Err(status) => return refuse(stream, plain(400, status.message()), engine),
        };
        request.extensions_mut().insert(Arc::clone(&self.peer));
        if let Some(upgrade) = upgrade {
            request.extensions_mut().insert(upgrade);
        }
        let mut answering = self.shared.app.run(request, Arc::clone(&flow));
        // No waker is needed: an application that waits is polled again as a task.
        let mut cx = Context::from_waker(Waker::noop());
        let task = match Pin::new(&mut answering).poll(&mut cx) {
            Poll::Ready(()) => None,
            Poll::Pending => Some(handler::spawn_page(answering, stream, &self.mailbox)),
        };
        self.stages.insert(stream, Stage::Page { flow, task, answered: false });
    }

    /// Sends what the application has to send and gives back the credit that is ready.
    pub(super) fn attend_page(&mut self, stream: StreamId, flow: &Flow, engine: &mut Engine) {
        engine.release(stream, flow.take_credit());
        if let Some(mut head) = flow.take_head() {
            keep_legal(&mut head.fields, engine.version());
            if head.upgrade {
                engine.upgrade(stream, &head.fields);
                flow.upgraded();
            } else {
                // An error means that the stream has ended meanwhile; its event is on the way.
                let _ = engine.send_head(stream, &head.fields, false);
            }
        }
        while let Some(outgoing) = flow.take_outgoing(self.room(stream, engine)) {
            let last = match outgoing {
                Outgoing::Data(data) => {
                    let _ = engine.send_data(stream, data, false);
                    continue;
                }
                Outgoing::End(None) => engine.send_data(stream, bytes::Bytes::new(), true),
                Outgoing::End(Some(trailers)) => engine.send_trailers(stream, &trailers),
                Outgoing::Failure => {
                    engine.reset(stream, ErrorCode::InternalError);
                    Ok(())
                }
            };
            let _ = last;
            return self.page_answered(stream, engine);
        }
    }

    fn page_answered(&mut self, stream: StreamId, engine: &mut Engine) {
        match self.stages.get_mut(&stream) {
            Some(Stage::Page { task: Some(_), answered, .. }) => *answered = true,
            Some(Stage::Page { flow, task: None, .. }) => {
                flow.disconnect();
                self.forget(stream, engine);
            }
            _ => {}
        }
    }

    /// A WebSocket is asked for: with calls in it, or the application's.
    pub(super) fn websocket(&mut self, arrival: Arrival, engine: &mut Engine) {
        if !engine.can_upgrade() {
            let reason =
                "a WebSocket needs a connection of this server's own, not another server's";
            return refuse(arrival.stream, plain(501, reason), engine);
        }
        let limits = WebSocketLimits::default();
        let offer = match handshake::check(&arrival.head, arrival.end, &limits) {
            Ok(offer) => offer,
            Err(refused) => {
                let body = Some(refused.reason.into());
                let mut refusal = Refusal { head: refused.head(), body };
                keep_legal(&mut refusal.head, engine.version());
                return refuse(arrival.stream, refusal, engine);
            }
        };
        if !self.may_open(&arrival.head) {
            let reason =
                "this origin may not open a WebSocket here; list it with Cors::allow_origin";
            return refuse(arrival.stream, plain(403, reason), engine);
        }
        if offer.speaks(SUBPROTOCOL) {
            let (response, _) = offer.accept(Some(SUBPROTOCOL), None);
            self.calls_inside(arrival.stream, &response, engine);
        } else {
            self.page(arrival, engine);
        }
    }

    /// Whether the page that asks is one of this server's own, is listed, or is no page at all.
    fn may_open(&self, head: &RequestHead) -> bool {
        let Some(origin) = head.fields().get("origin") else {
            return head.fields().get("sec-fetch-site") != Some(b"cross-site");
        };
        let own = origin
            .strip_prefix(head.scheme())
            .and_then(|rest| rest.strip_prefix(b"://"))
            .is_some_and(|host| Some(host) == head.authority());
        own || self.shared.cors.as_ref().is_some_and(|cors| cors.allows(origin))
    }

    /// Serves calls over the WebSocket that the stream becomes.
    fn calls_inside(&mut self, stream: StreamId, response: &Fields, engine: &mut Engine) {
        let flow = Arc::new(Flow::new(Arc::clone(&self.mailbox), stream, false));
        engine.upgrade(stream, response);
        flow.upgraded();
        let pipe = http::Upgraded(Arc::clone(&flow)).into_connection(Arc::clone(&self.peer));
        self.connections.serve_calls(pipe, &self.shared, self.age.of_inner());
        self.stages.insert(stream, Stage::Page { flow, task: None, answered: false });
    }
}

/// HTTP/2 has no place for `upgrade`, which an application may say whatever the version is (RFC 9113 section 8.2.2).
fn keep_legal(head: &mut Fields, version: Version) {
    if version == Version::HTTP_2 {
        head.remove("upgrade");
    }
}

fn asks_for_another_protocol(head: &RequestHead) -> bool {
    head.protocol().is_some() || head.fields().get("upgrade").is_some()
}

fn content_length(head: &RequestHead) -> Option<u64> {
    str::from_utf8(head.fields().get("content-length")?).ok()?.parse().ok()
}

/// A refusal in plain text.
fn plain(status: u16, text: &str) -> Refusal {
    let body = format!("{text}\n");
    let mut head = Fields::new();
    head.push(":status", status.to_string());
    head.push("content-type", "text/plain; charset=utf-8");
    head.push("content-length", body.len().to_string());
    Refusal { head, body: Some(body.into()) }
}
