//! Everything that waits for a time. The engine reads no clock: the driver says when it is.

use std::time::{Duration, Instant};

use super::{Engine, Fault};
use crate::http2::{Config, ErrorCode};
use crate::limits::Limits;

/// What comes back in a keepalive PING.
pub(super) const ALIVE: [u8; 8] = *b"alive\0\0\0";

/// How long new streams are refused after too many resets, and how long after that the next excess
/// is the last.
const REFUSAL: Duration = Duration::from_secs(1);
const PAROLE: Duration = Duration::from_secs(10);

/// Quiet time after which memory is given back.
const SHRINK_AFTER: Duration = Duration::from_secs(1);

/// The times of a connection; `None` where nothing is waited for.
#[derive(Debug)]
pub(super) struct Timers {
    /// The peer's first SETTINGS must be here.
    handshake: Option<Instant>,
    /// Acknowledgements of SETTINGS that are due, and when the first one is.
    settings_unacknowledged: u32,
    settings_due: Option<Instant>,
    settings_timeout: Duration,
    /// The field block that is being assembled must be complete.
    pub(super) block: Option<Instant>,
    /// When bytes last came.
    pub(super) received: Instant,
    /// A keepalive PING must have been answered.
    alive_due: Option<Instant>,
    /// The answer to the PING of a drain is waited for no longer.
    drain: Option<Instant>,
    /// Since when no stream is open; and whether memory must still be given back.
    idle: Option<Instant>,
    unshrunk: bool,
    /// Since when output waits without any of it being taken.
    stuck: Option<Instant>,
    /// The next look at streams that wait for windows.
    pub(super) scan: Option<Instant>,
    /// New streams are refused until then.
    refuse: Option<Instant>,
}

