//! What the connections of this process may hold for their peers, all together.
//!
//! Each connection has bounds of its own, but ten thousand of them at their bounds are more than a machine has. So what a
//! connection holds above an allowance is charged here: messages whose rest has not come, and output that the peer does not
//! take. Charged per batch, by the difference, so that a connection of small calls never writes here. Knows numbers, no
//! connection and no stream.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use farcall_core::Status;
use farcall_socket::memory_limit;

/// The most bytes of a process that was told nothing else: 64 messages of the largest size.
const MOST: usize = 256 * 1024 * 1024;
/// Bytes that a connection holds without being charged: a full window of HTTP/2 in one direction.
pub(crate) const ALLOWANCE: usize = 64 * 1024;
/// Messages and replies up to this many bytes are taken however much the budget has left: small calls go on.
pub(crate) const SMALL: usize = 4 * 1024;

static PROCESS: LazyLock<Arc<Budget>> = LazyLock::new(|| {
    // The rest is the program's own, and what is not charged here.
    let limit = memory_limit().map(|limit| usize::try_from(limit / 10 * 6).unwrap_or(usize::MAX));
    Arc::new(Budget::new(limit.unwrap_or(MOST).min(MOST)))
});

/// A bound on bytes, and how many of them are held.
#[derive(Debug)]
pub(crate) struct Budget {
    held: AtomicUsize,
    bound: usize,
}

impl Budget {
    /// A budget of `bound` bytes.
    pub(crate) fn new(bound: usize) -> Self {
        Self { held: AtomicUsize::new(0), bound }
    }

    /// The one of the process: 256 MiB, or six tenths of what the control group of the process may have if that is less.
    pub(crate) fn of_process() -> Arc<Self> {
        Arc::clone(&PROCESS)
    }

    /// Bytes that may be held.
    pub(crate) fn bound(&self) -> usize {
        self.bound
    }

    /// What a call is told that does not fit.
    pub(crate) fn exhausted(&self) -> Status {
        Status::resource_exhausted(format!(
            "the server's memory budget for large messages, {} bytes, is used up",
            self.bound
        ))
    }

    /// More is held than should be.
    fn is_exceeded(&self) -> bool {
        self.held() > self.bound
    }

    // The count guards no other data: it needs no order among threads.
    fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Takes `bytes`; false: so much is not left, and nothing was taken.
    fn try_take(&self, bytes: usize) -> bool {
        let within = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.bound);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok()
    }

    fn take(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What one connection holds of a budget. Dropping it gives all back.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    messages: usize,
    output: usize,
    /// Both of them above the allowance.
    charged: usize,
}

impl Share {
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        Self { budget, messages: 0, output: 0, charged: 0 }
    }

    /// Unfinished messages hold `bytes`, which cannot be helped.
    pub(crate) fn set_messages(&mut self, bytes: usize) {
        self.set(bytes, self.output);
    }

    /// Unfinished messages would hold `bytes`. False: the budget has not so much left, and nothing has changed.
    #[must_use]
    pub(crate) fn try_messages(&mut self, bytes: usize) -> bool {
        self.try_set(bytes, self.output)
    }

    /// Unsent output holds `bytes`, which cannot be helped.
    pub(crate) fn set_output(&mut self, bytes: usize) {
        self.set(self.messages, bytes);
    }

    /// Unsent output would hold `bytes`. False: the budget has not so much left, and nothing has changed.
    #[must_use]
    pub(crate) fn try_output(&mut self, bytes: usize) -> bool {
        self.try_set(self.messages, bytes)
    }

    /// Whether another call may begin. Above the bound connections that are part of the reason begin none, so that those
    /// who hold nothing are still served; a quarter above it, nobody does.
    pub(crate) fn may_begin(&self) -> bool {
        let held = self.budget.held();
        let hard = self.budget.bound.saturating_add(self.budget.bound / 4);
        held <= self.budget.bound || self.charged == 0 && held <= hard
    }

    /// Whether a connection with so many bytes of `unsent` output may queue more of its streams.
    pub(crate) fn may_queue(&self, unsent: usize) -> bool {
        unsent <= ALLOWANCE || !self.budget.is_exceeded()
    }

    fn set(&mut self, messages: usize, output: usize) {
        let charge = charge(messages, output);
        if charge > self.charged {
            self.budget.take(charge - self.charged);
        } else if charge < self.charged {
            self.budget.give_back(self.charged - charge);
        }
        (self.messages, self.output, self.charged) = (messages, output, charge);
    }

    fn try_set(&mut self, messages: usize, output: usize) -> bool {
        let charge = charge(messages, output);
        if charge > self.charged {
            if !self.budget.try_take(charge - self.charged) {
                return false;
            }
            self.charged = charge;
        }
        self.set(messages, output);
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0, 0);
    }
}

