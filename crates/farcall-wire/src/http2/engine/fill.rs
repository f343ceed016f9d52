//! Queued data to output: in turn among streams, as far as windows allow (RFC 9113 section 5.2).

use std::time::Instant;

use bytes::{Buf, BufMut, BytesMut};

use super::{Engine, Stream};
use crate::event::{Event, StreamId};
use crate::http2::ErrorCode;
use crate::http2::frame::{FrameHead, FrameKind, flag};
use crate::stream::Half;

/// How a stream's turn ended.
enum Turn {
    /// It can send more, in its next turn.
    Again,
    /// The connection's window is used up.
    ConnectionBlocked,
    /// Nothing to send, or the stream's own window is used up.
    Rest,
}

impl Engine {
    /// The bytes to write. The driver removes what it has written from the front, and nothing else.
    pub fn output(&mut self) -> &mut BytesMut {
        self.output.hand()
    }

    /// Octets for the peer that have not been written: in the output, and queued on streams.
    pub fn unsent(&self) -> usize {
        self.output.len() + self.queued
    }

    /// Moves queued stream data into the output, in turn among the streams, up to the output's
    /// high-water mark.
    pub fn fill(&mut self, now: Instant) {
        self.enter(now);
        while self.output.len() < self.config.limits.output_high_water {
            let Some(id) = self.ready.pop_front() else { break };
            match self.turn(id) {
                Turn::Again => self.ready.push_back(id),
                Turn::ConnectionBlocked => self.window_blocked.push_back(id),
                Turn::Rest => {
                    if let Some(stream) = self.streams.get_mut(id) {
                        stream.ready = false;
                    }
                    self.settle_stream(id);
                }
            }
        }
        self.note_stuck();
    }

    /// Puts a stream with something to send in the queue.
    pub(super) fn enqueue(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        self.timers.look_at(self.now + self.config.limits.no_progress_timeout);
        if !stream.ready {
            stream.ready = true;
            self.ready.push_back(id);
        }
    }

    /// Sends one frame of a stream's queue, or its end.
    fn turn(&mut self, id: u32) -> Turn {
        let (now, max_frame) = (self.now, self.max_frame());
        let Some(stream) = self.streams.get_mut(id) else { return Turn::Rest };
        if stream.queued > 0 {
            let room = stream.send_window.min(self.send_window);
            let chunk = usize::try_from(room).unwrap_or(0).min(stream.queued).min(max_frame);
            let limits = &self.config.limits;
            let small = chunk < limits.min_data_chunk && chunk < stream.queued && chunk < max_frame;
            if small && stream.sent > 0 && chunk > 0 {
                let until = *stream.small_since.get_or_insert(now) + limits.small_chunk_delay;
                if now < until {
                    self.timers.look_at(until);
                    return if self.send_window <= octets(chunk) {
                        Turn::ConnectionBlocked
                    } else {
                        Turn::Rest
                    };
                }
            }
            if chunk == 0 {
                return if self.send_window <= 0 { Turn::ConnectionBlocked } else { Turn::Rest };
            }
            if !small {
                stream.small_since = None;
            }
            self.emit_queued(id, chunk);
        }
        self.end_turn(id)
    }

    /// Behind the data: trailers, if there are any.
    fn end_turn(&mut self, id: u32) -> Turn {
        let Some(stream) = self.streams.get_mut(id) else { return Turn::Rest };
        if stream.queued > 0 {
            return Turn::Again;
        }
        if let Some(trailers) = stream.trailers.take() {
            stream.send = Half::Ended;
            self.emit_headers(id, &trailers, true);
        } else if stream.end_queued && stream.send == Half::Body {
            self.emit_data(id, &[], true);
        }
        Turn::Rest
    }

