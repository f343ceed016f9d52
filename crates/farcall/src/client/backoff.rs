//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// Before the second attempt.
const FIRST: Duration = Duration::from_millis(100);
/// Between attempts, however many have failed.
const LONGEST: Duration = Duration::from_secs(30);
/// Growth from one attempt to the next, in tenths.
const FACTOR_TENTHS: u32 = 16;
/// Share of the wait that is drawn by lot, in hundredths, so that clients of a restarted server do not come at once.
const JITTER_HUNDREDTHS: u64 = 20;

/// The wait after `failures` attempts have failed in a row; `lot` is any random number.
pub(crate) fn wait(failures: u32, lot: u64) -> Duration {
    let mut wait = FIRST;
    for _ in 1..failures {
        wait = (wait * FACTOR_TENTHS / 10).min(LONGEST);
        if wait == LONGEST {
            break;
        }
    }
    let nanos = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
    let spread = nanos / 100 * JITTER_HUNDREDTHS;
    Duration::from_nanos(nanos - spread / 2 + lot % spread.max(1))
}

/// A number by lot, from the seeds of the standard library's hash maps.
pub(crate) fn lot() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_stay_within_their_spread() {
        let mut previous = Duration::ZERO;
        for failures in 1..40 {
            let shortest = wait(failures, 0);
            let longest = wait(failures, u64::MAX);
            assert!(
                shortest >= previous && longest <= LONGEST * 11 / 10,
                "{failures}: {shortest:?} {longest:?}"
            );
            assert!(longest.saturating_sub(shortest) <= shortest);
            previous = shortest;
        }
    }
}
