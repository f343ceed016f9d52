//! An engine for one request that another HTTP server has taken apart already: no bytes, only the commands and events.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use farcall_wire::event::{Event, RequestHead, Side, StreamId};
use farcall_wire::fields::Fields;
use farcall_wire::http2::{ErrorCode, Gone, OpenError};
use http::Version;

/// The one stream.
const STREAM: StreamId = StreamId(1);
/// Bytes of the response that wait to be read before the handler has to wait too.
const SEND_BOUND: usize = 64 * 1024;
/// Bytes of the request that the handler has not consumed before no more are read.
const WINDOW: usize = 64 * 1024;

/// One request and its response.
pub(crate) struct Single {
    version: Version,
    events: VecDeque<Event>,
    /// Received bytes that were not released.
    held: usize,
    head: Option<Fields>,
    data: VecDeque<Bytes>,
    queued: usize,
    blocked: std::cell::Cell<bool>,
    sent: Sent,
    /// Never filled.
    output: BytesMut,
}

/// How far the response has come.
enum Sent {
    Open,
    Ended(Option<Fields>),
    /// It will never be complete.
    Cut,
}

/// What is next of the response.
pub(crate) enum Piece {
    Data(Bytes),
    Trailers(Fields),
    End,
    Cut,
}

/// The side of the server that was there first.
impl Single {
    pub(crate) fn new(head: RequestHead, version: Version, end: bool) -> Self {
        Self {
            version,
            events: [Event::Open, Event::Request { stream: STREAM, head, end }].into(),
            held: 0,
            head: None,
            data: VecDeque::new(),
            queued: 0,
            blocked: std::cell::Cell::new(false),
            sent: Sent::Open,
            output: BytesMut::new(),
        }
    }

    /// Whether more of the request's body should be read.
    pub(crate) fn wants_body(&self) -> bool {
        self.held < WINDOW
    }

    pub(crate) fn receive_data(&mut self, data: Bytes) {
        self.held += data.len();
        let credit = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.events.push_back(Event::Data { stream: STREAM, data, credit, end: false });
    }

    pub(crate) fn receive_end(&mut self, trailers: Option<Fields>) {
        self.events.push_back(match trailers {
            Some(fields) => Event::Trailers { stream: STREAM, fields },
            None => Event::Data { stream: STREAM, data: Bytes::new(), credit: 0, end: true },
        });
    }

    /// The version of HTTP that the request came by.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// The request's body cannot be read to its end.
    pub(crate) fn receive_reset(&mut self) {
        // Nobody works on an answer any more.
        self.reset(STREAM, ErrorCode::Cancel);
        self.events.push_back(Event::Reset {
            stream: STREAM,
            code: ErrorCode::Cancel,
            by: Side::Remote,
            reason: "the request's body broke off",
            unprocessed: false,
        });
    }

    pub(crate) fn take_head(&mut self) -> Option<Fields> {
        self.head.take()
    }

    /// The bytes that are left of the response's body, when all of it is here and no trailers follow.
    pub(crate) fn rest(&self) -> Option<usize> {
        matches!(self.sent, Sent::Ended(None)).then_some(self.queued)
    }

    /// Whether what is there of the response is all that there will be, and no whole one.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self.sent, Sent::Cut)
    }

    /// The next piece of the response's body; none: there is none yet.
    pub(crate) fn take_piece(&mut self) -> Option<Piece> {
        if let Some(data) = self.data.pop_front() {
            self.queued -= data.len();
            if self.blocked.take() {
                self.events.push_back(Event::Writable { stream: STREAM });
            }
            return Some(Piece::Data(data));
        }
        match std::mem::replace(&mut self.sent, Sent::Ended(None)) {
            Sent::Open => {
                self.sent = Sent::Open;
                None
            }
            Sent::Ended(Some(trailers)) => Some(Piece::Trailers(trailers)),
            Sent::Ended(None) => Some(Piece::End),
            Sent::Cut => Some(Piece::Cut),
        }
    }
}

/// The shape of an engine.
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "other engines need more")]
impl Single {
    pub(crate) fn receive(&mut self, _: &mut BytesMut, _: Instant) {}

    pub(crate) fn receive_eof(&mut self, _: Instant) {
        self.receive_reset();
    }

    pub(crate) fn wants_input(&self) -> bool {
        false
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn fill(&mut self, _: Instant) {}

    pub(crate) fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    pub(crate) fn unsent(&self) -> usize {
        self.queued
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        None
    }

    pub(crate) fn handle_timeout(&mut self, _: Instant) {}

    pub(crate) fn drain(&mut self, _: Instant) {}

    pub(crate) fn is_drained(&self) -> bool {
        false
    }

    pub(crate) fn close(&mut self, _: ErrorCode, _: &str, _: Instant) {
        self.reset(STREAM, ErrorCode::Cancel);
    }

    pub(crate) fn is_closed(&self) -> bool {
        false
    }

    pub(crate) fn open(&mut self, _: &Fields, _: bool) -> Result<StreamId, OpenError> {
        Err(OpenError::Closed)
    }

    pub(crate) fn open_room(&self) -> usize {
        0
    }

    pub(crate) fn send_head(&mut self, _: StreamId, head: &Fields, end: bool) -> Result<(), Gone> {
        self.head = Some(head.clone());
        if end {
            self.sent = Sent::Ended(None);
        }
        Ok(())
    }

    pub(crate) fn send_data(&mut self, _: StreamId, data: Bytes, end: bool) -> Result<(), Gone> {
        if !data.is_empty() {
            self.queued += data.len();
            self.data.push_back(data);
        }
        if end {
            self.sent = Sent::Ended(None);
        }
        Ok(())
    }

    pub(crate) fn send_trailers(&mut self, _: StreamId, fields: &Fields) -> Result<(), Gone> {
        self.sent = Sent::Ended(Some(fields.clone()));
        Ok(())
    }

    pub(crate) fn send_room(&self, _: StreamId) -> usize {
        let room = SEND_BOUND.saturating_sub(self.queued);
        self.blocked.set(room == 0);
        room
    }

    pub(crate) fn release(&mut self, _: StreamId, credit: u32) {
        self.held = self.held.saturating_sub(credit as usize);
    }

    pub(crate) fn reset(&mut self, _: StreamId, code: ErrorCode) {
        if !matches!(self.sent, Sent::Open) {
            return;
        }
        if code == ErrorCode::RefusedStream && self.head.is_none() {
            self.head = Some(Fields::from_iter([(":status", "503")]));
            self.sent = Sent::Ended(None);
        } else {
            self.sent = Sent::Cut;
        }
    }

    pub(crate) fn done(&mut self, _: StreamId) {}
}
