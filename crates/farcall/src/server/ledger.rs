//! What unfinished messages may hold of a connection's memory.
//!
//! A window bounds what waits to be read, not what one message collects: for the rest of a large message to come, its
//! beginning has to be given back to the window. So the beginnings are charged here, and when all of a connection
//! together are above the bound, only the oldest stream goes on: one message at least always gets whole. What they hold is
//! charged to the process as well, smaller beginnings included. Knows numbers, no stream and no engine.

use std::collections::BTreeMap;

use farcall_wire::event::StreamId;

use crate::budget::SMALL;
use crate::link::LARGE;

/// Bytes of unfinished messages per connection: two uploads of the default size go on side by side.
pub(crate) const BOUND: usize = 8 * 1024 * 1024;

/// The unfinished messages of one connection.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Bytes in all accounts.
    total: usize,
    /// Those of large messages.
    large: usize,
    accounts: BTreeMap<StreamId, Account>,
}

#[derive(Debug, Default)]
struct Account {
    /// More than [`SMALL`].
    unfinished: usize,
    /// Credit that the peer gets when there is room again.
    withheld: u32,
}

impl Ledger {
    /// The stream has `unfinished` bytes and could give back `due`. Returns what it gives back now.
    pub(crate) fn settle(&mut self, stream: StreamId, unfinished: usize, due: u32) -> u32 {
        if unfinished <= SMALL {
            return self.close(stream).saturating_add(due);
        }
        let account = self.accounts.entry(stream).or_default();
        self.total = self.total - account.unfinished + unfinished;
        self.large = self.large - large(account.unfinished) + large(unfinished);
        account.unfinished = unfinished;
        account.withheld = account.withheld.saturating_add(due);
        self.take(stream)
    }

    /// Bytes that unfinished messages hold, without those of at most [`SMALL`] bytes.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// The stream collects nothing any more. Returns what was withheld from it.
    pub(crate) fn close(&mut self, stream: StreamId) -> u32 {
        // Nearly always there is no account: most messages come whole.
        if self.accounts.is_empty() {
            return 0;
        }
        let account = self.accounts.remove(&stream).unwrap_or_default();
        self.total -= account.unfinished;
        self.large -= large(account.unfinished);
        account.withheld
    }

    /// A stream that may go on again, with what it gives back. Ask until there is none.
    pub(crate) fn thaw(&mut self) -> Option<(StreamId, u32)> {
        let withheld = self.accounts.iter().find(|(_, account)| account.withheld > 0);
        let stream = *withheld?.0;
        let due = self.take(stream);
        (due > 0).then_some((stream, due))
    }

    fn take(&mut self, stream: StreamId) -> u32 {
        let Some(account) = self.accounts.get(&stream) else { return 0 };
        if self.large > BOUND && large(account.unfinished) > 0 && self.oldest() != Some(stream) {
            return 0;
        }
        self.accounts.get_mut(&stream).map_or(0, |account| std::mem::take(&mut account.withheld))
    }

    fn oldest(&self) -> Option<StreamId> {
        let oldest = self.accounts.iter().find(|(_, account)| large(account.unfinished) > 0);
        oldest.map(|(stream, _)| *stream)
    }
}

/// What counts for the bound: up to a stream's first window nothing is held that the window has not bounded already.
fn large(unfinished: usize) -> usize {
    if unfinished > LARGE { unfinished } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;
    const STREAMS: [StreamId; 3] = [StreamId(1), StreamId(3), StreamId(5)];

    #[test]
    fn small_messages_give_back_at_once() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.settle(STREAMS[0], LARGE, 7), 7);
        assert_eq!(ledger.settle(STREAMS[1], 0, 0), 0);
        assert_eq!(ledger.settle(STREAMS[2], SMALL, 3), 3);
        assert_eq!((ledger.total(), ledger.large), (LARGE, 0), "what is not small is counted");
        assert_eq!(ledger.settle(STREAMS[0], SMALL, 0), 0);
        assert!(ledger.accounts.is_empty());
        assert_eq!(ledger.total(), 0);
    }

    #[test]
    fn a_beginning_within_the_first_window_neither_waits_nor_makes_others_wait() {
        let mut ledger = Ledger::default();
        ledger.settle(STREAMS[0], LARGE, 0);
        ledger.settle(STREAMS[1], BOUND - MIB, 0);
        assert_eq!(ledger.settle(STREAMS[2], 2 * MIB, 5), 0);
        assert_eq!(ledger.settle(STREAMS[1], BOUND, 6), 6, "the oldest large one");
        assert_eq!(ledger.settle(STREAMS[0], LARGE - 1, 7), 7, "it is not large");
        assert_eq!(ledger.total(), BOUND + 2 * MIB + LARGE - 1);
        assert_eq!(ledger.close(STREAMS[1]), 0);
        assert_eq!(ledger.thaw(), Some((STREAMS[2], 5)));
    }

    #[test]
    fn two_large_messages_go_on_side_by_side() {
        let mut ledger = Ledger::default();
        for size in 1..=4 {
            assert_eq!(ledger.settle(STREAMS[0], size * MIB, 9), 9);
            assert_eq!(ledger.settle(STREAMS[1], size * MIB, 9), 9);
        }
    }

    #[test]
    fn above_the_bound_only_the_oldest_goes_on_and_the_others_follow() {
        let mut ledger = Ledger::default();
        for stream in STREAMS {
            ledger.settle(stream, 2 * MIB, 0);
        }
        assert_eq!(ledger.settle(STREAMS[1], 5 * MIB, 1), 0);
        assert_eq!(ledger.settle(STREAMS[2], 3 * MIB, 2), 0);
        assert_eq!(ledger.settle(STREAMS[0], 3 * MIB, 3), 3, "the oldest");
        assert_eq!(ledger.thaw(), None);
        assert_eq!(ledger.close(STREAMS[0]), 0);
        assert_eq!(ledger.thaw(), Some((STREAMS[1], 1)));
        assert_eq!(ledger.thaw(), Some((STREAMS[2], 2)));
        assert_eq!(ledger.thaw(), None);
        assert_eq!((ledger.close(STREAMS[1]), ledger.close(STREAMS[2]), ledger.total), (0, 0, 0));
    }
}
