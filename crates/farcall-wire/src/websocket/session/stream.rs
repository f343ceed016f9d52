//! One stream: its two halves, its windows and what waits to be sent on it.
//!
//! ```text
//!   receive half:  Head --HEAD--> Body --end of HEAD or DATA, TRAILERS--> Ended
//!   send half:     Head --HEAD--> Body --end of HEAD or DATA, TRAILERS--> Ended
//!   RESET of either side ends both halves.
//! ```
//! The protocol is through with a stream when both halves are `Ended`; the session forgets it when
//! the application is through with it too (`held` is false).

use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Instant;

use bytes::Bytes;

use super::window::StreamWindow;
use crate::event::Side;
use crate::fields::Fields;

/// How far one half of a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    /// The head has not come yet.
    Head,
    /// Data and trailers may come.
    Body,
    /// Nothing more comes.
    Ended,
}

/// A stream that the protocol or the application still holds.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own; no two of them make a state
pub(super) struct Stream {
    pub(super) receive: Half,
    pub(super) send: Half,
    /// Who reset it, if it was.
    pub(super) reset: Option<Side>,
    /// The application has not called `done`.
    pub(super) held: bool,
    /// The protocol's end has been counted.
    pub(super) settled: bool,
    /// A response to HEAD has a content-length and no content.
    pub(super) head_request: bool,
    /// No-progress timeouts do not apply.
    pub(super) may_stall: bool,
    /// In the queue of streams that can send.
    pub(super) ready: bool,
    /// `send_room` was zero: tell when it no longer is.
    pub(super) full: bool,
    /// The end follows the queued data.
    pub(super) end_queued: bool,
    /// Interim responses that came.
    pub(super) informational: u32,
    /// What the peer may send.
    pub(super) window: StreamWindow,
    /// Content that must still come by content-length.
    pub(super) content_left: Option<u64>,
    /// What the peer lets us send, in octets.
    pub(super) send_window: u32,
    /// Data octets sent.
    pub(super) sent: u64,
    /// Data that waits for the window, and its length.
    pub(super) queue: VecDeque<Bytes>,
    pub(super) queued: usize,
    /// Trailers that follow the queued data.
    pub(super) trailers: Option<Box<Fields>>,
    /// Since when data waits, and `sent` then.
    pub(super) waiting: Option<(Instant, u64)>,
    /// Since when only a small chunk could be sent.
    pub(super) small_since: Option<Instant>,
}

impl Stream {
    pub(super) fn new(window: StreamWindow, send_window: u32) -> Self {
        Self {
            receive: Half::Head,
            send: Half::Head,
            reset: None,
            held: true,
            settled: false,
            head_request: false,
            may_stall: false,
            ready: false,
            full: false,
            end_queued: false,
            informational: 0,
            window,
            content_left: None,
            send_window,
            sent: 0,
            queue: VecDeque::new(),
            queued: 0,
            trailers: None,
            waiting: None,
            small_since: None,
        }
    }

    /// Both halves ended.
    pub(super) fn is_closed(&self) -> bool {
        self.receive == Half::Ended && self.send == Half::Ended
    }

    /// Something waits to be sent: data, trailers or the end.
    pub(super) fn has_unsent(&self) -> bool {
        self.queued > 0 || self.end_queued || self.trailers.is_some()
    }

    /// Data or trailers may still be given.
    pub(super) fn takes_data(&self) -> bool {
        self.send == Half::Body && !self.end_queued && self.trailers.is_none()
    }

    /// Ends both halves at once and drops what waits to be sent; returns how many octets waited.
    pub(super) fn abort(&mut self, by: Side) -> usize {
        self.receive = Half::Ended;
        self.send = Half::Ended;
        self.reset = Some(by);
        self.queue = VecDeque::new();
        self.trailers = None;
        self.end_queued = false;
        self.waiting = None;
        self.small_since = None;
        std::mem::take(&mut self.queued)
    }
}

/// Spreads stream numbers over the table. The peer picks the numbers, but only as many as its slots
/// allow.
pub(super) type IdHasher = BuildHasherDefault<NumberHasher>;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(self.0 as u32 ^ u32::from(byte));
        }
    }

    fn write_u32(&mut self, id: u32) {
        // Fibonacci hashing: the table takes its slot from the low bits and its tag from the high
        // ones.
        self.0 = (u64::from(id) >> 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
