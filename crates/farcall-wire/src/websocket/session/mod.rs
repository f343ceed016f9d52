//! One end of a WebSocket that carries calls: many streams at once, each with its own flow control.
//!
//! The commands, the events and their meaning are those of
//! [`http2::Engine`](crate::http2::Engine); the messages are described in `docs/websocket.md`. The
//! files here are the concerns of one struct: messages to frames (`frame`, `block`), what
//! comes in (`receive`, `receive_head`), what goes out (`send`, `fill`), windows (`window`), the end
//! (`ending`), time (`timer`).

mod block;
mod ending;
mod fill;
mod frame;
mod receive;
mod receive_head;
mod send;
mod snapshot;
mod timer;
mod window;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Instant;

use bytes::BytesMut;

use super::{CloseCode, Config, Engine};
use crate::bucket::Bucket;
use crate::event::{Event, Side, StreamId};
use crate::fields::Fields;
use crate::http2::{ErrorCode, Role};
use crate::limits::Limits;
use crate::stream::{self, Half};
use crate::streams::Streams;
use ending::Ending;
use timer::Timers;
use window::Windows;

pub use snapshot::{Snapshot, StreamSnapshot};

/// A stream with its windows.
type Stream = stream::Stream<window::StreamWindow, u32>;

/// The subprotocol that both ends name in the handshake (RFC 6455 section 1.9).
pub const SUBPROTOCOL: &str = "farcall.v1";

/// Streams that a client has open at most.
const PEER_STREAMS: usize = 128;

/// How a session behaves. `Default` is the behaviour for the open Internet.
#[derive(Clone, Debug, Default)]
pub struct SessionConfig {
    /// What the peer may make the session keep and do, stream by stream. Of HTTP/2's bounds those
    /// apply that have a meaning here.
    pub limits: Limits,
    /// The WebSocket below. The sizes of its frames and messages are the session's to say.
    pub websocket: Config,
}

/// One end of a WebSocket of the subprotocol [`SUBPROTOCOL`]: to be driven like an
/// [`http2::Engine`](crate::http2::Engine), after the handshake.
#[derive(Debug)]
pub struct Session {
    role: Role,
    limits: Limits,
    /// The time of the latest call that told it.
    now: Instant,
    socket: Engine,
    events: VecDeque<Event>,
    /// Decoded fields on their way into an event.
    scratch: Fields,
    /// Encoded fields on their way into a message.
    block: Vec<u8>,
    streams: Streams<Stream>,
    /// Streams that we reset a short while ago, whose late frames are nobody's fault.
    resets: VecDeque<u32>,
    /// Streams that the protocol is not through with.
    live: usize,
    /// The highest stream that the peer opened, and the highest that the application was told of.
    highest_peer: u32,
    highest_processed: u32,
    /// The number of the next stream we open.
    next_local: u32,
    /// An `open` failed for want of a slot.
    open_blocked: bool,
    windows: Windows,
    /// Streams that can send, in turn.
    ready: VecDeque<u32>,
    /// Octets queued on all streams, and whether that was too much.
    queued: usize,
    crowded: bool,
    rates: Rates,
    /// DATA frames in a row that carry nothing and end nothing.
    empty_frames: u32,
    /// Our own Pings whose answer the driver waits for.
    pings_asked: u32,
    /// Octets of fields in events not fetched yet.
    pending_header_bytes: usize,
    ending: Ending,
    timers: Timers,
}

/// How often the peer may do what is legal but costs.
#[derive(Debug)]
struct Rates {
    resets: Bucket,
    glitches: Bucket,
    credits: Bucket,
}

impl Session {
    /// The session of a WebSocket whose handshake is done. [`Event::Open`] comes at once.
    pub fn new(role: Role, config: SessionConfig, now: Instant) -> Self {
        let SessionConfig { limits, mut websocket } = config;
        let most = frame::most_octets(&limits);
        websocket.limits.max_message_size = most;
        websocket.limits.max_frame_size = most;
        websocket.limits.copy_below = limits.copy_below;
        Self {
            role,
            now,
            socket: Engine::new(role, websocket, now),
            events: VecDeque::from([Event::Open]),
            scratch: Fields::new(),
            block: Vec::new(),
            streams: Streams::default(),
            resets: VecDeque::new(),
            live: 0,
            highest_peer: 0,
            highest_processed: 0,
            next_local: 1,
            open_blocked: false,
            windows: Windows::new(&limits),
            ready: VecDeque::new(),
            queued: 0,
            crowded: false,
            rates: Rates {
                resets: Bucket::new(limits.resets, now),
                glitches: Bucket::new(limits.glitches, now),
                credits: Bucket::new(limits.window_updates, now),
            },
            empty_frames: 0,
            pings_asked: 0,
            pending_header_bytes: 0,
            ending: Ending::default(),
            timers: Timers::new(now),
            limits,
        }
    }

