//! One request and its response: how far each half is, and when both are over.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Engine, Reading, Role};
use crate::event::{Event, Side, StreamId};
use crate::fields::Fields;
use crate::http1::ErrorCode;
use crate::http1::sort::Version;

/// How far the half is that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// Nothing was said yet (server).
    Head,
    /// The head is written, but not how long the content is: perhaps all of it is here before
    /// anything must leave.
    Held,
    /// Content of a known length.
    Length,
    /// Content in chunks.
    Chunked,
    /// Content up to the end of the connection, for a client of HTTP/1.0.
    UntilClose,
    /// Content that is not sent: the message has none, whatever the application says.
    Without,
    /// Another protocol.
    Raw,
    /// Everything is in the output.
    Ended,
}

/// A request and its response.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own; no two of them make a state
pub(super) struct Exchange {
    pub(super) id: u32,
    /// The application has not said `done`.
    pub(super) held: bool,
    /// All of the peer's message came.
    pub(super) received: bool,
    /// Octets of content that the application has not released.
    pub(super) unreleased: u64,
    /// Octets of content that may still come though nobody wants them.
    pub(super) droppable: Option<u64>,
    pub(super) may_stall: bool,
    /// Interim responses so far (client).
    pub(super) informational: u32,
    /// The request was HEAD.
    pub(super) is_head: bool,
    pub(super) version: Version,
    /// The connection ends with this exchange.
    pub(super) close: bool,
    /// The client waits for status 100 (server).
    pub(super) expects_continue: bool,
    /// Another protocol was asked for.
    pub(super) upgrade: bool,
    pub(super) sending: Sending,
    /// The status of our response.
    pub(super) status: u16,
    /// The method is one with content (client).
    pub(super) wants_content: bool,
    /// The `content-length` of the application's head, until that leaves, and what is missing of
    /// it.
    pub(super) announced: Option<u64>,
    pub(super) promised: Option<u64>,
    /// What the head gives `connection` to name.
    pub(super) names: Names,
    /// Content that waits for room in the output.
    pub(super) queue: VecDeque<Bytes>,
    pub(super) queued: usize,
    /// There is no more behind the queue but these.
    pub(super) end_queued: bool,
    pub(super) trailers: Option<Box<Fields>>,
    /// The application waits for room.
    pub(super) full: bool,
    /// Where the request begins in all output (client).
    pub(super) begin: u64,
}

/// Fields of a head that `connection` must name (RFC 9110 section 7.6.1).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Names {
    pub(super) te: bool,
    pub(super) upgrade: bool,
}

impl Exchange {
    pub(super) fn new(id: u32, version: Version, sending: Sending) -> Self {
        Self {
            id,
            held: true,
            received: false,
            unreleased: 0,
            droppable: None,
            may_stall: false,
            informational: 0,
            is_head: false,
            version,
            close: false,
            expects_continue: false,
            upgrade: false,
            sending,
            status: 0,
            wants_content: false,
            announced: None,
            promised: None,
            names: Names::default(),
            queue: VecDeque::new(),
            queued: 0,
            end_queued: false,
            trailers: None,
            full: false,
            begin: 0,
        }
    }

    /// Whether content can be sent on it.
    pub(super) fn takes_data(&self) -> bool {
        !matches!(self.sending, Sending::Head | Sending::Ended) && !self.end_queued
    }

    /// Everything that is to be sent is known.
    pub(super) fn is_sent(&self) -> bool {
        self.sending == Sending::Ended || self.end_queued
    }

    /// Whether the message that we send has no content by its status or by the request's method
    /// (RFC 9110 section 6.4.1). Only of responses.
    pub(super) fn is_without_content(&self) -> bool {
        self.is_head || matches!(self.status, 204 | 304)
    }
}

impl Engine {
    /// The application holds nothing of this stream any more. If the stream still goes on, it is
    /// ended: what is left of a request whose response is complete is dropped; anything else ends
    /// like [`reset`](Self::reset) with `CANCEL`.
    pub fn done(&mut self, stream: StreamId) {
        self.output.settle();
        let server = self.role == Role::Server;
        let raw = matches!(self.reading, Reading::Raw);
        let Some(exchange) = self.exchange_of(stream) else { return };
        exchange.held = false;
        if exchange.is_sent() && (server || raw || exchange.received) {
            self.settle_exchange();
        } else {
            self.reset(stream, ErrorCode::Cancel);
        }
    }

    /// A half of the exchange may have ended, or the application let go: does what is to be done
    /// then.
    pub(super) fn settle_exchange(&mut self) {
        let raw = matches!(self.reading, Reading::Raw);
        let Some(exchange) = &mut self.exchange else { return };
        if exchange.held || exchange.sending != Sending::Ended {
            return;
        }
        if raw {
            exchange.close = true;
        } else if !exchange.received {
            if exchange.droppable.is_some() {
                return;
            }
            if !exchange.close && self.can_drop_content() {
                return;
            }
            if let Some(exchange) = &mut self.exchange {
                exchange.close = true;
            }
        }
        self.end_exchange();
    }

    /// Nobody wants the rest of the request's content. If it is short, it is read all the same,
    /// because the connection can be used again then.
    fn can_drop_content(&mut self) -> bool {
        let most = self.config.limits.max_dropped;
        let Some(exchange) = &mut self.exchange else { return false };
        let long = matches!(self.reading, Reading::Length(left) if left > most);
        // A client that still waits for 100 may send it or not.
        if long || exchange.expects_continue {
            return false;
        }
        exchange.droppable = Some(most);
        exchange.unreleased = 0;
        // Even if it was allowed to stall: nobody waits for it any more.
        self.timers.start_content(Some(self.now + self.config.limits.content_period), false);
        true
    }

    /// The exchange is over: the next one can begin, or the connection ends.
    fn end_exchange(&mut self) {
        let Some(exchange) = self.exchange.take() else { return };
        self.timers.content = None;
        if exchange.close || self.ending.is_draining() {
            return self.finish(None);
        }
        self.timers.idle_since(self.now);
        if self.role == Role::Server {
            self.reading = Reading::Head;
            self.proceed();
        } else {
            self.reading = Reading::Complete;
            if std::mem::take(&mut self.open_blocked) {
                self.events.push_back(Event::Capacity { streams: 1 });
            }
        }
    }

    /// Ends the exchange before its time, and tells the application if that does not know yet.
    pub(super) fn abort_exchange(
        &mut self,
        code: ErrorCode,
        by: Side,
        reason: &'static str,
        unprocessed: bool,
    ) {
        let Some(exchange) = self.exchange.take() else { return };
        self.head.clear();
        self.gathered.clear();
        self.timers.content = None;
        if exchange.held {
            let stream = StreamId(exchange.id);
            self.events.push_back(Event::Reset { stream, code, by, reason, unprocessed });
        }
    }
}
