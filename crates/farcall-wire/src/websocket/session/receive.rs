//! Messages in: which frame may come now, and what it does. Heads are in `receive_head`.

use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::frame::Frame;
use super::{Fault, Session, ending, frame, window};
use crate::event::{Event, Side, StreamId};
use crate::http2::{ErrorCode, Role};
use crate::stream::Half;
use crate::websocket::{self, CloseCode};

impl Session {
    /// Takes all of `input`. What it means is in the events. Large data that came in one piece is a
    /// slice of `input`.
    pub fn receive(&mut self, input: &mut BytesMut, now: Instant) {
        self.enter(now);
        if self.is_closed() {
            input.clear();
            return;
        }
        self.socket.receive(input, now);
        self.take_messages();
    }

    /// Asks the peer for a sign of life; [`Event::Pong`] tells of the answer.
    pub fn ping(&mut self, payload: [u8; 8]) {
        if self.socket.ping(&payload).is_ok() {
            self.pings_asked += 1;
        }
    }

    /// Acts on what the WebSocket has to tell.
    pub(super) fn take_messages(&mut self) {
        loop {
            while let Some(event) = self.socket.poll_event() {
                if self.is_closed() {
                    return;
                }
                if let Err(fault) = self.receive_event(event) {
                    self.fail(fault);
                }
            }
            if self.is_closed() || !self.socket.is_answering() {
                return;
            }
            // The peer's Close, or an error: there is nothing to be said before the answer to it.
            self.socket.fill(self.now);
        }
    }

    fn receive_event(&mut self, event: websocket::Event) -> Result<(), Fault> {
        use websocket::Event::{Binary, Close, Closed, Ping, Pong, Text, Writable};
        match event {
            Binary(message) => self.receive_message(message),
            Text(_) => Err(Fault {
                close: CloseCode::UNSUPPORTED,
                ..Fault::protocol("a text message, expected binary ones only")
            }),
            Pong(payload) => {
                self.receive_pong(&payload);
                Ok(())
            }
            Close { code, reason } => {
                self.receive_close(code, &reason);
                Ok(())
            }
            Closed { error } => {
                self.lost(error);
                Ok(())
            }
            Ping(_) | Writable => Ok(()),
        }
    }

    fn receive_message(&mut self, message: Bytes) -> Result<(), Fault> {
        let parsed = Frame::parse(message).map_err(Fault::protocol)?;
        if !matches!(parsed, Frame::Data { .. }) {
            self.empty_frames = 0;
        }
        match parsed {
            Frame::Head { stream, end, block } => self.receive_head(stream, end, &block),
            Frame::Data { stream, end, data } => self.receive_data(stream, end, data),
            Frame::Trailers { stream, block } => self.receive_trailers(stream, &block),
            Frame::Reset { stream, code } => self.receive_reset(stream, code),
            Frame::Credit { stream, octets } => self.receive_credit(stream, octets),
            Frame::GoAway { last, code, text } => self.receive_goaway(last, code, &text),
            Frame::Unknown => self.glitch("messages of an unknown kind"),
        }
    }

    fn receive_pong(&mut self, payload: &[u8]) {
        if payload == window::MEASURE {
            self.windows.answered(self.now);
        } else if payload == ending::DRAIN {
            self.finish_drain_after_pong();
        } else if let Ok(payload) = payload.try_into()
            && self.pings_asked > 0
        {
            self.pings_asked -= 1;
            self.events.push_back(Event::Pong { payload });
        }
    }

    fn receive_data(&mut self, id: u32, end: bool, data: Bytes) -> Result<(), Fault> {
        if self.is_idle(id) {
            return Err(Fault::protocol("DATA on a stream that was never opened"));
        }
        self.empty_frames = if data.is_empty() && !end { self.empty_frames + 1 } else { 0 };
        if self.empty_frames > self.limits.max_empty_frames {
            let reason = "too many empty DATA messages in a row";
            return Err(Fault::new(ErrorCode::EnhanceYourCalm, reason));
        }
        let Some(stream) = self.streams.get_mut(id) else { return self.late(id, "DATA") };
        match (stream.receive, stream.reset) {
            (Half::Body, _) => {}
            (Half::Head, _) => {
                return self.stream_error(id, ErrorCode::ProtocolError, "DATA before HEAD");
            }
            (Half::Ended, Some(Side::Local)) => return Ok(()),
            (Half::Ended, Some(Side::Remote)) => {
                return self.glitch("DATA behind the peer's own RESET");
            }
            (Half::Ended, None) => {
                let reason = "DATA behind the end of a stream";
                return self.stream_error(id, ErrorCode::StreamClosed, reason);
            }
        }
        if let Err((code, reason)) = self.charge(id, data.len(), end) {
            return self.stream_error(id, code, reason);
        }
        if data.is_empty() && !end {
            return Ok(());
        }
        let credit = data.len() as u32;
        self.events.push_back(Event::Data { stream: StreamId(id), data, credit, end });
        if end {
            if let Some(stream) = self.streams.get_mut(id) {
                stream.receive = Half::Ended;
            }
            self.settle_stream(id);
        }
        Ok(())
    }

    /// Charges data to the stream's window and to its content-length.
    fn charge(
        &mut self,
        id: u32,
        length: usize,
        end: bool,
    ) -> Result<(), (ErrorCode, &'static str)> {
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        if length > self.windows.window_of(&stream.window) as usize {
            let reason = "more DATA than the stream's window allows";
            return Err((ErrorCode::FlowControlError, reason));
        }
        if let Some(left) = &mut stream.content_left {
            *left = left
                .checked_sub(length as u64)
                .ok_or((ErrorCode::ProtocolError, "more content than content-length says"))?;
            if end && *left > 0 {
                let reason = "less content than content-length says";
                return Err((ErrorCode::ProtocolError, reason));
            }
        }
        stream.window.held += length as u32;
        if !end && let Some(octets) = self.windows.due(&mut stream.window) {
            frame::emit_credit(&mut self.socket, id, octets);
        }
        Ok(())
    }

    fn receive_reset(&mut self, id: u32, code: ErrorCode) -> Result<(), Fault> {
        if self.is_idle(id) {
            return Err(Fault::protocol("RESET on a stream that was never opened"));
        }
        let Some(entry) = self.streams.get(id) else { return self.late(id, "RESET") };
        if entry.is_closed() {
            return Ok(());
        }
        let answered = entry.send != Half::Head;
        let unprocessed = self.role == Role::Client && code == ErrorCode::RefusedStream;
        self.abort_stream(id, Side::Remote, code, "reset by the peer", unprocessed);
        self.settle_stream(id);
        if self.role == Role::Server && !answered {
            return self.count_reset();
        }
        Ok(())
    }

    /// A frame on a stream that is gone: it crossed our own end of the stream, or nobody needs it.
    pub(super) fn late(&mut self, id: u32, what: &'static str) -> Result<(), Fault> {
        if self.resets.contains(&id) || self.ending.is_behind_last(id) {
            return Ok(());
        }
        self.glitch(match what {
            "DATA" => "DATA on a stream that is closed",
            "RESET" => "RESET on a stream that is closed",
            _ => "HEAD or TRAILERS on a stream that is closed",
        })
    }

    /// Whether nobody has opened this stream yet.
    pub(super) fn is_idle(&self, id: u32) -> bool {
        if id.is_multiple_of(2) {
            return true;
        }
        match self.role {
            Role::Server => id > self.highest_peer,
            Role::Client => id >= self.next_local,
        }
    }
}
