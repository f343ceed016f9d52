//! What the application sends: heads, data, trailers.

use bytes::Bytes;

use super::Engine;
use super::fill::octets;
use crate::event::StreamId;
use crate::fields::Fields;
use crate::http2::frame::MAX_STREAM_ID;
use crate::http2::{Gone, OpenError, Role};
use crate::stream::Half;

/// Three quarters of the odd numbers: beyond, a client drains rather than meet the end by surprise.
const LAST_OPENED: u32 = (MAX_STREAM_ID / 4 * 3) | 1;

impl Engine {
    /// Opens a stream with a request head: pseudo-fields first (client). `end`: no data and no
    /// trailers follow.
    pub fn open(&mut self, head: &Fields, end: bool) -> Result<StreamId, OpenError> {
        self.output.settle();
        self.check_open()?;
        if self.live >= self.peer.max_concurrent_streams as usize {
            self.open_blocked = true;
            return Err(OpenError::Concurrency);
        }
        let id = self.next_local;
        self.next_local += 2;
        let mut stream = self.new_stream();
        stream.send = if end { Half::Ended } else { Half::Body };
        stream.head_request = head.iter().next().is_some_and(|method| method.value == b"HEAD");
        self.emit_headers(id, head, end);
        self.streams.insert(id, stream);
        self.live += 1;
        self.timers.busy();
        self.rates.window_updates.give(2);
        Ok(StreamId(id))
    }

    /// Whether streams can be opened at all.
    pub(super) fn check_open(&self) -> Result<(), OpenError> {
        if self.is_closed() {
            return Err(OpenError::Closed);
        }
        if self.ending.is_draining() || self.role == Role::Server {
            return Err(OpenError::Draining);
        }
        if self.next_local > LAST_OPENED {
            return Err(OpenError::IdsExhausted);
        }
        Ok(())
    }

    /// Sends an interim or final response head, `:status` first (server). `end`: no data and no
    /// trailers follow.
    pub fn send_head(&mut self, stream: StreamId, head: &Fields, end: bool) -> Result<(), Gone> {
        self.output.settle();
        let entry = self.streams.get_mut(stream.0).ok_or(Gone)?;
        if entry.send != Half::Head {
            return Err(Gone);
        }
        let interim = head.iter().next().is_some_and(|status| status.value.first() == Some(&b'1'));
        if !interim {
            entry.send = if end { Half::Ended } else { Half::Body };
        }
        self.emit_headers(stream.0, head, end && !interim);
        if end && !interim {
            self.settle_stream(stream.0);
        }
        Ok(())
    }

    /// Sends data: at once if windows and output have room, else it is queued on the stream.
    pub fn send_data(&mut self, stream: StreamId, data: Bytes, end: bool) -> Result<(), Gone> {
        self.output.settle();
        let (id, length) = (stream.0, data.len());
        let entry = self.streams.get_mut(id).filter(|entry| entry.takes_data()).ok_or(Gone)?;
        let room = entry.send_window.min(self.send_window);
        let backlog = self.output.len() + length > self.config.limits.output_high_water;
        if entry.queued == 0 && (length == 0 || octets(length) <= room && !backlog) {
            if length > 0 || end {
                self.emit_data(id, &data, end);
            }
            if end {
                self.settle_stream(id);
            }
            return Ok(());
        }
        entry.end_queued = end;
        if length > 0 {
            if entry.queued == 0 {
                entry.waiting = Some((self.now, entry.sent));
            }
            entry.queued += length;
            entry.queue.push_back(data);
            self.queued += length;
            self.note_full(id);
        }
        self.enqueue(id);
        Ok(())
    }

    /// Sends trailers behind all data, and with them the end. Without fields only the end is sent.
    pub fn send_trailers(&mut self, stream: StreamId, fields: &Fields) -> Result<(), Gone> {
        if fields.is_empty() {
            return self.send_data(stream, Bytes::new(), true);
        }
        self.output.settle();
        let entry =
            self.streams.get_mut(stream.0).filter(|entry| entry.takes_data()).ok_or(Gone)?;
        if entry.queued > 0 {
            entry.trailers = Some(Box::new(fields.clone()));
            self.enqueue(stream.0);
            return Ok(());
        }
        entry.send = Half::Ended;
        self.emit_headers(stream.0, fields, true);
        self.settle_stream(stream.0);
        Ok(())
    }

    /// Octets that the stream takes before it is full. Zero: wait for
    /// [`Event::Writable`](crate::Event::Writable), or the stream takes none at all.
    pub fn send_room(&self, stream: StreamId) -> usize {
        match self.streams.get(stream.0) {
            Some(entry) if entry.takes_data() => self.room_limit().saturating_sub(entry.queued),
            _ => 0,
        }
    }

    /// What a stream may queue: its limit, or its share of the connection's if that is used up.
    pub(super) fn room_limit(&self) -> usize {
        let limits = &self.config.limits;
        if self.crowded {
            limits.max_unsent_connection / (limits.max_concurrent_streams as usize).max(1)
        } else {
            limits.max_unsent_stream
        }
    }

    /// Writes a field block.
    pub(super) fn emit_headers(&mut self, id: u32, fields: &Fields, end: bool) {
        let max_frame = self.max_frame();
        self.output.headers(&mut self.encoder, id, fields, end, max_frame);
        self.pings_excused = true;
    }

    /// Octets of payload that we put into a frame: what the peer takes, and not so much that others
    /// starve.
    pub(super) fn max_frame(&self) -> usize {
        self.peer.max_frame_size.min(self.config.limits.max_frame_size) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::http2::Config;

    #[test]
    fn h26_a_client_drains_at_three_quarters_of_its_stream_numbers() {
        let mut client = Engine::new(Role::Client, Config::default(), Instant::now());
        client.next_local = LAST_OPENED;
        let head = Fields::from_iter([(":method", "GET")]);
        assert_eq!(client.open(&head, true), Ok(StreamId(LAST_OPENED)));
        assert_eq!(client.open(&head, true), Err(OpenError::IdsExhausted));
        assert_eq!(client.open_room(), 0);
    }
}
