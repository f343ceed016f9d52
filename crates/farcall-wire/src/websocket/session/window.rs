//! Flow control of what we receive: each stream's window, its credit, and its growth by measurement.
//!
//! A window bounds what the application holds of a stream: window + unannounced + held = size,
//! always. It grows while the peer uses all of it within little more than one round trip; what all
//! windows grow by is bounded by one budget. Nothing bounds what is on its way together: that is the
//! transport's business.

use std::time::{Duration, Instant};

use super::frame::{self, INITIAL_WINDOW, MAX_WINDOW};
use super::{Fault, Session, StreamId};
use crate::http2::ErrorCode;
use crate::limits::Limits;
use crate::stream::Half;

/// What comes back in the Pong that measures the path.
pub(super) const MEASURE: &[u8] = b"measure";

/// Octets between two measurements when many were in vain.
const MAX_PATIENCE: u64 = 64 * 1024 * 1024;

/// The window that we give the peer on one stream.
#[derive(Debug)]
pub(super) struct StreamWindow {
    /// Received and not yet consumed.
    pub(super) held: u32,
    /// Consumed and not yet announced.
    pub(super) unannounced: u32,
    /// By how much it is larger than it was at its begin: the stream's part of the budget.
    pub(super) grown: u32,
    /// Octets consumed since then.
    paced: u32,
    since: Instant,
}

impl StreamWindow {
    pub(super) fn new(now: Instant) -> Self {
        Self { held: 0, unannounced: 0, grown: 0, paced: 0, since: now }
    }

    /// Octets were consumed: as many as are held at most, whatever the application gives back.
    fn consume(&mut self, octets: u32) -> u32 {
        let octets = octets.min(self.held);
        self.held -= octets;
        self.unannounced += octets;
        octets
    }

    /// Octets were consumed. If they complete a window of `size` octets: the time that it took.
    fn pace(&mut self, octets: u32, size: u32, now: Instant) -> Option<Duration> {
        self.paced = self.paced.saturating_add(octets);
        if self.paced < size {
            return None;
        }
        self.paced = 0;
        Some(now.saturating_duration_since(std::mem::replace(&mut self.since, now)))
    }
}

/// What all streams' windows have in common.
#[derive(Debug)]
pub(super) struct Windows {
    /// The size that a window begins with.
    pub(super) start: u32,
    /// By how much all windows together have grown, and its bound.
    pub(super) grown: u32,
    max: u32,
    /// The shortest round trip seen, and when a Ping left whose answer will tell of another.
    round_trip: Option<Duration>,
    asked: Option<Instant>,
    /// Octets to be consumed before the next Ping; doubles each time, since peers count Pings.
    patience: u64,
    until_asking: u64,
}

impl Windows {
    pub(super) fn new(limits: &Limits) -> Self {
        let start = limits.stream_window.clamp(INITIAL_WINDOW, MAX_WINDOW);
        Self {
            start,
            grown: 0,
            max: limits.max_window.min(MAX_WINDOW),
            round_trip: None,
            asked: None,
            patience: start.into(),
            until_asking: u64::from(start) / 2,
        }
    }

    /// The size of a stream's window.
    pub(super) fn size_of(&self, stream: &StreamWindow) -> u32 {
        self.start + stream.grown
    }

    /// What the peer may still send on a stream.
    pub(super) fn window_of(&self, stream: &StreamWindow) -> u32 {
        self.size_of(stream) - stream.unannounced - stream.held
    }

    /// The credit to announce on a stream, if it is time for that: half of what the peer could have.
    /// That is half of the window, or less when much of it is held, so that the peer never waits for
    /// octets that are not held.
    pub(super) fn due(&self, stream: &mut StreamWindow) -> Option<u32> {
        let due = stream.unannounced > 0 && stream.unannounced >= self.window_of(stream);
        due.then(|| std::mem::take(&mut stream.unannounced))
    }

    /// Octets of a stream were consumed: lets its window grow as far as it should and the budget
    /// allows. By how much.
    fn grow(&mut self, stream: &mut StreamWindow, octets: u32, now: Instant) -> u32 {
        let size = self.size_of(stream);
        let Some(time) = stream.pace(octets, size, now) else { return 0 };
        if self.round_trip.is_none_or(|round_trip| time >= round_trip * 2) {
            return 0;
        }
        let growth = size.min(self.max.saturating_sub(size)).min(self.max - self.grown);
        stream.grown += growth;
        self.grown += growth;
        growth
    }

    /// A stream is gone: what it grew by is there for the others.
    pub(super) fn forget(&mut self, stream: &StreamWindow) {
        self.grown -= stream.grown;
    }

    /// Whether it is time to ask for the length of the path.
    fn start_asking(&mut self, octets: u32, now: Instant) -> bool {
        self.until_asking = self.until_asking.saturating_sub(octets.into());
        let can_grow = self.start < self.max && self.grown < self.max;
        if self.until_asking > 0 || self.asked.is_some() || !can_grow {
            return false;
        }
        self.asked = Some(now);
        self.until_asking = self.patience;
        self.patience = (self.patience * 2).min(MAX_PATIENCE);
        true
    }

    /// The measuring Ping came back.
    pub(super) fn answered(&mut self, now: Instant) {
        if let Some(asked) = self.asked.take() {
            let time = now.saturating_duration_since(asked);
            self.round_trip = Some(self.round_trip.map_or(time, |before| before.min(time)));
        }
    }
}

impl Session {
    /// Gives back flow-control credit of consumed data: exactly the `credit` of each
    /// [`Event::Data`](crate::Event), once. Nothing happens if the stream is gone. Credit is
    /// announced when it is worth a message.
    pub fn release(&mut self, stream: StreamId, credit: u32) {
        let Some(entry) = self.streams.get_mut(stream.0) else { return };
        let credit = entry.window.consume(credit);
        if credit == 0 {
            return;
        }
        if self.windows.start_asking(credit, self.now) {
            // Whoever is closing needs no window.
            let _ = self.socket.ping(MEASURE);
        }
        if entry.receive == Half::Ended {
            return;
        }
        let growth = self.windows.grow(&mut entry.window, credit, self.now);
        if growth > 0 {
            let octets = growth + std::mem::take(&mut entry.window.unannounced);
            frame::emit_credit(&mut self.socket, stream.0, octets);
        } else if let Some(octets) = self.windows.due(&mut entry.window) {
            frame::emit_credit(&mut self.socket, stream.0, octets);
        }
    }

    /// Credit of the peer came: we may send as much more.
    pub(super) fn receive_credit(&mut self, id: u32, octets: u32) -> Result<(), Fault> {
        if !self.rates.credits.take(self.now) {
            let reason = "CREDIT too often";
            return Err(Fault::new(ErrorCode::EnhanceYourCalm, reason));
        }
        if self.is_idle(id) {
            return Err(Fault::protocol("CREDIT on a stream that was never opened"));
        }
        let Some(entry) = self.streams.get_mut(id).filter(|entry| entry.reset.is_none()) else {
            return Ok(());
        };
        if octets == 0 {
            let reason = "CREDIT of nothing";
            return self.stream_error(id, ErrorCode::ProtocolError, reason);
        }
        let window = entry.send_window.saturating_add(octets);
        if window > MAX_WINDOW {
            let reason = "CREDIT lifts the stream's window above 2147483647";
            return self.stream_error(id, ErrorCode::FlowControlError, reason);
        }
        entry.send_window = window;
        if entry.has_unsent() && !entry.ready {
            entry.ready = true;
            self.ready.push_back(id);
        }
        Ok(())
    }
}
