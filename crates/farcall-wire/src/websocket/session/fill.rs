//! Queued data to output: in turn among streams, as far as their windows allow.

use std::time::Instant;

use bytes::{Buf, Bytes};

use super::{Session, Stream, frame};
use crate::event::{Event, Side, StreamId};
use crate::http2::ErrorCode;
use crate::stream::Half;

/// How a stream's turn ended.
#[derive(PartialEq)]
enum Turn {
    /// It can send more, in its next turn.
    Again,
    /// Nothing to send, or its window is used up.
    Rest,
}

impl Session {
    /// Moves queued stream data into the output, in turn among the streams, up to the output's
    /// high-water mark.
    pub fn fill(&mut self, now: Instant) {
        self.enter(now);
        while self.socket.unsent() < self.limits.output_high_water {
            let Some(id) = self.ready.pop_front() else { break };
            if self.turn(id) == Turn::Again {
                self.ready.push_back(id);
                continue;
            }
            if let Some(stream) = self.streams.get_mut(id) {
                stream.ready = false;
            }
            self.settle_stream(id);
        }
        self.socket.fill(now);
        self.take_messages();
    }

    /// Puts a stream with something to send in the queue.
    pub(super) fn enqueue(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        self.timers.look_at(self.now + self.limits.no_progress_timeout);
        if !stream.ready {
            stream.ready = true;
            self.ready.push_back(id);
        }
    }

    /// Sends one frame of a stream's queue, or its end.
    fn turn(&mut self, id: u32) -> Turn {
        let max_frame = self.limits.max_frame_size as usize;
        let Some(stream) = self.streams.get_mut(id) else { return Turn::Rest };
        if stream.queued > 0 {
            let chunk = stream.queued.min(stream.send_window as usize).min(max_frame);
            if chunk == 0 {
                return Turn::Rest;
            }
            let small =
                chunk < self.limits.min_data_chunk && chunk < stream.queued && chunk < max_frame;
            if small && stream.sent > 0 {
                // A peer that dribbles its credit makes each octet cost a message.
                let since = *stream.small_since.get_or_insert(self.now);
                let until = since + self.limits.small_chunk_delay;
                if self.now < until {
                    self.timers.look_at(until);
                    return Turn::Rest;
                }
            }
            if !small {
                stream.small_since = None;
            }
            self.emit_queued(id, chunk);
        }
        self.end_turn(id)
    }

    /// Behind the data: trailers or the end, if they are due.
    fn end_turn(&mut self, id: u32) -> Turn {
        let Some(stream) = self.streams.get_mut(id) else { return Turn::Rest };
        if stream.queued > 0 {
            return Turn::Again;
        }
        if let Some(trailers) = stream.trailers.take() {
            stream.send = Half::Ended;
            self.emit_trailers(id, &trailers);
        } else if stream.end_queued && stream.send == Half::Body {
            stream.send = Half::Ended;
            frame::emit_data(&mut self.socket, id, std::iter::empty(), 0, true);
        }
        Turn::Rest
    }

    /// Writes `chunk` octets of a stream's queue as one frame, with the end if they are the last.
    fn emit_queued(&mut self, id: u32, chunk: usize) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let last = chunk == stream.queued && stream.end_queued;
        frame::emit_data(&mut self.socket, id, front(stream, chunk), chunk, last);
        let mut left = chunk;
        while let Some(piece) = stream.queue.front_mut()
            && left > 0
        {
            let taken = piece.len().min(left);
            piece.advance(taken);
            left -= taken;
            if piece.is_empty() {
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
        stream.send_window -= chunk as u32;
        stream.sent += chunk as u64;
        if last {
            stream.send = Half::Ended;
        }
        self.rates.credits.give(20);
        self.note_room(id, chunk);
    }

    /// Something was queued on a stream: is it full now, is the connection?
    pub(super) fn note_full(&mut self, id: u32) {
        self.crowded |= self.queued >= self.limits.max_unsent_connection;
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

    /// The connection's queues are half empty again: all streams have their full room back, and
    /// those with less than that queued are told. One above it still has none: it is told when it
    /// has.
    pub(super) fn relieve(&mut self) {
        if !self.crowded || self.queued > self.limits.max_unsent_connection / 2 {
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
    /// without progress are reset.
    pub(super) fn scan_waiting(&mut self) {
        self.timers.scan = None;
        let (now, small) = (self.now, self.limits.small_chunk_delay);
        let patience = self.limits.no_progress_timeout;
        let least = self.limits.min_progress.saturating_mul(patience.as_secs()) / 10;
        let mut stalled = Vec::new();
        for (id, stream) in self.streams.iter_mut() {
            if let Some(since) = stream.small_since {
                let due = since + small <= now;
                self.timers.look_at(if due { now + patience } else { since + small });
                if due && !stream.ready {
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
        self.abort_stream(id, Side::Local, ErrorCode::Cancel, reason, false);
        self.emit_reset(id, ErrorCode::Cancel, reason);
        self.settle_stream(id);
    }
}

/// The first `chunk` octets of a stream's queue, in pieces.
fn front(stream: &Stream, chunk: usize) -> impl Iterator<Item = &[u8]> {
    stream.queue.iter().scan(chunk, |left, piece: &Bytes| {
        let taken = piece.len().min(*left);
        *left -= taken;
        (taken > 0).then(|| &piece[..taken])
    })
}
