//! Flow control of what we receive (RFC 9113 section 5.2): windows, their updates, and their growth
//! by measurement.
//!
//! A stream's window bounds what the application holds of it: window + unannounced + held = size,
//! always. The connection's window bounds only what is on its way, and is given back when DATA
//! arrives: window + unannounced = size. So streams whose data nobody takes never stop the others.
//! What all streams hold is bounded by their first windows and one budget by which they grow.

use std::time::{Duration, Instant};

use super::{Engine, Fault};
use crate::event::StreamId;
use crate::http2::ErrorCode;
use crate::http2::frame::{DEFAULT_WINDOW, MAX_WINDOW};
use crate::limits::Limits;
use crate::stream::Half;

/// What comes back in the PING that measures the path.
pub(super) const MEASURE: [u8; 8] = *b"measure\0";

/// Octets between two measurements when many were in vain.
const MAX_PATIENCE: u64 = 64 * 1024 * 1024;

/// How long a window's worth of octets takes.
#[derive(Debug)]
struct Pace {
    since: Instant,
    octets: u32,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { since: now, octets: 0 }
    }

    /// Octets went by. If they complete a window of `size` octets: the time that it took.
    fn count(&mut self, octets: u32, size: u32, now: Instant) -> Option<Duration> {
        self.octets = self.octets.saturating_add(octets);
        if self.octets < size {
            return None;
        }
        self.octets = 0;
        Some(now.saturating_duration_since(std::mem::replace(&mut self.since, now)))
    }
}

/// The window that we give the peer on one stream: what is used of it, and its growth.
#[derive(Debug)]
pub(super) struct StreamWindow {
    /// Received and not yet consumed.
    pub(super) held: u32,
    /// Consumed and not yet announced.
    pub(super) unannounced: u32,
    /// By how much it is larger than it was at its begin: the stream's part of the budget.
    pub(super) grown: u32,
    /// Of what is consumed.
    pace: Pace,
}

impl StreamWindow {
    pub(super) fn new(now: Instant) -> Self {
        Self { held: 0, unannounced: 0, grown: 0, pace: Pace::new(now) }
    }

    /// Octets were consumed: as many as are held at most, whatever the application gives back.
    fn consume(&mut self, octets: u32) -> u32 {
        let octets = octets.min(self.held);
        self.held -= octets;
        self.unannounced += octets;
        octets
    }
}

/// The windows that we give the peer: the connection's, and what all streams' have in common.
#[derive(Debug)]
pub(super) struct ReceiveWindows {
    /// The size of the connection's window.
    pub(super) size: u32,
    /// Arrived on the connection and not yet announced.
    pub(super) unannounced: u32,
    /// The size that a stream's window begins with, and the one it has meanwhile: before our
    /// SETTINGS are acknowledged not less than the default.
    pub(super) stream_size: u32,
    pub(super) stream_start: u32,
    /// By how much all streams' windows together have grown.
    pub(super) grown: u32,
    /// The size up to which windows grow, and the bound of `grown`.
    max: u32,
    /// Of what arrives.
    pace: Pace,
    /// The shortest round trip seen, and when a PING left whose answer will tell of another.
    round_trip: Option<Duration>,
    asked: Option<Instant>,
    /// Octets to be consumed before the next PING; doubles each time, since peers count PINGs.
    patience: u64,
    until_asking: u64,
}