fn charge(messages: usize, output: usize) -> usize {
    messages.saturating_add(output).saturating_sub(ALLOWANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    fn budget(bound: usize) -> Arc<Budget> {
        Arc::new(Budget::new(bound))
    }

    #[test]
    fn what_is_within_the_allowance_is_not_charged() {
        let budget = budget(0);
        let mut share = Share::new(Arc::clone(&budget));
        assert!(share.try_messages(40 * KIB) && share.try_output(24 * KIB));
        assert_eq!(budget.held(), 0);
        assert!(!share.try_output(24 * KIB + 1));
        assert_eq!((budget.held(), share.output), (0, 24 * KIB));
        assert!(share.may_begin() && share.may_queue(usize::MAX));
    }

    #[test]
    fn a_message_is_taken_up_to_the_last_byte_and_not_beyond() {
        let budget = budget(100 * KIB);
        let (mut one, mut other) =
            (Share::new(Arc::clone(&budget)), Share::new(Arc::clone(&budget)));
        assert!(one.try_messages(ALLOWANCE + 60 * KIB));
        assert!(!other.try_messages(ALLOWANCE + 40 * KIB + 1));
        assert!(other.try_messages(ALLOWANCE + 40 * KIB));
        assert_eq!(budget.held(), 100 * KIB);
        assert!(one.try_messages(ALLOWANCE), "less is always well");
        assert!(other.try_messages(ALLOWANCE + 100 * KIB));
        drop((one, other));
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn output_goes_beyond_the_bound_and_then_its_connection_begins_nothing() {
        let budget = budget(100 * KIB);
        let (mut slow, mut good) =
            (Share::new(Arc::clone(&budget)), Share::new(Arc::clone(&budget)));
        slow.set_output(ALLOWANCE + 100 * KIB);
        assert!(slow.may_begin() && slow.may_queue(ALLOWANCE + 1), "not above it");
        slow.set_output(ALLOWANCE + 100 * KIB + 1);
        assert!(!slow.may_begin() && !slow.may_queue(ALLOWANCE + 1));
        assert!(slow.may_queue(ALLOWANCE), "its own output has drained");
        assert!(good.may_begin() && good.may_queue(ALLOWANCE) && good.try_messages(ALLOWANCE));
        assert!(!good.try_output(SMALL));
        slow.set_output(ALLOWANCE + 125 * KIB + 1);
        assert!(!good.may_begin(), "a quarter above it");
        slow.set_output(0);
        assert!(good.may_begin() && slow.may_begin());
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn two_threads_take_no_more_than_there_is() {
        let budget = budget(50 * KIB);
        let shares: Vec<Share> = std::thread::scope(|scope| {
            let take = || {
                let mut share = Share::new(Arc::clone(&budget));
                for kib in 1..=50 {
                    let _ = share.try_messages(ALLOWANCE + kib * KIB);
                }
                share
            };
            let threads = [scope.spawn(take), scope.spawn(take)];
            threads.map(|thread| thread.join().expect("no panic")).into()
        });
        assert_eq!(budget.held(), 50 * KIB);
        drop(shares);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn the_failure_names_the_budget() {
        let status = budget(1234).exhausted();
        assert_eq!(status.code(), farcall_core::Code::ResourceExhausted);
        assert!(status.message().contains("memory budget"), "{status}");
        assert!(status.message().contains("1234 bytes"), "{status}");
    }
}