    /// Writes `chunk` octets of a stream's queue as one frame, with `END_STREAM` if they are the
    /// last.
    fn emit_queued(&mut self, id: u32, chunk: usize) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let last = chunk == stream.queued && stream.end_queued;
        let flags = if last { flag::END_STREAM } else { 0 };
        FrameHead { length: chunk as u32, kind: FrameKind::Data, flags, stream: id }
            .emit(&mut self.output.buffer);
        let mut left = chunk;
        while left > 0 {
            let Some(front) = stream.queue.front_mut() else { break };
            let piece = front.len().min(left);
            self.output.buffer.put_slice(&front[..piece]);
            front.advance(piece);
            left -= piece;
            if front.is_empty() {
                stream.queue.pop_front();
            }
        }
        stream.queued -= chunk;
        self.queued -= chunk;
        if stream.queued == 0 {
            stream.queue = std::collections::VecDeque::new();
            stream.waiting = None;
            stream.small_since = None;
        }
        Self::charge(stream, &mut self.send_window, chunk, last);
        self.note_sent(1);
        self.note_room(id, chunk);
    }

    /// Writes `data` as it is, in as many frames as it needs; the windows have room for it.
    pub(super) fn emit_data(&mut self, id: u32, data: &[u8], end: bool) {
        let max_frame = self.max_frame();
        let Some(stream) = self.streams.get_mut(id) else { return };
        Self::charge(stream, &mut self.send_window, data.len(), end);
        let mut rest = data;
        let mut frames = 0;
        loop {
            let (piece, behind) = rest.split_at(rest.len().min(max_frame));
            rest = behind;
            let flags = if end && rest.is_empty() { flag::END_STREAM } else { 0 };
            let length = piece.len() as u32;
            FrameHead { length, kind: FrameKind::Data, flags, stream: id }
                .emit(&mut self.output.buffer);
            self.output.buffer.put_slice(piece);
            frames += 1;
            if rest.is_empty() {
                break;
            }
        }
        self.note_sent(frames);
    }

    fn charge(stream: &mut Stream, connection_window: &mut i64, sent: usize, end: bool) {
        stream.send_window -= octets(sent);
        *connection_window -= octets(sent);
        stream.sent += sent as u64;
        if end {
            stream.send = Half::Ended;
        }
    }

    /// DATA frames were sent: they earn `WINDOW_UPDATE`s, and excuse PINGs.
    fn note_sent(&mut self, frames: u32) {
        self.rates.window_updates.give(20 * frames);
        self.pings_excused = true;
    }

    /// Something was queued on a stream: is it full now, is the connection?
    pub(super) fn note_full(&mut self, id: u32) {
        self.crowded |= self.queued >= self.config.limits.max_unsent_connection;
        let limit = self.room_limit();
        if let Some(stream) = self.streams.get_mut(id) {
            stream.full |= stream.queued >= limit;
        }
    }

    /// `sent` octets left a stream's queue: who waited for room is told when half of the room is
    /// free.
    fn note_room(&mut self, id: u32, sent: usize) {
        let limit = self.room_limit();
        if let Some(stream) = self.streams.get_mut(id) {
            // In a crowded connection a stream that was not full may have lost its room to others.
            let crossed = self.crowded && stream.queued < limit && stream.queued + sent >= limit;
            if stream.full && stream.queued <= limit / 2 || crossed {
                stream.full = false;
                self.events.push_back(Event::Writable { stream: StreamId(id) });
            }
        }
        self.relieve();
    }

    /// The connection's queues are half empty again: all streams have their full room back, and those
    /// with less than that queued are told. One above it still has none: it is told when it has.
    pub(super) fn relieve(&mut self) {
        let limits = &self.config.limits;
        if !self.crowded || self.queued > limits.max_unsent_connection / 2 {
            return;
        }
        let share = self.room_limit();
        self.crowded = false;
        let limit = self.room_limit();
        for (id, stream) in self.streams.iter_mut() {
            if stream.takes_data() && stream.queued >= share {
                stream.full = stream.queued >= limit;
                if !stream.full {
                    self.events.push_back(Event::Writable { stream: StreamId(id) });
                }
            }
        }
    }

    /// Looks at all streams with queued data: small chunks that waited long enough go, streams
    /// without progress end.
    pub(super) fn scan_waiting(&mut self) {
        let (now, limits) = (self.now, &self.config.limits);
        let (small, patience) = (limits.small_chunk_delay, limits.no_progress_timeout);
        let least = limits.min_progress.saturating_mul(patience.as_secs()) / 10;
        self.timers.scan = None;
        self.ready.append(&mut self.window_blocked);
        let mut stalled = Vec::new();
        for (id, stream) in self.streams.iter_mut() {
            if let Some(since) = stream.small_since {
                self.timers.look_at(if since + small > now {
                    since + small
                } else {
                    now + patience
                });
                if since + small <= now && !stream.ready {
                    stream.ready = true;
                    self.ready.push_back(id);
                }
            }
            let Some((since, sent)) = stream.waiting else { continue };
            if since + patience > now {
                self.timers.look_at(since + patience);
            } else if stream.sent - sent >= least || stream.may_stall {
                stream.waiting = Some((now, stream.sent));
                self.timers.look_at(now + patience);
            } else {
                stalled.push(id);
            }
        }
        for id in stalled {
            self.reap(id);
        }
    }

    /// The peer took next to nothing for too long, while what it does not take is kept here.
    fn reap(&mut self, id: u32) {
        let reason = "the peer's window stood still for too long";
        self.abort_stream(id, crate::event::Side::Local, ErrorCode::Cancel, reason, false);
        self.output.rst_stream(id, ErrorCode::Cancel);
        self.settle_stream(id);
    }

    fn note_stuck(&mut self) {
        let waits = self.output.len() > 0;
        self.timers.note_output(waits, self.now);
    }
}

/// A length as windows count it.
pub(super) fn octets(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