impl Timers {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            handshake: Some(now + limits.handshake_timeout),
            settings_unacknowledged: 0,
            settings_due: None,
            settings_timeout: limits.settings_timeout,
            block: None,
            received: now,
            alive_due: None,
            drain: None,
            idle: None,
            unshrunk: false,
            stuck: None,
            scan: None,
            refuse: None,
        }
    }

    pub(super) fn settings_sent(&mut self, now: Instant) {
        self.settings_unacknowledged += 1;
        self.settings_due.get_or_insert(now + self.settings_timeout);
    }

    /// One acknowledgement came; false if none was due.
    pub(super) fn settings_acknowledged(&mut self, now: Instant) -> bool {
        let due = self.settings_unacknowledged > 0;
        self.settings_unacknowledged = self.settings_unacknowledged.saturating_sub(1);
        let more = self.settings_unacknowledged > 0;
        self.settings_due = more.then(|| now + self.settings_timeout);
        due
    }

    pub(super) fn greeted(&mut self) {
        self.handshake = None;
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.received = now;
        self.alive_due = None;
    }

    pub(super) fn drain_announced(&mut self, until: Instant) {
        self.drain = Some(until);
    }

    pub(super) fn drain_finished(&mut self) {
        self.drain = None;
    }

    pub(super) fn idle_since(&mut self, now: Instant) {
        self.idle = Some(now);
        self.unshrunk = true;
    }

    pub(super) fn busy(&mut self) {
        self.idle = None;
    }

    /// Streams that wait for windows are to be looked at by then.
    pub(super) fn look_at(&mut self, time: Instant) {
        if self.scan.is_none_or(|scan| time < scan) {
            self.scan = Some(time);
        }
    }

    /// Whether output waits to be written.
    pub(super) fn note_output(&mut self, waits: bool, now: Instant) {
        if !waits {
            self.stuck = None;
        } else if self.stuck.is_none() {
            self.stuck = Some(now);
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

    /// When the peer's silence is to be broken.
    fn keepalive(&self, config: &Config) -> Option<Instant> {
        let wanted = self.idle.is_none() || config.keepalive_without_streams;
        config
            .keepalive_interval
            .filter(|_| wanted && self.alive_due.is_none())
            .map(|wait| self.received + wait)
    }

    fn idle_end(&self, limits: &Limits) -> Option<Instant> {
        self.idle.zip(limits.idle_timeout).map(|(since, wait)| since + wait)
    }

    fn stuck_end(&self, limits: &Limits) -> Option<Instant> {
        self.stuck.map(|since| since + limits.no_progress_timeout)
    }

    fn shrink_at(&self) -> Option<Instant> {
        self.idle.filter(|_| self.unshrunk).map(|since| since + SHRINK_AFTER)
    }
}

impl Engine {
    /// Notes the time and what the driver has written since.
    pub(super) fn enter(&mut self, now: Instant) {
        self.now = now;
        self.output.settle();
        if self.output.len() == 0 {
            self.timers.stuck = None;
        } else if self.output.take_progress() || self.timers.stuck.is_none() {
            self.timers.stuck = Some(now);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) at the latest. A call that comes too
    /// early does nothing, so that a driver may keep an earlier alarm and look again when it goes
    /// off.
    pub fn next_timeout(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        let (timers, limits) = (&self.timers, &self.config.limits);
        [
            timers.handshake,
            timers.settings_due,
            timers.block,
            timers.alive_due,
            timers.keepalive(&self.config),
            timers.drain,
            timers.idle_end(limits).filter(|_| !self.ending.is_draining()),
            timers.stuck_end(limits),
            timers.scan,
            timers.shrink_at(),
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
        if let Some(fault) = self.overdue() {
            return self.fail(fault);
        }
        let due = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        if due(self.timers.keepalive(&self.config)) {
            self.timers.alive_due = Some(now + self.config.keepalive_timeout);
            self.output.ping(false, ALIVE);
        }
        if due(self.timers.drain) {
            self.finish_drain();
        }
        if due(self.timers.idle_end(&self.config.limits)) && !self.ending.is_draining() {
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

    /// What the peer should have done by now and has not.
    fn overdue(&self) -> Option<Fault> {
        let (timers, now) = (&self.timers, self.now);
        let due = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        let fault = |code, reason: &'static str| Some(Fault::new(code, reason));
        if due(timers.handshake) {
            return fault(
                ErrorCode::SettingsTimeout,
                "the peer's first SETTINGS did not come in time",
            );
        }
        if due(timers.settings_due) {
            return fault(ErrorCode::SettingsTimeout, "our SETTINGS were not acknowledged in time");
        }
        if due(timers.block) {
            return fault(
                ErrorCode::EnhanceYourCalm,
                "a field block did not become complete in time",
            );
        }
        if due(timers.alive_due) {
            return fault(ErrorCode::NoError, "the peer did not answer a keepalive PING in time");
        }
        if due(timers.stuck_end(&self.config.limits)) {
            return fault(ErrorCode::EnhanceYourCalm, "the peer read nothing for too long");
        }
        None
    }

    /// Gives memory back: the connection is quiet.
    fn shrink(&mut self) {
        self.streams.shrink();
        self.output.shrink();
        self.encoder.shrink();
        self.lines.shrink();
        self.scratch = crate::fields::Fields::new();
        self.past.shrink();
        if self.events.is_empty() {
            self.events = std::collections::VecDeque::new();
        }
        if self.streams.is_empty() {
            self.ready = std::collections::VecDeque::new();
            self.window_blocked = std::collections::VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_settings_frame_has_its_own_time_to_be_acknowledged() {
        let (limits, start) = (Limits::default(), Instant::now());
        let mut timers = Timers::new(&limits, start);
        let late = start + Duration::from_secs(9);
        timers.settings_sent(start);
        timers.settings_sent(late);
        assert_eq!(timers.settings_due, Some(start + limits.settings_timeout));
        assert!(timers.settings_acknowledged(late));
        assert_eq!(timers.settings_due, Some(late + limits.settings_timeout));
        assert!(timers.settings_acknowledged(late));
        assert_eq!(timers.settings_due, None);
        assert!(!timers.settings_acknowledged(late));
    }
}
