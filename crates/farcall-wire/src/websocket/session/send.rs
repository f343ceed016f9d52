//! What the application sends: heads, data, trailers.

use std::iter;

use bytes::Bytes;

use super::block;
use super::frame::{self, MAX_STREAM_ID};
use super::{PEER_STREAMS, Session};
use crate::event::StreamId;
use crate::fields::Fields;
use crate::http2::{Gone, OpenError, Role};
use crate::stream::Half;

/// Three quarters of the odd numbers: beyond, a client drains rather than meet the end by surprise.
const LAST_OPENED: u32 = (MAX_STREAM_ID / 4 * 3) | 1;

impl Session {
    /// Opens a stream with a request head: pseudo-fields first (client). `end`: no data and no
    /// trailers follow.
    pub fn open(&mut self, head: &Fields, end: bool) -> Result<StreamId, OpenError> {
        self.check_open()?;
        if self.live >= PEER_STREAMS {
            self.open_blocked = true;
            return Err(OpenError::Concurrency);
        }
        let id = self.next_local;
        self.next_local += 2;
        // The head first: credit is for streams that the peer knows.
        self.emit_head(id, head, end);
        let mut stream = self.new_stream(id);
        stream.send = if end { Half::Ended } else { Half::Body };
        stream.head_request = head.iter().next().is_some_and(|method| method.value == b"HEAD");
        self.streams.insert(id, stream);
        self.live += 1;
        self.timers.busy();
        self.rates.credits.give(2);
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
        let entry = self.streams.get_mut(stream.0).ok_or(Gone)?;
        if entry.send != Half::Head {
            return Err(Gone);
        }
        let interim = head.iter().next().is_some_and(|status| status.value.first() == Some(&b'1'));
        if !interim {
            entry.send = if end { Half::Ended } else { Half::Body };
        }
        self.emit_head(stream.0, head, end && !interim);
        if end && !interim {
            self.settle_stream(stream.0);
        }
        Ok(())
    }

    /// Sends data: at once if the window and the output have room, else it is queued on the stream.
    pub fn send_data(&mut self, stream: StreamId, data: Bytes, end: bool) -> Result<(), Gone> {
        let (id, length) = (stream.0, data.len());
        let entry = self.streams.get_mut(id).filter(|entry| entry.takes_data()).ok_or(Gone)?;
        let backlog = self.socket.unsent() + length > self.limits.output_high_water;
        if entry.queued == 0 && (length == 0 || length <= entry.send_window as usize && !backlog) {
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
        let entry =
            self.streams.get_mut(stream.0).filter(|entry| entry.takes_data()).ok_or(Gone)?;
        if entry.queued > 0 {
            entry.trailers = Some(Box::new(fields.clone()));
            self.enqueue(stream.0);
            return Ok(());
        }
        entry.send = Half::Ended;
        self.emit_trailers(stream.0, fields);
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
        if self.crowded {
            let streams = (self.limits.max_concurrent_streams as usize).max(1);
            self.limits.max_unsent_connection / streams
        } else {
            self.limits.max_unsent_stream
        }
    }

    pub(super) fn emit_head(&mut self, id: u32, head: &Fields, end: bool) {
        self.block.clear();
        block::emit(head, &mut self.block);
        frame::emit_head(&mut self.socket, id, &self.block, end);
    }

    pub(super) fn emit_trailers(&mut self, id: u32, fields: &Fields) {
        self.block.clear();
        block::emit(fields, &mut self.block);
        frame::emit_trailers(&mut self.socket, id, &self.block);
    }

    /// Writes `data` as it is, in as many messages as it needs; the window has room for it.
    fn emit_data(&mut self, id: u32, data: &[u8], end: bool) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.send_window -= data.len() as u32;
        stream.sent += data.len() as u64;
        if end {
            stream.send = Half::Ended;
        }
        let mut rest = data;
        loop {
            let (piece, behind) =
                rest.split_at(rest.len().min(self.limits.max_frame_size as usize));
            rest = behind;
            let last = end && rest.is_empty();
            frame::emit_data(&mut self.socket, id, iter::once(piece), piece.len(), last);
            self.rates.credits.give(20);
            if rest.is_empty() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::websocket::SessionConfig;

    #[test]
    fn h26_a_client_drains_at_three_quarters_of_its_stream_numbers() {
        let mut client = Session::new(Role::Client, SessionConfig::default(), Instant::now());
        client.next_local = LAST_OPENED;
        let head = Fields::from_iter([(":method", "GET")]);
        assert_eq!(client.open(&head, true), Ok(StreamId(LAST_OPENED)));
        assert_eq!(client.open(&head, true), Err(OpenError::IdsExhausted));
        assert_eq!(client.open_room(), 0);
    }
}
