//! A token bucket: how often a peer may do what is legal but costs.
//!
//! It knows neither what costs nor what happens to a peer that does it too often.

use std::time::Instant;

use crate::limits::Rate;

/// A bucket that starts full and regains tokens with time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    tokens: f64,
    refilled: Instant,
}

impl Bucket {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, tokens: rate.burst.into(), refilled: now }
    }

    /// Takes one token; false if there is none.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.refilled = now;
        self.tokens = (self.tokens + elapsed * self.rate.per_second).min(self.rate.burst.into());
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }

    /// Puts `tokens` back, at most until the bucket is full.
    pub(crate) fn give(&mut self, tokens: u32) {
        self.tokens = (self.tokens + f64::from(tokens)).min(self.rate.burst.into());
    }
}
