//! Everything that waits for a time. The session reads no clock: the driver says when it is.

use std::time::{Duration, Instant};

use super::{Fault, Session};
use crate::fields::Fields;
use crate::http2::ErrorCode;

/// How long new streams are refused after too many resets, and how long after that the next excess
/// is the last.
const REFUSAL: Duration = Duration::from_secs(1);
const PAROLE: Duration = Duration::from_secs(10);

/// Quiet time after which memory is given back.
const SHRINK_AFTER: Duration = Duration::from_secs(1);

/// The times of a session; `None` where nothing is waited for.
#[derive(Debug)]
pub(super) struct Timers {
    /// The answer to the Ping of a drain is waited for no longer.
    pub(super) drain: Option<Instant>,
    /// Since when no stream is open; and whether memory must still be given back.
    idle: Option<Instant>,
    unshrunk: bool,
    /// The next look at streams that wait for their windows.
    pub(super) scan: Option<Instant>,
    /// New streams are refused until then.
    refuse: Option<Instant>,
}

impl Timers {
    pub(super) fn new(now: Instant) -> Self {
        Self { drain: None, idle: Some(now), unshrunk: false, scan: None, refuse: None }
    }

    pub(super) fn idle_since(&mut self, now: Instant) {
        self.idle = Some(now);
        self.unshrunk = true;
    }

    pub(super) fn busy(&mut self) {
        self.idle = None;
    }

    /// Streams that wait for their windows are to be looked at by then.
    pub(super) fn look_at(&mut self, time: Instant) {
        if self.scan.is_none_or(|scan| time < scan) {
            self.scan = Some(time);
        }
    }

    /// Whether new streams are refused for a while.
    pub(super) fn refuses(&self, now: Instant) -> bool {
        self.refuse.is_some_and(|until| now < until)
    }

    /// Too many resets: once, new streams are refused for a second; again soon after, it is a
    /// fault.
    pub(super) fn refuse_or_fault(&mut self, now: Instant) -> Result<(), Fault> {
        match self.refuse {
            Some(until) if now < until => Ok(()),
            Some(until) if now < until + PAROLE => Err(Fault::new(
                ErrorCode::EnhanceYourCalm,
                "too many streams were reset before they were answered",
            )),
            _ => {
                self.refuse = Some(now + REFUSAL);
                Ok(())
            }
        }
    }

    fn shrink_at(&self) -> Option<Instant> {
        self.idle.filter(|_| self.unshrunk).map(|since| since + SHRINK_AFTER)
    }
}

impl Session {
    /// Notes the time.
    pub(super) fn enter(&mut self, now: Instant) {
        self.now = now;
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) at the latest. A call that comes too
    /// early does nothing, so that a driver may keep an earlier alarm and look again when it goes
    /// off.
    pub fn next_timeout(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        [
            self.socket.next_timeout(),
            self.timers.drain,
            self.idle_end(),
            self.timers.scan,
            self.timers.shrink_at(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Some time has come: does whatever is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.enter(now);
        if self.is_closed() {
            return;
        }
        self.socket.handle_timeout(now);
        self.take_messages();
        let due = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        if due(self.timers.drain) {
            self.finish_drain();
        }
        if due(self.idle_end()) {
            self.drain(now);
        }
        if due(self.timers.scan) {
            self.scan_waiting();
        }
        if due(self.timers.shrink_at()) {
            self.timers.unshrunk = false;
            self.shrink();
        }
    }

    fn idle_end(&self) -> Option<Instant> {
        let idle = self.timers.idle.filter(|_| !self.ending.is_draining());
        idle.zip(self.limits.idle_timeout).map(|(since, wait)| since + wait)
    }

    /// Gives memory back: the connection is quiet.
    fn shrink(&mut self) {
        self.streams.shrink();
        if self.streams.is_empty() {
            self.ready = std::collections::VecDeque::new();
        }
        self.scratch = Fields::new();
        self.block = Vec::new();
        self.resets = std::collections::VecDeque::new();
        if self.events.is_empty() {
            self.events = std::collections::VecDeque::new();
        }
    }
}
