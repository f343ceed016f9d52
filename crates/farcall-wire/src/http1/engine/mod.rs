//! One end of an HTTP/1.1 connection.
//!
//! The files here are the concerns of one struct: what comes in (`receive`, `receive_head`), what
//! goes out (`send`, `respond`, `request`, `fill`), another protocol on the same connection
//! (`upgrade`), the end of one exchange and of all (`exchange`, `ending`), time (`timer`).
//!
//! ```text
//!   server: Head --request--> Length | Chunked --content--> Complete --answered and done--> Head ..
//!   client: Complete --open--> Head --response--> Length | Chunked | UntilClose --> Complete ..
//!   either: --upgrade--> Raw        any: --refused, close--> Nothing
//! ```

mod ending;
mod exchange;
mod fill;
mod output;
mod receive;
mod receive_head;
mod request;
mod respond;
mod send;
mod timer;
mod upgrade;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::BytesMut;

use super::chunked::Chunked;
use super::refusal::Refusal;
use super::{Config, ErrorCode, OpenError, Role};
use crate::event::{Event, StreamId};
use crate::lines::Lines;
use ending::Ending;
use exchange::Exchange;
use output::Output;
use timer::Timers;

/// What the front of the input is.
#[derive(Debug)]
enum Reading {
    /// A head.
    Head,
    /// Content, so many octets of it.
    Length(u64),
    /// Content in chunks.
    Chunked(Chunked),
    /// The trailer section behind the last chunk.
    Trailers,
    /// Content up to the end of the connection.
    UntilClose,
    /// Another protocol.
    Raw,
    /// The message is complete; what follows waits until the exchange is over.
    Complete,
    /// Nothing is taken any more.
    Nothing,
}

/// One end of an HTTP/1.1 connection: bytes in, events out; commands in, bytes out; one timer.
///
/// A driver gives it one input ([`receive`](Self::receive)), drains the events
/// ([`poll_event`](Self::poll_event)), lets commands come of them, then [`fill`](Self::fill)s and
/// writes the [`output`](Self::output), and sleeps until [`next_timeout`](Self::next_timeout) at
/// the latest. When events came of `fill`, it is to be called again after the commands that they
/// lead to, as a head is held back until then.
///
/// A request with its response is a stream; streams are numbered 1, 2, 3 .. and there is one at a
/// time. The application must call [`release`](Self::release) once for every [`Event::Data`] and
/// [`done`](Self::done) once for every stream it was told of or opened: the next one begins only
/// then.
#[derive(Debug)]
pub struct Engine {
    role: Role,
    config: Config,
    /// The time of the latest call that told it.
    now: Instant,
    output: Output,
    events: VecDeque<Event>,
    reading: Reading,
    /// What came and cannot be read yet: part of a head, or requests behind the one under way.
    rest: BytesMut,
    /// Octets at the front of the input that were looked at and are no head yet, and how many there
    /// must be to look again without another end of a line.
    looked_at: usize,
    look_again_at: usize,
    /// An empty line was in front of this head.
    empty_line: bool,
    /// Small pieces of content on their way into one event.
    gathered: Vec<u8>,
    exchange: Option<Exchange>,
    /// The number of the next stream.
    next_stream: u32,
    /// A head that waits for its framing.
    head: BytesMut,
    /// An `open` failed because a stream was under way.
    open_blocked: bool,
    lines: Lines,
    ending: Ending,
    timers: Timers,
}

impl Engine {
    /// A new connection. Nothing is to be exchanged before the first request.
    pub fn new(role: Role, config: Config, now: Instant) -> Self {
        Self {
            role,
            now,
            output: Output::default(),
            events: VecDeque::from([Event::Open]),
            reading: if role == Role::Server { Reading::Head } else { Reading::Complete },
            rest: BytesMut::new(),
            looked_at: 0,
            look_again_at: 0,
            empty_line: false,
            gathered: Vec::new(),
            exchange: None,
            next_stream: 1,
            head: BytesMut::new(),
            open_blocked: false,
            lines: Lines::default(),
            ending: Ending::default(),
            timers: Timers::new(now),
            config,
        }
    }

    /// The next event, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// False: too much waits to be read or to be released already; do not read from the peer.
    pub fn wants_input(&self) -> bool {
        let limits = &self.config.limits;
        // No bound below what a whole head may take: it could never become complete.
        let head = limits.max_target.saturating_add(limits.max_header_size).saturating_add(64);
        let waits = matches!(self.reading, Reading::Complete) || self.is_crowded();
        let most = if waits { limits.max_pipelined } else { limits.max_pipelined.max(head) };
        self.rest.len() < most && !self.is_held_back()
    }

    /// The application holds as much of the content as it may.
    fn is_held_back(&self) -> bool {
        let window = self.config.limits.window;
        self.exchange.as_ref().is_some_and(|exchange| exchange.unreleased >= window.into())
    }

    /// The peer does not read what it is sent.
    fn is_crowded(&self) -> bool {
        self.output.len() >= self.config.limits.output_high_water
    }

    /// Streams that the protocol or the application still holds: one or none.
    pub fn active_streams(&self) -> usize {
        usize::from(self.exchange.is_some())
    }

    /// How many more streams can be opened now (client): one or none.
    pub fn open_room(&self) -> usize {
        usize::from(self.check_open().is_ok())
    }

    /// Whether a stream can be opened.
    fn check_open(&self) -> Result<(), OpenError> {
        if self.is_closed() {
            return Err(OpenError::Closed);
        }
        if self.ending.is_draining() || self.role == Role::Server {
            return Err(OpenError::Draining);
        }
        if self.exchange.is_some() {
            return Err(OpenError::Concurrency);
        }
        if self.next_stream == u32::MAX {
            return Err(OpenError::IdsExhausted);
        }
        Ok(())
    }

    /// Gives back credit of consumed data: exactly the `credit` of each
    /// [`Event::Data`](crate::Event), once. Nothing happens if the stream is gone.
    pub fn release(&mut self, stream: StreamId, credit: u32) {
        self.output.settle();
        if let Some(exchange) = self.exchange_of(stream) {
            exchange.unreleased = exchange.unreleased.saturating_sub(credit.into());
        }
    }

    /// The peer of this stream may stall for as long as it likes: no progress of its content is
    /// asked for.
    pub fn allow_stall(&mut self, stream: StreamId) {
        if let Some(exchange) = self.exchange_of(stream) {
            exchange.may_stall = true;
            self.timers.content = None;
        }
    }

    /// The exchange under way, if it is this stream.
    fn exchange_of(&mut self, stream: StreamId) -> Option<&mut Exchange> {
        self.exchange.as_mut().filter(|exchange| exchange.id == stream.0)
    }
}
