//! One end of a WebSocket.
//!
//! The files here are the concerns of one struct: bytes to frames (`receive`), frames to messages
//! (`assemble`), messages and control frames to bytes (`send`), the end (`ending`), time (`timer`).

mod assemble;
mod ending;
mod output;
mod receive;
mod send;
mod timer;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::deflate::{Deflater, Inflater};
use super::mask::MaskKeys;
use super::{Config, Event};
use crate::bucket::Bucket;
use crate::http2::Role;
use assemble::Message;
use ending::Ending;
use output::Output;
use receive::Reading;
use timer::Timers;

/// One end of a WebSocket after the handshake: bytes in, messages out; messages in, bytes out; one
/// timer.
///
/// A driver gives it one input ([`receive`](Self::receive)), drains the events
/// ([`poll_event`](Self::poll_event)), lets commands come of them, then [`fill`](Self::fill)s,
/// drains the events of that, writes the [`output`](Self::output), and sleeps until
/// [`next_timeout`](Self::next_timeout) at the latest. Pings are answered and the closing handshake
/// is completed by [`fill`](Self::fill): what the application answers to the messages before still
/// goes first.
#[derive(Debug)]
pub struct Engine {
    role: Role,
    config: Config,
    /// The time of the latest call that told it.
    now: Instant,
    output: Output,
    events: VecDeque<Event>,
    reading: Reading,
    /// The message whose frames are coming.
    message: Option<Message>,
    /// The payload of the control frame that is coming; at most 125 octets.
    control: Vec<u8>,
    inflater: Option<Box<Inflater>>,
    deflater: Option<Box<Deflater>>,
    masks: MaskKeys,
    /// Answers to Pings that `fill` has not written yet.
    pongs: VecDeque<Bytes>,
    pings: Bucket,
    /// A send failed for want of room.
    full: bool,
    ending: Ending,
    timers: Timers,
}

impl Engine {
    /// One end of a WebSocket whose handshake is done. A client masks what it sends and a server
    /// insists on that.
    pub fn new(role: Role, config: Config, now: Instant) -> Self {
        let (deflate, limits) = (config.deflate, &config.limits);
        Self {
            role,
            now,
            output: Output::default(),
            events: VecDeque::new(),
            reading: Reading::default(),
            message: None,
            control: Vec::new(),
            inflater: deflate
                .map(|agreed| Box::new(Inflater::new(agreed, limits.max_deflate_ends))),
            deflater: deflate.map(|agreed| Box::new(Deflater::new(agreed))),
            masks: MaskKeys::new(config.mask_seed),
            pongs: VecDeque::new(),
            pings: Bucket::new(limits.pings, now),
            full: false,
            ending: Ending::Open,
            timers: Timers::new(now),
            config,
        }
    }

    /// The next event, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The bytes to write. The driver removes what it has written from the front, and nothing else.
    pub fn output(&mut self) -> &mut BytesMut {
        self.output.hand()
    }

    /// Writes what waits for the end of a batch: answers to Pings, then the last word of a
    /// connection that ends.
    pub fn fill(&mut self, now: Instant) {
        self.enter(now);
        self.flush_pongs();
        self.finish_answering();
        self.note_stuck();
    }

    /// Octets that can be sent before it is too much; zero: wait for [`Event::Writable`], or the
    /// WebSocket is closing. A message that is longer than the room is still taken whole.
    pub fn send_room(&self) -> usize {
        if !self.takes_messages() {
            return 0;
        }
        self.config.limits.max_unsent.saturating_sub(self.output.len())
    }

    /// False: the peer does not read what it makes us answer; do not read from it either.
    pub fn wants_input(&self) -> bool {
        self.output.len() < self.config.limits.max_unsent
    }
}
