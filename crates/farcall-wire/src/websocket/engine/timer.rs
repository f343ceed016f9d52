//! Everything that waits for a time. The engine reads no clock: the driver says when it is.

use std::time::{Duration, Instant};

use super::Engine;
use crate::websocket::error::Fault;
use crate::websocket::{CloseCode, Event};

/// What comes back in a keepalive Pong.
const ALIVE: &[u8] = b"alive";

/// Quiet time after which memory is given back.
const SHRINK_AFTER: Duration = Duration::from_secs(1);

/// The times of a connection; `None` where nothing is waited for.
#[derive(Debug)]
pub(super) struct Timers {
    /// When bytes last came.
    received: Instant,
    /// A keepalive Ping must have been answered.
    alive_due: Option<Instant>,
    /// Pings of ours that are not answered.
    asked: u32,
    /// Since when output waits without any of it being taken.
    stuck: Option<Instant>,
    /// Memory is to be given back then.
    shrink: Option<Instant>,
}

impl Timers {
    pub(super) fn new(now: Instant) -> Self {
        Self { received: now, alive_due: None, asked: 0, stuck: None, shrink: None }
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.received = now;
        self.alive_due = None;
        self.shrink = Some(now + SHRINK_AFTER);
    }

    /// A Ping is sent.
    pub(super) fn asked(&mut self) {
        self.asked = self.asked.saturating_add(1);
    }

    /// A Pong came; false if none was due.
    pub(super) fn answered(&mut self) -> bool {
        let due = self.asked > 0;
        self.asked = self.asked.saturating_sub(1);
        due
    }
}

impl Engine {
    /// Notes the time and what the driver has written since.
    pub(super) fn enter(&mut self, now: Instant) {
        self.now = now;
        self.output.settle();
        let length = self.output.len();
        if length == 0 {
            self.timers.stuck = None;
        } else if self.output.take_progress() {
            self.timers.stuck = Some(now);
            // A peer that reads is alive; our Ping may be far behind what it reads.
            let due = now + self.config.keepalive_timeout;
            self.timers.alive_due = self.timers.alive_due.map(|_| due);
        } else {
            self.timers.stuck.get_or_insert(now);
        }
        if self.full && length <= self.config.limits.max_unsent / 2 && self.takes_messages() {
            self.full = false;
            self.events.push_back(Event::Writable);
        }
    }

    /// Output waits from now on, if any does.
    pub(super) fn note_stuck(&mut self) {
        if self.output.len() > 0 {
            self.timers.stuck.get_or_insert(self.now);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) at the latest. A call that comes too
    /// early does nothing.
    pub fn next_timeout(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        [
            self.close_due(),
            self.timers.alive_due,
            self.keepalive(),
            self.stuck_end(),
            self.timers.shrink,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Some time has come: does whatever is due at `now`. [`fill`](Self::fill) is to follow.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.enter(now);
        if !self.takes_input() {
            return;
        }
        let due = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        let overdue = if due(self.close_due()) {
            Some((CloseCode::GOING_AWAY, "the peer did not answer Close in time"))
        } else if due(self.timers.alive_due) {
            Some((CloseCode::GOING_AWAY, "the peer did not answer a Ping in time"))
        } else if due(self.stuck_end()) {
            Some((CloseCode::POLICY, "the peer read nothing for too long"))
        } else {
            None
        };
        if let Some((code, reason)) = overdue {
            return self.fail(Fault::new(code, reason));
        }
        if due(self.keepalive()) {
            self.timers.alive_due = Some(now + self.config.keepalive_timeout);
            self.emit_ping(ALIVE);
        }
        if due(self.timers.shrink) {
            self.timers.shrink = None;
            self.shrink();
        }
    }

    /// When the peer's silence is to be broken.
    fn keepalive(&self) -> Option<Instant> {
        self.config
            .keepalive_interval
            .filter(|_| self.timers.alive_due.is_none() && self.close_due().is_none())
            .map(|wait| self.timers.received + wait)
    }

    fn stuck_end(&self) -> Option<Instant> {
        self.timers.stuck.map(|since| since + self.config.limits.no_progress_timeout)
    }

    /// Gives memory back: the connection is quiet.
    fn shrink(&mut self) {
        self.output.shrink();
        if let Some(deflater) = &mut self.deflater {
            deflater.shrink();
        }
        if let Some(inflater) = self.inflater.as_mut().filter(|_| self.message.is_none()) {
            inflater.shrink();
        }
        if self.events.is_empty() {
            self.events = std::collections::VecDeque::new();
        }
        if self.pongs.is_empty() {
            self.drop_pongs();
        }
    }
}
