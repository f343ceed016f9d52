//! What waits is moved into the output, as far as that has room.

use std::time::Instant;

use bytes::BytesMut;

use super::exchange::Sending;
use super::{Engine, Reading, Role};
use crate::event::{Event, StreamId};

impl Engine {
    /// The bytes to write. The driver removes what it has written from the front, and nothing else.
    pub fn output(&mut self) -> &mut BytesMut {
        self.output.hand()
    }

    /// Octets for the peer that have not been written: in the output, and queued behind it.
    pub fn unsent(&self) -> usize {
        self.output.len() + self.exchange.as_ref().map_or(0, |exchange| exchange.queued)
    }

    /// Lets everything leave that was held back for a better framing, and moves queued content into
    /// the output, up to its high-water mark. Requests that waited for room in the output are read
    /// now.
    pub fn fill(&mut self, now: Instant) {
        self.enter(now);
        self.fill_exchange();
        if self.role == Role::Server && matches!(self.reading, Reading::Head) {
            self.proceed();
        }
        self.note_output();
        self.finish_if_written();
    }

    fn fill_exchange(&mut self) {
        let Some(exchange) = &mut self.exchange else { return };
        match exchange.sending {
            Sending::Head if exchange.expects_continue => {
                exchange.expects_continue = false;
                self.output.buffer.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
            }
            Sending::Held => self.commit_head(None),
            _ => {}
        }
        self.pump();
    }

    /// Moves queued content into the output.
    pub(super) fn pump(&mut self) {
        let most = self.config.limits.output_high_water;
        while let Some(exchange) = &mut self.exchange
            && exchange.sending != Sending::Held
        {
            let room = most.saturating_sub(self.output.len());
            let Some(front) = exchange.queue.front_mut() else { break };
            let piece = match exchange.sending {
                Sending::Without => std::mem::take(front),
                _ if room == 0 => return,
                _ => front.split_to(front.len().min(room)),
            };
            if front.is_empty() {
                exchange.queue.pop_front();
            }
            exchange.queued -= piece.len();
            self.emit_data(&piece);
            self.note_room();
        }
        if let Some(exchange) = &self.exchange
            && exchange.end_queued
            && !matches!(exchange.sending, Sending::Held | Sending::Ended)
        {
            self.end_sending();
        }
    }

    /// Who waited for room is told when half of it is free.
    fn note_room(&mut self) {
        let most = self.config.limits.max_unsent;
        if let Some(exchange) = &mut self.exchange
            && exchange.full
            && exchange.queued <= most / 2
        {
            exchange.full = false;
            if exchange.takes_data() {
                self.events.push_back(Event::Writable { stream: StreamId(exchange.id) });
            }
        }
    }
}
