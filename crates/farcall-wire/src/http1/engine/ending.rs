//! How a connection ends: drained in good order, closed by either side, or lost (RFC 9112 section
//! 9.6).
//!
//! ```text
//!   Running --drain, connection: close--> Draining --no exchange left--> (the driver closes)
//!   any --last exchange over, refusal--> Finishing --all output taken--> Closed
//!   any --close, end of input--> Closed
//! ```

use std::borrow::Cow;
use std::time::Instant;

use super::exchange::Sending;
use super::{Engine, ErrorCode, Reading, Refusal, Role};
use crate::event::{Event, Side, StreamId};
use crate::http1::ConnectionError;
use crate::http1::emit;

/// How far the end is.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    Running,
    Draining,
    /// Nothing is to be done but to write what is there.
    Finishing(Option<ConnectionError>),
    Closed,
}

/// What is known of the connection's end.
#[derive(Debug, Default)]
pub(super) struct Ending {
    stage: Stage,
}

impl Ending {
    pub(super) fn is_draining(&self) -> bool {
        !matches!(self.stage, Stage::Running)
    }

    pub(super) fn is_finishing(&self) -> bool {
        matches!(self.stage, Stage::Finishing(_) | Stage::Closed)
    }
}

/// Octets of a closing application's words that are kept.
const MAX_DEBUG: usize = 256;

impl Engine {
    /// Ends the connection in good order: what is under way is finished, and its response says that
    /// it is the last.
    pub fn drain(&mut self, now: Instant) {
        self.enter(now);
        if matches!(self.ending.stage, Stage::Running) {
            self.ending.stage = Stage::Draining;
        }
    }

    /// The server has said that this response is its last (client).
    pub(super) fn peer_drains(&mut self) {
        if matches!(self.ending.stage, Stage::Running) {
            self.ending.stage = Stage::Draining;
            let debug = String::from("connection: close");
            self.events.push_back(Event::Draining { code: ErrorCode::NoError, debug });
        }
    }

    /// Draining, nothing is under way and everything is written: time to close.
    pub fn is_drained(&self) -> bool {
        let idle = self.exchange.is_none() && self.rest.is_empty() && self.output.len() == 0;
        self.is_closed() || self.ending.is_draining() && idle
    }

    /// The connection is over; the output may still hold last words.
    pub fn is_closed(&self) -> bool {
        matches!(self.ending.stage, Stage::Closed)
    }

    /// Ends the connection now; a stream under way is lost.
    pub fn close(&mut self, code: ErrorCode, debug: &str, now: Instant) {
        self.enter(now);
        if self.is_closed() {
            return;
        }
        let debug = &debug.as_bytes()[..debug.len().min(MAX_DEBUG)];
        let reason = Cow::Owned(String::from_utf8_lossy(debug).into_owned());
        let error = ConnectionError { code, by: Side::Local, reason };
        self.lose(Side::Local, (code != ErrorCode::NoError).then_some(error));
    }

    /// The peer closed its half of the transport: a stream under way is lost, unless all of its
    /// request came and all of its response is known. Content that ends with the connection is
    /// complete.
    pub fn receive_eof(&mut self, now: Instant) {
        self.enter(now);
        if self.ending.is_finishing() {
            return;
        }
        if matches!(self.reading, Reading::UntilClose | Reading::Raw) {
            return self.end_content_with_connection();
        }
        if let Some(exchange) = &mut self.exchange
            && exchange.is_sent()
            && (exchange.received || self.role == Role::Server && !exchange.held)
        {
            exchange.close = true;
            exchange.received = true;
            self.reading = Reading::Nothing;
            return self.settle_exchange();
        }
        let reason = match (&self.exchange, self.rest.is_empty()) {
            (Some(_), _) => "the peer closed the connection with a stream open",
            (None, false) => "the peer closed the connection within a head",
            (None, true) => return self.lose(Side::Remote, None),
        };
        let reason = Cow::Borrowed(reason);
        let error = ConnectionError { code: ErrorCode::NoError, by: Side::Remote, reason };
        self.lose(Side::Remote, Some(error));
    }

