//! Everything that waits for a time. The engine reads no clock: the driver says when it is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::{Engine, Refusal};
use crate::event::Side;
use crate::http1::{ConnectionError, ErrorCode};
use crate::limits::Http1Limits;

/// Quiet time after which memory is given back.
const SHRINK_AFTER: Duration = Duration::from_secs(1);

/// The times of a connection; `None` where nothing is waited for.
#[derive(Debug)]
pub(super) struct Timers {
    /// The head must be complete.
    pub(super) head: Option<Instant>,
    /// The content must have made progress.
    pub(super) content: Option<Instant>,
    /// Octets of content in this period, and whether the application held it back.
    came: u64,
    excused: bool,
    /// Since when there is no stream; and whether memory must still be given back.
    idle: Option<Instant>,
    unshrunk: bool,
    /// Since when output waits without any of it being taken.
    stuck: Option<Instant>,
}

impl Timers {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            head: None,
            content: None,
            came: 0,
            excused: false,
            idle: Some(now),
            unshrunk: false,
            stuck: None,
        }
    }

    /// The first octets of a head are here.
    pub(super) fn head_began(&mut self, now: Instant, limits: &Http1Limits) {
        self.head.get_or_insert(now + limits.head_timeout);
    }

    /// A request is here; its content must have come on by then.
    pub(super) fn request_began(&mut self, content: Option<Instant>) {
        self.idle = None;
        self.start_content(content, false);
    }

    /// A period of the content begins, at whose end there must be more of it.
    pub(super) fn start_content(&mut self, until: Option<Instant>, excused: bool) {
        self.content = until;
        self.came = 0;
        self.excused = excused;
    }

    pub(super) fn content_came(&mut self, octets: u64) {
        self.came = self.came.saturating_add(octets);
    }

    /// The application held the content back: the peer cannot have sent more.
    pub(super) fn excuse_content(&mut self) {
        self.excused = true;
    }

    pub(super) fn idle_since(&mut self, now: Instant) {
        self.idle = Some(now);
        self.unshrunk = true;
    }

    pub(super) fn busy(&mut self) {
        self.idle = None;
    }

    /// Nothing is waited for any more but that the output is read.
    pub(super) fn finish(&mut self) {
        self.head = None;
        self.content = None;
        self.idle = None;
    }

    /// Whether output waits to be written.
    pub(super) fn note_output(&mut self, waits: bool, progressed: bool, now: Instant) {
        if !waits {
            self.stuck = None;
        } else if progressed || self.stuck.is_none() {
            self.stuck = Some(now);
        }
    }

    /// When the connection has been idle for too long; not while a head is on its way.
    fn idle_end(&self, limits: &Http1Limits) -> Option<Instant> {
        let idle = self.idle.filter(|_| self.head.is_none());
        idle.zip(limits.idle_timeout).map(|(since, wait)| since + wait)
    }

    fn stuck_end(&self, limits: &Http1Limits) -> Option<Instant> {
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
        self.note_output();
        self.finish_if_written();
    }

    /// Notes whether the peer reads.
    pub(super) fn note_output(&mut self) {
        let progressed = self.output.take_progress();
        self.timers.note_output(self.output.len() > 0, progressed, self.now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) at the latest. A call that comes too
    /// early does nothing, so that a driver may keep an earlier alarm and look again when it goes
    /// off.
    pub fn next_timeout(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        let (timers, limits) = (&self.timers, &self.config.limits);
        let idle_end = timers.idle_end(limits).filter(|_| !self.ending.is_draining());
        [timers.head, timers.content, idle_end, timers.stuck_end(limits), timers.shrink_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Some time has come: does whatever is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.enter(now);
        let due = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        if self.is_closed() {
            return;
        }
        if due(self.timers.stuck_end(&self.config.limits)) {
            let reason = "the peer read nothing for too long".into();
            let code = ErrorCode::EnhanceYourCalm;
            return self.lose(Side::Local, Some(ConnectionError { code, by: Side::Local, reason }));
        }
        if due(self.timers.head) {
            return self.refuse(Refusal::new(408, "the head did not become complete in time"));
        }
        if due(self.timers.content) {
            self.check_content();
        }
        if due(self.timers.idle_end(&self.config.limits)) && !self.ending.is_draining() {
            self.drain(now);
        }
        if due(self.timers.shrink_at()) {
            self.timers.unshrunk = false;
            self.shrink();
        }
    }

    /// A period of the content is over.
    fn check_content(&mut self) {
        let held_back = self.is_held_back();
        let limits = &self.config.limits;
        if self.timers.came >= limits.min_progress || self.timers.excused || held_back {
            return self.timers.start_content(Some(self.now + limits.content_period), held_back);
        }
        self.refuse(Refusal::new(408, "the content came too slowly"));
    }

    /// Gives memory back: the connection is quiet.
    fn shrink(&mut self) {
        self.output.shrink();
        self.lines.shrink();
        self.head = BytesMut::new();
        self.gathered = Vec::new();
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
    }
}
