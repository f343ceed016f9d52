//! One end of an HTTP/2 connection.
//!
//! The files here are the concerns of one struct: what comes in (`receive`, `receive_block`,
//! `receive_data`, `receive_control`), what goes out (`send`, `fill`), windows (`window`), the end
//! (`ending`), time (`timer`), and the values they share.

mod closed;
mod ending;
mod fill;
mod output;
mod rate;
mod receive;
mod receive_block;
mod receive_control;
mod receive_data;
mod send;
mod settings;
mod snapshot;
mod timer;
mod window;

use std::collections::VecDeque;
use std::time::Instant;

use super::{Config, ErrorCode, Role};
use crate::event::{Event, Side, StreamId};
use crate::fields::Fields;
use crate::hpack::{Decoder, Encoder};
use crate::lines::Lines;
use crate::stream::{self, Half};
use crate::streams::Streams;
use closed::Closed;
use ending::Ending;
use output::Output;
use rate::Rates;
use receive::Greeting;
use receive_block::Assembly;
use settings::PeerSettings;
use timer::Timers;
use window::ReceiveWindows;

pub use snapshot::{Snapshot, StreamSnapshot};

/// A stream with its windows. What the peer lets us send can fall below zero (RFC 9113 section
/// 6.9.2).
type Stream = stream::Stream<window::StreamWindow, i64>;

/// One end of an HTTP/2 connection: bytes in, events out; commands in, bytes out; one timer.
///
/// A driver gives it one input ([`receive`](Self::receive)), drains the events
/// ([`poll_event`](Self::poll_event)), lets commands come of them, then [`fill`](Self::fill)s and
/// writes the [`output`](Self::output), and sleeps until [`next_timeout`](Self::next_timeout) at
/// the latest.
///
/// The application must call [`release`](Self::release) once for every [`Event::Data`] and
/// [`done`](Self::done) once for every stream it was told of or opened; a stream takes a slot until
/// then.
#[derive(Debug)]
pub struct Engine {
    role: Role,
    config: Config,
    /// The time of the latest call that told it.
    now: Instant,
    output: Output,
    events: VecDeque<Event>,
    encoder: Encoder,
    decoder: Decoder,
    /// Decoded fields on their way into an event.
    scratch: Fields,
    lines: Lines,
    greeting: Greeting,
    assembly: Option<Assembly>,
    streams: Streams<Stream>,
    past: Closed,
    /// Streams that the protocol is not through with.
    live: usize,
    /// The highest stream that the peer opened, and the highest that the application was told of.
    highest_peer: u32,
    highest_processed: u32,
    /// The number of the next stream we open.
    next_local: u32,
    /// An `open` failed for want of a slot.
    open_blocked: bool,
    peer: PeerSettings,
    /// What the peer lets us send on the connection, in octets.
    send_window: i64,
    windows: ReceiveWindows,
    /// Streams that can send, in turn, and those that wait for the connection's window.
    ready: VecDeque<u32>,
    window_blocked: VecDeque<u32>,
    /// Octets queued on all streams, and whether that was too much.
    queued: usize,
    crowded: bool,
    rates: Rates,
    /// Consecutive empty frames, and PINGs that came too early.
    empty_frames: u32,
    ping_strikes: u32,
    last_ping: Option<Instant>,
    /// Something else went to and fro since the last PING.
    pings_excused: bool,
    /// Our own PINGs whose answer the driver waits for.
    pings_asked: u32,
    /// Octets of fields in events not fetched yet.
    pending_header_bytes: usize,
    ending: Ending,
    timers: Timers,
}

impl Engine {
    /// A new connection. SETTINGS (and a client's preface) are in the output at once.
    pub fn new(role: Role, config: Config, now: Instant) -> Self {
        let limits = &config.limits;
        let mut engine = Self {
            role,
            now,
            output: Output::default(),
            events: VecDeque::new(),
            encoder: Encoder::new(settings::DEFAULT_HEADER_TABLE_SIZE),
            decoder: Decoder::new(
                limits.header_table_size.max(settings::DEFAULT_HEADER_TABLE_SIZE),
            ),
            scratch: Fields::new(),
            lines: Lines::default(),
            greeting: if role == Role::Server { Greeting::Preface } else { Greeting::Settings },
            assembly: None,
            streams: Streams::default(),
            past: Closed::new(limits.max_remembered_resets),
            live: 0,
            highest_peer: 0,
            highest_processed: 0,
            next_local: 1,
            open_blocked: false,
            peer: PeerSettings::new(limits),
            send_window: super::frame::DEFAULT_WINDOW.into(),
            windows: ReceiveWindows::new(limits, now),
            ready: VecDeque::new(),
            window_blocked: VecDeque::new(),
            queued: 0,
            crowded: false,
            rates: Rates::new(limits, now),
            empty_frames: 0,
            ping_strikes: 0,
            last_ping: None,
            pings_excused: false,
            pings_asked: 0,
            pending_header_bytes: 0,
            ending: Ending::default(),
            timers: Timers::new(limits, now),
            config,
        };
        engine.send_greeting();
        engine
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

    /// The application holds nothing of this stream any more. If the stream still goes on, it is
    /// ended: a request whose response is complete with `NO_ERROR`, anything else with `CANCEL`.
    pub fn done(&mut self, stream: StreamId) {
        self.output.settle();
        let Some(entry) = self.streams.get_mut(stream.0) else { return };
        entry.held = false;
        let responding =
            self.role == Role::Server && (entry.end_queued || entry.trailers.is_some());
        if entry.is_closed() || responding || self.role == Role::Server && entry.send == Half::Ended
        {
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
        (self.peer.max_concurrent_streams as usize).saturating_sub(self.live)
    }

    /// False: the peer does not read what it makes us answer; do not read from it either.
    pub fn wants_input(&self) -> bool {
        self.output.unsent_control() < self.config.limits.max_unsent_control
    }

    /// Ends one stream because of what the peer did on it (RFC 9113 section 5.4.2).
    fn stream_error(
        &mut self,
        id: u32,
        code: ErrorCode,
        reason: &'static str,
    ) -> Result<(), Fault> {
        self.abort_stream(id, Side::Local, code, reason, false);
        self.output.rst_stream(id, code);
        if self.streams.get(id).is_none() {
            self.past.note_reset(id, Side::Local);
        } else {
            self.settle_stream(id);
        }
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
            self.window_blocked.retain(|blocked| *blocked != id);
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
            // RFC 9113 section 8.1: the response is complete and nobody wants the rest of the
            // request.
            entry.abort(Side::Local);
            self.output.rst_stream(id, ErrorCode::NoError);
        }
        if !entry.settled {
            entry.settled = true;
            self.live -= 1;
            if completed {
                self.rates.resets.give(1);
                // The peer's RST_STREAM may cross the end of any stream.
                self.rates.glitches.give(1);
            }
        }
        if !entry.held {
            match entry.reset {
                Some(by) => self.past.note_reset(id, by),
                None => self.past.note_ended(id),
            }
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

/// An error of the connection (RFC 9113 section 5.4.1), on its way to GOAWAY.
#[derive(Debug)]
struct Fault {
    code: ErrorCode,
    reason: std::borrow::Cow<'static, str>,
}

impl Fault {
    fn new(code: ErrorCode, reason: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }

    fn protocol(reason: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::ProtocolError, reason)
    }
}
