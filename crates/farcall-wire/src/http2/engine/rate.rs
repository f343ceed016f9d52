//! How often the peer of a connection may do what is legal but costs.

use std::time::Instant;

use crate::bucket::Bucket;
use crate::limits::Limits;

/// All buckets of a connection.
#[derive(Debug)]
pub(super) struct Rates {
    pub(super) settings: Bucket,
    pub(super) resets: Bucket,
    pub(super) glitches: Bucket,
    pub(super) pings: Bucket,
    pub(super) window_updates: Bucket,
}

impl Rates {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            settings: Bucket::new(limits.settings, now),
            resets: Bucket::new(limits.resets, now),
            glitches: Bucket::new(limits.glitches, now),
            pings: Bucket::new(limits.pings, now),
            window_updates: Bucket::new(limits.window_updates, now),
        }
    }
}
