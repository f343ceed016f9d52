//! When a call must be done.
//!
//! On the wire a call carries a timeout, which is relative; inside a process it carries a [`Deadline`], which is
//! absolute and does not grow while the call waits. Nothing here reads a clock: the present is an argument.

use std::time::{Duration, Instant};

/// The longest timeout that means anything, one year: longer ones are cut to it, so that arithmetic cannot overflow.
pub const MAX_TIMEOUT: Duration = Duration::from_hours(365 * 24);

/// The moment at which a call fails with `DEADLINE_EXCEEDED` unless it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline `timeout` after `now`; timeouts above [`MAX_TIMEOUT`] are cut to it.
    pub fn after(now: Instant, timeout: Duration) -> Self {
        Self(now.checked_add(timeout.min(MAX_TIMEOUT)).unwrap_or(now))
    }

    /// The deadline at `instant`.
    pub fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// The moment itself, for a timer.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// What is left at `now`; zero when it has passed.
    pub fn remaining(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    /// Whether nothing is left at `now`.
    pub fn has_passed(self, now: Instant) -> bool {
        self.0 <= now
    }

    /// The earlier of two deadlines, where none means that there is no limit.
    pub fn earliest(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