    /// The next event, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let Event::Request { head, .. } = &event {
            self.pending_header_bytes =
                self.pending_header_bytes.saturating_sub(head.fields().size());
        }
        Some(event)
    }

    /// The bytes to write. The driver removes what it has written from the front, and nothing else.
    pub fn output(&mut self) -> &mut BytesMut {
        self.socket.output()
    }

    /// Octets for the peer that have not been written: in the output, and queued on streams.
    pub fn unsent(&self) -> usize {
        self.socket.unsent() + self.queued
    }

    /// The application holds nothing of this stream any more. If the stream still goes on, it is
    /// ended: a request whose response is complete with `NO_ERROR`, anything else with `CANCEL`.
    pub fn done(&mut self, stream: StreamId) {
        let Some(entry) = self.streams.get_mut(stream.0) else { return };
        entry.held = false;
        let responding = self.role == Role::Server
            && (entry.end_queued || entry.trailers.is_some() || entry.send == Half::Ended);
        if entry.is_closed() || responding {
            self.settle_stream(stream.0);
        } else {
            self.reset(stream, ErrorCode::Cancel);
        }
    }

    /// The peer of this stream may stall for as long as it likes: the no-progress timeout does not
    /// apply.
    pub fn allow_stall(&mut self, stream: StreamId) {
        if let Some(entry) = self.streams.get_mut(stream.0) {
            entry.may_stall = true;
        }
    }

    /// Streams that the protocol or the application still holds.
    pub fn active_streams(&self) -> usize {
        self.streams.len()
    }

    /// How many more streams can be opened now (client).
    pub fn open_room(&self) -> usize {
        if self.role == Role::Server || self.check_open().is_err() {
            return 0;
        }
        PEER_STREAMS.saturating_sub(self.live)
    }

    /// False: the peer does not read what it makes us answer; do not read from it either.
    pub fn wants_input(&self) -> bool {
        self.socket.wants_input()
    }

    /// Ends one stream because of what the peer did on it.
    fn stream_error(
        &mut self,
        id: u32,
        code: ErrorCode,
        reason: &'static str,
    ) -> Result<(), Fault> {
        self.abort_stream(id, Side::Local, code, reason, false);
        self.emit_reset(id, code, reason);
        self.settle_stream(id);
        self.count_reset()
    }

    /// Ends both halves of a stream and tells the application, if that does not know yet.
    fn abort_stream(
        &mut self,
        id: u32,
        by: Side,
        code: ErrorCode,
        reason: &'static str,
        unprocessed: bool,
    ) {
        let Some(entry) = self.streams.get_mut(id) else { return };
        let told = entry.is_closed();
        let listed = std::mem::take(&mut entry.ready);
        self.queued -= entry.abort(by);
        if entry.held && !told {
            self.events.push_back(Event::Reset {
                stream: StreamId(id),
                code,
                by,
                reason,
                unprocessed,
            });
        }
        if listed {
            self.ready.retain(|ready| *ready != id);
        }
        self.relieve();
    }

    /// A stream's half may have ended: counts it, frees its slot, forgets it, as far as it is time
    /// for that.
    fn settle_stream(&mut self, id: u32) {
        let Some(entry) = self.streams.get_mut(id) else { return };
        let completed = entry.reset.is_none();
        if !entry.is_closed() {
            if entry.held || entry.send != Half::Ended || self.role == Role::Client {
                return;
            }
            // The response is complete and nobody wants the rest of the request.
            entry.abort(Side::Local);
            self.emit_reset(id, ErrorCode::NoError, "");
        }
        let Some(entry) = self.streams.get_mut(id) else { return };
        let forgotten = !entry.held;
        if !std::mem::replace(&mut entry.settled, true) {
            self.live -= 1;
            if completed {
                self.rates.resets.give(1);
                // What the peer sent may cross the end of any stream.
                self.rates.glitches.give(1);
            }
        }
        if forgotten {
            if let Some(gone) = self.streams.remove(id) {
                self.windows.forget(&gone.window);
            }
            if self.streams.is_empty() {
                self.timers.idle_since(self.now);
            }
        }
        self.tell_capacity();
    }

    /// After an `open` that failed for want of a slot: there is one.
    fn tell_capacity(&mut self) {
        if self.open_blocked && self.open_room() > 0 {
            self.open_blocked = false;
            self.events.push_back(Event::Capacity { streams: self.open_room() });
        }
    }

    /// Sends RESET, and remembers that frames of the stream may still be on their way.
    fn emit_reset(&mut self, id: u32, code: ErrorCode, reason: &str) {
        frame::emit_reset(&mut self.socket, id, code, reason);
        if self.resets.len() >= self.limits.max_remembered_resets {
            self.resets.pop_front();
        }
        self.resets.push_back(id);
    }

    /// One stream ended before it was answered, by the peer or by its fault. Too many: first new
    /// streams are refused for a while, then the connection ends.
    fn count_reset(&mut self) -> Result<(), Fault> {
        if self.rates.resets.take(self.now) {
            return Ok(());
        }
        self.timers.refuse_or_fault(self.now)
    }

    /// Something legal that nobody needs often.
    fn glitch(&mut self, reason: &'static str) -> Result<(), Fault> {
        if self.rates.glitches.take(self.now) {
            return Ok(());
        }
        Err(Fault::new(ErrorCode::EnhanceYourCalm, format!("too often: {reason}")))
    }
}

/// An error of the connection, on its way to GOAWAY and Close.
#[derive(Debug)]
struct Fault {
    code: ErrorCode,
    close: CloseCode,
    reason: Cow<'static, str>,
}

impl Fault {
    fn new(code: ErrorCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, close: CloseCode::of(code), reason: reason.into() }
    }

    fn protocol(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::ProtocolError, reason)
    }
}
