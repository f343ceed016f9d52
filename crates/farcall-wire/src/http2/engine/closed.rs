//! Which streams closed a short while ago, and how: late frames are judged by it (RFC 9113 section
//! 5.1).

use std::collections::VecDeque;

use crate::event::Side;

/// What a stream that is no longer in the map has been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// Both halves ended in good order.
    Ended,
    /// It was reset: by us, and then the peer may not know yet; or by the peer, which must know.
    Reset(Side),
    /// Nothing is known: it was skipped, or it is long ago.
    Unknown,
    /// It was reset so long ago that only its being possible is known.
    Forgotten,
}

/// Streams ended in good order that are remembered. Nobody honest sends on them: a few are enough
/// to name the error.
const ENDED: usize = 8;

/// The recently closed streams.
#[derive(Debug)]
pub(super) struct Closed {
    ended: [u32; ENDED],
    next_ended: usize,
    reset: VecDeque<(u32, Side)>,
    max_reset: usize,
    /// The highest stream that fell out of `reset`.
    forgotten: u32,
}

impl Closed {
    pub(super) fn new(max_reset: usize) -> Self {
        Self { ended: [0; ENDED], next_ended: 0, reset: VecDeque::new(), max_reset, forgotten: 0 }
    }

    /// Notes that `id` ended in good order.
    pub(super) fn note_ended(&mut self, id: u32) {
        self.ended[self.next_ended % ENDED] = id;
        self.next_ended = (self.next_ended + 1) % ENDED;
    }

    /// Notes that `id` was reset by `by`.
    pub(super) fn note_reset(&mut self, id: u32, by: Side) {
        if self.reset.len() >= self.max_reset {
            self.forget_oldest();
        }
        self.reset.push_back((id, by));
    }

    /// What is known of `id`.
    pub(super) fn past(&self, id: u32) -> Past {
        if let Some((_, by)) = self.reset.iter().rev().find(|(reset, _)| *reset == id) {
            return Past::Reset(*by);
        }
        if self.ended.contains(&id) {
            return Past::Ended;
        }
        if id <= self.forgotten { Past::Forgotten } else { Past::Unknown }
    }

    /// Lets the memory of resets go: the connection has been quiet for long.
    pub(super) fn shrink(&mut self) {
        while !self.reset.is_empty() {
            self.forget_oldest();
        }
        self.reset = VecDeque::new();
    }

    fn forget_oldest(&mut self) {
        if let Some((id, _)) = self.reset.pop_front() {
            self.forgotten = self.forgotten.max(id);
        }
    }
}