impl ReceiveWindows {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        let stream_size = limits.stream_window.min(MAX_WINDOW);
        Self {
            size: DEFAULT_WINDOW,
            unannounced: 0,
            stream_size,
            stream_start: stream_size.max(DEFAULT_WINDOW),
            grown: 0,
            max: limits.max_window.min(MAX_WINDOW),
            pace: Pace::new(now),
            round_trip: None,
            asked: None,
            patience: stream_size.into(),
            until_asking: u64::from(stream_size) / 2,
        }
    }

    /// Our SETTINGS are acknowledged: no stream's window begins larger than they say, nor did.
    pub(super) fn settle_stream_start(&mut self) {
        self.stream_start = self.stream_size;
    }

    /// What the peer may still send on the connection.
    pub(super) fn window(&self) -> u32 {
        self.size - self.unannounced
    }

    /// The size of a stream's window.
    pub(super) fn size_of(&self, stream: &StreamWindow) -> u32 {
        self.stream_start + stream.grown
    }

    /// What the peer may still send on a stream; below zero if the stream began before the peer knew
    /// of a window smaller than the default.
    pub(super) fn window_of(&self, stream: &StreamWindow) -> i64 {
        i64::from(self.size_of(stream)) - i64::from(stream.unannounced) - i64::from(stream.held)
    }

    /// The increment to announce on a stream, if it is time for that: half of what the peer could
    /// have. That is half of the window, or less when much of it is held, so that the peer never
    /// waits for octets that are not held.
    pub(super) fn due(&self, stream: &mut StreamWindow) -> Option<u32> {
        let due = stream.unannounced > 0 && i64::from(stream.unannounced) >= self.window_of(stream);
        due.then(|| std::mem::take(&mut stream.unannounced))
    }

    /// The same on the connection.
    fn due_on_connection(&mut self) -> Option<u32> {
        let due = self.unannounced > 0 && self.unannounced >= self.window();
        due.then(|| std::mem::take(&mut self.unannounced))
    }

    /// Makes the connection's window `size` octets large, if it is smaller; the increment to
    /// announce.
    fn widen(&mut self, size: u32) -> Option<u32> {
        let growth = size.checked_sub(self.size).filter(|growth| *growth > 0)?;
        self.size = size;
        Some(growth + std::mem::take(&mut self.unannounced))
    }

    /// The size that the connection's window should have now that octets arrived, if it should grow.
    fn wanted(&mut self, octets: u32, now: Instant) -> Option<u32> {
        let time = self.pace.count(octets, self.size, now)?;
        self.is_limit(time).then(|| self.size.saturating_mul(2).min(self.max))
    }

    /// Octets of a stream were consumed: lets its window grow as far as it should and the budget
    /// allows. By how much.
    fn grow(&mut self, stream: &mut StreamWindow, octets: u32, now: Instant) -> u32 {
        let size = self.size_of(stream);
        if !stream.pace.count(octets, size, now).is_some_and(|time| self.is_limit(time)) {
            return 0;
        }
        let growth = size.min(self.max.saturating_sub(size)).min(self.max - self.grown);
        stream.grown += growth;
        self.grown += growth;
        growth
    }

    /// A window limits the peer if all of it is used within little more than one round trip, and
    /// what is consumed as fast needs no room.
    fn is_limit(&self, time: Duration) -> bool {
        self.round_trip.is_some_and(|round_trip| time < round_trip * 2)
    }

    /// A stream is gone: what it grew by is there for the others.
    pub(super) fn forget(&mut self, stream: &StreamWindow) {
        self.grown -= stream.grown;
    }

    /// Whether it is time to ask for the length of the path.
    fn start_asking(&mut self, octets: u32, now: Instant) -> bool {
        let streams_grow = self.stream_start < self.max && self.grown < self.max;
        self.until_asking = self.until_asking.saturating_sub(octets.into());
        if self.until_asking > 0 || self.asked.is_some() || !(streams_grow || self.size < self.max)
        {
            return false;
        }
        self.asked = Some(now);
        self.until_asking = self.patience;
        self.patience = (self.patience * 2).min(MAX_PATIENCE);
        true
    }

    /// The measuring PING came back.
    pub(super) fn answered(&mut self, now: Instant) {
        if let Some(asked) = self.asked.take() {
            let time = now.saturating_duration_since(asked);
            self.round_trip = Some(self.round_trip.map_or(time, |before| before.min(time)));
        }
    }
}

impl Engine {
    /// Gives back flow-control credit of consumed data: exactly the `credit` of each
    /// [`Event::Data`](crate::Event), once. It concerns the stream's window only, and nothing
    /// happens if the stream is gone: the connection's window came back when the data arrived.
    /// Updates of windows are sent when they are worth a frame.
    pub fn release(&mut self, stream: StreamId, credit: u32) {
        self.output.settle();
        let Some(entry) = self.streams.get_mut(stream.0) else { return };
        let credit = entry.window.consume(credit);
        if credit == 0 {
            return;
        }
        if self.windows.start_asking(credit, self.now) {
            self.output.ping(false, MEASURE);
        }
        if entry.receive == Half::Ended {
            return;
        }
        let growth = self.windows.grow(&mut entry.window, credit, self.now);
        if growth > 0 {
            let increment = growth + std::mem::take(&mut entry.window.unannounced);
            self.output.window_update(stream.0, increment);
            // The connection's window holds two full streams at least.
            let size = self.windows.size_of(&entry.window).saturating_mul(2);
            self.widen_connection(size.min(self.windows.max));
        } else if let Some(increment) = self.windows.due(&mut entry.window) {
            self.output.window_update(stream.0, increment);
        }
    }

    /// Flow-controlled octets arrived: they count against the connection's window until the peer is
    /// told that they have arrived.
    pub(super) fn receive_on_connection(&mut self, octets: u32) -> Result<(), Fault> {
        if octets > self.windows.window() {
            return Err(Fault::new(
                ErrorCode::FlowControlError,
                "more DATA than the connection's window allows",
            ));
        }
        self.windows.unannounced += octets;
        if let Some(size) = self.windows.wanted(octets, self.now) {
            self.widen_connection(size);
        }
        if let Some(increment) = self.windows.due_on_connection() {
            self.output.window_update(0, increment);
        }
        Ok(())
    }

    /// Makes the connection's window `size` octets large, if it is smaller.
    pub(super) fn widen_connection(&mut self, size: u32) {
        if let Some(increment) = self.windows.widen(size) {
            self.output.window_update(0, increment);
        }
    }
}