    fn end_content_with_connection(&mut self) {
        self.push_data(bytes::Bytes::new(), true);
        if let Some(exchange) = &mut self.exchange {
            exchange.received = true;
            exchange.close = true;
        }
        self.reading = Reading::Nothing;
        self.settle_exchange();
    }

    /// The connection is over now.
    pub(super) fn lose(&mut self, by: Side, error: Option<ConnectionError>) {
        // What the driver has not taken cannot have been acted upon.
        let unprocessed = self.role == Role::Client
            && self
                .exchange
                .as_ref()
                .is_some_and(|exchange| self.output.written() <= exchange.begin);
        let reason = "the connection ended under the stream";
        self.abort_exchange(ErrorCode::ConnectError, by, reason, unprocessed);
        self.finish(error);
        self.shut();
    }

    /// Nothing more is read or begun: the connection is over when the output is written.
    pub(super) fn finish(&mut self, error: Option<ConnectionError>) {
        if self.ending.is_finishing() {
            return;
        }
        self.reading = Reading::Nothing;
        self.rest = bytes::BytesMut::new();
        self.timers.finish();
        self.ending.stage = Stage::Finishing(error);
    }

    /// Everything is written, and nothing was left to do but that.
    pub(super) fn finish_if_written(&mut self) {
        if self.output.len() == 0 && matches!(self.ending.stage, Stage::Finishing(_)) {
            self.shut();
        }
    }

    fn shut(&mut self) {
        if let Stage::Finishing(error) = std::mem::replace(&mut self.ending.stage, Stage::Closed) {
            self.events.push_back(Event::Closed { error });
        }
    }

    /// What the peer sent cannot be taken. A server says so, if it has not begun to say something
    /// else; then the connection ends, since nobody knows where the next message begins.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        let silent = match &self.exchange {
            Some(exchange) => !matches!(exchange.sending, Sending::Head | Sending::Held),
            None => false,
        };
        // Another protocol's first words, a broken preface of HTTP/2 for one: an answer in HTTP/1.1 would not be understood
        // (RFC 9113 section 3.4 lets the connection end without a word).
        let silent = silent || refusal.is_foreign && self.next_stream == 1;
        let is_head = self.exchange.as_ref().is_some_and(|exchange| exchange.is_head);
        self.abort_exchange(refusal.code(), Side::Local, refusal.reason, false);
        if self.role == Role::Server && !silent {
            self.answer(refusal.status, &refusal.text(), is_head);
        }
        self.finish(Some(refusal.into_error()));
        self.shut_client();
    }

    /// A client has no last words: half a request is of no use to anybody.
    fn shut_client(&mut self) {
        if self.role == Role::Client {
            self.shut();
        }
    }

    /// Writes a whole response of our own, which says that it is the last.
    pub(super) fn answer(&mut self, status: u16, text: &str, is_head: bool) {
        let out = &mut self.output.buffer;
        emit::status_line(status, out);
        emit::line(b"content-type", b"text/plain; charset=utf-8", out);
        emit::content_length(text.len() as u64 + 1, out);
        emit::line(b"connection", b"close", out);
        out.extend_from_slice(b"\r\n");
        if !is_head {
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(b"\n");
        }
    }

    /// Ends a stream at once: the application's own decision, of which no event tells. HTTP/1.1 can
    /// end only the connection: a response that has not begun becomes one of status 500 or 503,
    /// any other stays incomplete. What is left of a request whose response is complete is dropped.
    /// Does not replace [`done`](Self::done).
    pub fn reset(&mut self, stream: StreamId, code: ErrorCode) {
        self.output.settle();
        let role = self.role;
        let Some(exchange) = self.exchange_of(stream) else { return };
        if role == Role::Server && exchange.is_sent() || exchange.is_sent() && exchange.received {
            return;
        }
        let begun = !matches!(exchange.sending, Sending::Head | Sending::Held);
        let is_head = exchange.is_head;
        exchange.held = false;
        self.abort_exchange(code, Side::Local, "reset here", false);
        if role == Role::Server && !begun {
            let status = if code == ErrorCode::RefusedStream { 503 } else { 500 };
            self.answer(status, "the request was given up", is_head);
        }
        let reason = Cow::Borrowed("a stream was reset");
        self.finish(Some(ConnectionError { code, by: Side::Local, reason }));
        self.shut_client();
    }
}
