//! One stream, in HTTP/2 and on a WebSocket alike: its two halves, its windows and what waits to be
//! sent on it. It sends and receives nothing itself.
//!
//! ```text
//!   receive half:  Head --head--> Body --its end, or trailers--> Ended
//!   send half:     Head --head--> Body --its end, or trailers--> Ended
//!   A reset by either side ends both halves.
//! ```
//! The protocol is through with a stream when both halves are `Ended`; the connection forgets it when
//! the application is through with it too (`held` is false). Windows are the protocol's: `W` bounds
//! what the peer sends, `C` counts what it lets us send.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use crate::event::Side;
use crate::fields::Fields;

/// How far one half of a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
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
pub(crate) struct Stream<W, C> {
    pub(crate) receive: Half,
    pub(crate) send: Half,
    /// Who reset it, if it was.
    pub(crate) reset: Option<Side>,
    /// The application has not called `done`.
    pub(crate) held: bool,
    /// The protocol's end has been counted.
    pub(crate) settled: bool,
    /// A response to HEAD has a content-length and no content.
    pub(crate) head_request: bool,
    /// No-progress timeouts do not apply.
    pub(crate) may_stall: bool,
    /// In the queue of streams that can send.
    pub(crate) ready: bool,
    /// `send_room` was zero: tell when it no longer is.
    pub(crate) full: bool,
    /// The end follows the queued data.
    pub(crate) end_queued: bool,
    /// Interim responses that came.
    pub(crate) informational: u32,
    /// What the peer may send.
    pub(crate) window: W,
    /// Content that must still come by content-length.
    pub(crate) content_left: Option<u64>,
    /// What the peer lets us send, in octets.
    pub(crate) send_window: C,
    /// Data octets sent.
    pub(crate) sent: u64,
    /// Data that waits for windows, and its length.
    pub(crate) queue: VecDeque<Bytes>,
    pub(crate) queued: usize,
    /// Trailers that follow the queued data.
    pub(crate) trailers: Option<Box<Fields>>,
    /// Since when data waits, and `sent` then.
    pub(crate) waiting: Option<(Instant, u64)>,
    /// Since when only a small chunk could be sent.
    pub(crate) small_since: Option<Instant>,
}

impl<W, C> Stream<W, C> {
    pub(crate) fn new(window: W, send_window: C) -> Self {
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
    pub(crate) fn is_closed(&self) -> bool {
        self.receive == Half::Ended && self.send == Half::Ended
    }

    /// Something waits to be sent: data, trailers or the end.
    pub(crate) fn has_unsent(&self) -> bool {
        self.queued > 0 || self.end_queued || self.trailers.is_some()
    }

    /// Data or trailers may still be given.
    pub(crate) fn takes_data(&self) -> bool {
        self.send == Half::Body && !self.end_queued && self.trailers.is_none()
    }

    /// Ends both halves at once and drops what waits to be sent; returns how many octets waited.
    pub(crate) fn abort(&mut self, by: Side) -> usize {
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
