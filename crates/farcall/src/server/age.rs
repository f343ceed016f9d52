//! How old a connection may become: its client comes back then, and a balancer in front of several servers can send it to
//! another one.
//!
//! Only the times are here; what is said to the client is the connection's business.

use std::time::{Duration, Instant};

/// How far the age of a connection is off the one that was set, up or down, in percent: connections that came together
/// must not come back together.
pub(crate) const SPREAD: u32 = 10;

/// How old the connections of a server become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aging {
    /// None: as old as they like.
    limit: Option<Duration>,
    /// How long calls under way may still take then.
    grace: Duration,
}

impl Aging {
    pub(crate) fn new(limit: Option<Duration>, grace: Duration) -> Self {
        Self { limit, grace }
    }

    /// The age of a connection that begins now. The number says where in the spread it is.
    pub(crate) fn begin(self, number: u64, now: Instant) -> Age {
        let due = self.limit.and_then(|limit| now.checked_add(spread(limit, number)));
        let end = due.and_then(|due| due.checked_add(self.grace));
        Age { due, end, stage: Stage::Young }
    }
}

/// The limit, within [`SPREAD`] of it. Multiples of the golden ratio's fraction are spread evenly, however many there are.
fn spread(limit: Duration, number: u64) -> Duration {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    /// Parts of the limit that the place in the spread is counted in.
    const PARTS: u32 = 1_000_000;
    let widest = PARTS / 100 * SPREAD;
    let place = ((number.wrapping_mul(GOLDEN) >> 32) * u64::from(2 * widest + 1)) >> 32;
    let place = u32::try_from(place).unwrap_or(widest);
    let part = limit / PARTS;
    limit.saturating_sub(part * widest).saturating_add(part * place)
}

/// How old a connection is, and what is due. By default, it stays for ever.
///
/// ```text
///   Young --due--> Leaving --end--> Over
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Age {
    due: Option<Instant>,
    end: Option<Instant>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Young,
    /// The client is being told, and calls under way go on.
    Leaving,
    Over,
}

/// What a connection is to do about its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Take no more requests.
    Leave,
    /// End what is still under way.
    End,
}

impl Age {
    /// When there is something to do.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Young => self.due,
            Stage::Leaving => self.end,
            Stage::Over => None,
        }
    }

    /// What is due now, once.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<Step> {
        if self.next_timeout()? > now {
            return None;
        }
        let (stage, step) = match self.stage {
            Stage::Young => (Stage::Leaving, Step::Leave),
            Stage::Leaving | Stage::Over => (Stage::Over, Step::End),
        };
        self.stage = stage;
        Some(step)
    }

    /// Whether the connection is to end.
    pub(crate) fn is_leaving(&self) -> bool {
        self.stage != Stage::Young
    }

    /// The age of a connection inside this one: it ends with it, and has not told anybody yet.
    pub(crate) fn of_inner(&self) -> Self {
        Self { stage: Stage::Young, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_within_a_tenth_of_the_limit_and_differ() {
        let second = Duration::from_secs(1);
        let limit = 1000 * second;
        let ages: Vec<_> = (0..10_000).map(|number| spread(limit, number)).collect();
        let within = 900 * second..=1100 * second;
        assert!(ages.iter().all(|age| within.contains(age)));
        // However many come one behind the other, each tenth of the spread gets its share of them.
        for come in ages.chunks(100) {
            for tenth in 0..10 {
                let from = (900 + 20 * tenth) * second;
                let there = from..from + 20 * second;
                let count = come.iter().filter(|age| there.contains(age)).count();
                assert!((8..=12).contains(&count), "{count} from {from:?}");
            }
        }
        for limit in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            assert!((0..100).all(|number| spread(limit, number) >= limit / 10 * 9));
        }
    }

    #[test]
    fn a_connection_leaves_when_it_is_due_and_ends_when_the_grace_is_over_each_once() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut age = Aging::new(Some(100 * second), 30 * second).begin(0, now);
        let due = age.next_timeout().unwrap();
        assert!(due > now + 89 * second);
        assert_eq!((age.handle_timeout(now + 89 * second), age.is_leaving()), (None, false));
        assert_eq!((age.handle_timeout(due), age.is_leaving()), (Some(Step::Leave), true));
        assert_eq!(age.of_inner().handle_timeout(due), Some(Step::Leave));
        assert_eq!(age.handle_timeout(due), None);
        assert_eq!(age.next_timeout(), Some(due + 30 * second));
        assert_eq!(age.handle_timeout(due + 30 * second), Some(Step::End));
        assert_eq!((age.next_timeout(), age.handle_timeout(due + 60 * second)), (None, None));
    }

    #[test]
    fn without_a_limit_or_with_one_beyond_all_clocks_nothing_is_ever_due() {
        let now = Instant::now();
        for limit in [None, Some(Duration::MAX)] {
            let mut age = Aging::new(limit, Duration::MAX).begin(7, now);
            assert_eq!((age.next_timeout(), age.handle_timeout(now)), (None, None));
        }
        assert_eq!(Age::default().next_timeout(), None);
        // A grace without end is kept, too.
        let mut age = Aging::new(Some(Duration::ZERO), Duration::MAX).begin(7, now);
        assert_eq!(age.handle_timeout(now), Some(Step::Leave));
        assert_eq!(age.next_timeout(), None);
    }
}
