//! Flow control of what we receive (RFC 9113 section 5.2): windows, their updates, and their growth
//! by measurement.
//!
//! For each stream: window + unannounced + held by the application = size, always. For the connection
//! what is held counts only above [`max_held`](Limits::max_held): a few streams whose data nobody takes
//! do not stop the others.

use std::time::{Duration, Instant};

use super::Engine;
use super::stream::Half;
use crate::event::StreamId;
use crate::http2::frame::{DEFAULT_WINDOW, MAX_WINDOW, Setting, SettingId, Settings};
use crate::limits::Limits;

/// What comes back in the PING that measures the path.
pub(super) const MEASURE: [u8; 8] = *b"measure\0";

/// Octets between two measurements when many were in vain.
const MAX_PATIENCE: u64 = 64 * 1024 * 1024;

/// The windows that we give the peer.
#[derive(Debug)]
pub(super) struct ReceiveWindows {
    /// What the peer may still send on the connection.
    pub(super) window: i64,
    /// Consumed and not yet announced.
    pub(super) unannounced: u32,
    /// Received and not yet consumed.
    held: u64,
    /// The part of it that the peer has got back already.
    advanced: u64,
    /// The most that is got back so.
    max_advanced: u64,
    /// The size of the connection's window, and of each stream's.
    pub(super) size: u32,
    pub(super) stream_size: u32,
    /// The window a new stream begins with: before our SETTINGS are acknowledged not less than the
    /// default.
    pub(super) stream_start: u32,
    max: u32,
    /// Since when `consumed` octets were consumed.
    epoch: Instant,
    consumed: u64,
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
        let size = limits.connection_window.clamp(DEFAULT_WINDOW, MAX_WINDOW);
        Self {
            window: DEFAULT_WINDOW.into(),
            unannounced: 0,
            held: 0,
            advanced: 0,
            max_advanced: limits.max_held,
            size,
            stream_size,
            stream_start: stream_size.max(DEFAULT_WINDOW),
            max: limits.max_window.clamp(size, MAX_WINDOW),
            epoch: now,
            consumed: 0,
            round_trip: None,
            asked: None,
            patience: stream_size.into(),
            until_asking: u64::from(stream_size) / 2,
        }
    }

    /// Opens the connection's window from the default to its size: by how much, if at all.
    pub(super) fn open_connection(&mut self) -> Option<u32> {
        let increment = self.size - DEFAULT_WINDOW;
        self.window += i64::from(increment);
        (increment > 0).then_some(increment)
    }

    /// Our SETTINGS are acknowledged: by how much streams began too large.
    pub(super) fn settle_stream_start(&mut self) -> i64 {
        let surplus = i64::from(self.stream_start) - i64::from(self.stream_size);
        self.stream_start = self.stream_size;
        surplus
    }

    /// Flow-controlled octets arrived; false if the peer was not allowed to send them.
    pub(super) fn receive(&mut self, octets: u32) -> bool {
        if i64::from(octets) > self.window {
            return false;
        }
        self.window -= i64::from(octets);
        self.held += u64::from(octets);
        true
    }

    /// What is held and counts against the connection's window.
    pub(super) fn charged(&self) -> u64 {
        self.held - self.advanced
    }

    /// Gives back what has arrived, as far as it need not be consumed first; the increment to announce.
    pub(super) fn advance(&mut self, octets: u32) -> Option<u32> {
        let room = self.max_advanced.saturating_sub(self.advanced);
        let octets = u64::from(octets).min(room);
        self.advanced += octets;
        self.give_back(octets as u32)
    }

    /// Octets were consumed; the increment to announce, if it is time for that.
    fn consume(&mut self, octets: u32) -> Option<u32> {
        let octets = u64::from(octets).min(self.held);
        let due = octets.min(self.charged());
        self.held -= octets;
        self.advanced = self.advanced.min(self.held);
        self.give_back(due as u32)
    }

    fn give_back(&mut self, octets: u32) -> Option<u32> {
        self.unannounced += octets;
        if self.unannounced < self.size / 2 {
            return None;
        }
        let increment = std::mem::take(&mut self.unannounced);
        self.window += i64::from(increment);
        Some(increment)
    }

    /// Whether it is time to ask for the length of the path.
    fn start_asking(&mut self, octets: u32, now: Instant) -> bool {
        self.until_asking = self.until_asking.saturating_sub(octets.into());
        if self.until_asking > 0 || self.asked.is_some() || self.stream_size >= self.max {
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

    /// Octets were consumed: the size that streams' windows should have, if they should grow. A
    /// window limits the peer if all of it is used within little more than one round trip, and what
    /// is consumed as fast needs no room.
    fn grown(&mut self, octets: u32, now: Instant) -> Option<u32> {
        self.consumed += u64::from(octets);
        if self.consumed < self.stream_size.into() {
            return None;
        }
        let time = now.saturating_duration_since(std::mem::replace(&mut self.epoch, now));
        self.consumed = 0;
        let limited = self.round_trip.is_some_and(|round_trip| time < round_trip * 2);
        (limited && self.stream_size < self.max)
            .then(|| self.stream_size.saturating_mul(2).min(self.max))
    }
}

impl Engine {
    /// Gives back flow-control credit of consumed data: exactly the `credit` of each
    /// [`Event::Data`](crate::Event), once, also when the stream is gone. Updates of windows are
    /// sent when they are worth a frame.
    pub fn release(&mut self, stream: StreamId, credit: u32) {
        if credit == 0 || self.ending.is_closed() {
            return;
        }
        self.output.settle();
        self.release_connection(credit);
        if self.windows.start_asking(credit, self.now) {
            self.output.ping(false, MEASURE);
        }
        if let Some(size) = self.windows.grown(credit, self.now) {
            self.grow_windows(size);
        }
        let size = self.windows.stream_size;
        let Some(entry) = self.streams.get_mut(stream.0) else { return };
        if entry.receive == Half::Ended {
            return;
        }
        // Never above the size, whatever the application gives back.
        let most = u32::try_from(i64::from(size) - entry.receive_window).unwrap_or(0);
        entry.unannounced = entry.unannounced.saturating_add(credit).min(most);
        if entry.unannounced > 0 && entry.unannounced >= size / 2 {
            let increment = std::mem::take(&mut entry.unannounced);
            entry.receive_window += i64::from(increment);
            self.output.window_update(stream.0, increment);
        }
    }

    /// Gives back the connection's part only.
    pub(super) fn release_connection(&mut self, credit: u32) {
        if let Some(increment) = self.windows.consume(credit) {
            self.output.window_update(0, increment);
        }
    }

    /// Gives all streams windows of `stream_size` octets.
    fn grow_windows(&mut self, stream_size: u32) {
        let difference = stream_size - self.windows.stream_size;
        self.windows.stream_size = stream_size;
        self.windows.stream_start = self.windows.stream_start.max(stream_size);
        for (_, stream) in self.streams.iter_mut() {
            stream.receive_window += i64::from(difference);
        }
        let setting = Setting { id: SettingId::InitialWindowSize, value: stream_size };
        Settings::emit(&[setting], self.output.control());
        self.timers.settings_sent(self.now);
        // The connection holds two full streams at least.
        let size = stream_size.saturating_mul(2).min(self.windows.max).max(self.windows.size);
        let increment = size - self.windows.size;
        if increment > 0 {
            self.windows.size = size;
            self.windows.window += i64::from(increment);
            self.output.window_update(0, increment);
        }
    }
}
