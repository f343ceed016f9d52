//! Messages and control frames to bytes. A frame is written whole at once, so that others always
//! find the output at the end of one.

use bytes::BytesMut;

use super::Engine;
use crate::http2::Role;
use crate::websocket::frame::{FrameHead, MAX_CONTROL, OpCode, mask};
use crate::websocket::{CloseCode, SendError};

impl Engine {
    /// Sends a text message. Longer ones than a frame may be are sent in several.
    pub fn send_text(&mut self, text: &str) -> Result<(), SendError> {
        self.send(OpCode::Text, text.as_bytes())
    }

    /// Sends a binary message. Longer ones than a frame may be are sent in several.
    pub fn send_binary(&mut self, data: &[u8]) -> Result<(), SendError> {
        self.send(OpCode::Binary, data)
    }

    /// Asks the peer for a sign of life; [`Event::Pong`](super::super::Event::Pong) tells of the
    /// answer. Of `payload` the first 125 octets are sent.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.output.settle();
        if !self.takes_messages() {
            return Err(SendError::Closed);
        }
        self.emit_ping(payload);
        Ok(())
    }

    pub(super) fn emit_ping(&mut self, payload: &[u8]) {
        self.timers.asked();
        self.emit_frame(OpCode::Ping, true, false, &payload[..payload.len().min(MAX_CONTROL)]);
    }

    /// Writes the Close frame; the reason is cut to what fits.
    pub(super) fn emit_close(&mut self, code: Option<CloseCode>, reason: &str) {
        let Some(code) = code else { return self.emit_frame(OpCode::Close, true, false, &[]) };
        let mut payload = Vec::with_capacity(MAX_CONTROL);
        payload.extend_from_slice(&code.number().to_be_bytes());
        let end = reason.floor_char_boundary(MAX_CONTROL - payload.len());
        payload.extend_from_slice(&reason.as_bytes()[..end]);
        self.emit_frame(OpCode::Close, true, false, &payload);
    }

    /// Answers the Pings that came, unless the peer reads nothing. Nothing goes behind our Close.
    pub(super) fn flush_pongs(&mut self) {
        if self.pongs.is_empty() || !self.wants_input() || !self.takes_messages() {
            return;
        }
        for payload in std::mem::take(&mut self.pongs) {
            self.emit_frame(OpCode::Pong, true, false, &payload);
        }
    }

    /// A binary message of `length` octets that `write` appends, whatever waits already: for a layer
    /// that bounds the output by itself. Nothing happens when the WebSocket is closing.
    pub(in crate::websocket) fn push_binary(
        &mut self,
        length: usize,
        write: impl FnOnce(&mut BytesMut),
    ) {
        self.output.settle();
        if !self.takes_messages() {
            return;
        }
        self.flush_pongs();
        let compress = self.deflater.as_ref().is_some_and(|deflater| deflater.wants(length));
        if compress || length > self.config.limits.max_frame_size {
            let mut message = BytesMut::with_capacity(length);
            write(&mut message);
            return self.emit_message(OpCode::Binary, &message);
        }
        let key = self.begin_frame(OpCode::Binary, true, false, length);
        let start = self.output.buffer.len();
        write(&mut self.output.buffer);
        debug_assert_eq!(self.output.buffer.len() - start, length);
        if let Some(key) = key {
            mask(&mut self.output.buffer[start..], key, 0);
        }
    }

    /// Octets that wait to be written.
    pub(in crate::websocket) fn unsent(&self) -> usize {
        self.output.len()
    }

    fn send(&mut self, opcode: OpCode, message: &[u8]) -> Result<(), SendError> {
        self.output.settle();
        if !self.takes_messages() {
            return Err(SendError::Closed);
        }
        if self.send_room() == 0 {
            self.full = true;
            return Err(SendError::Full);
        }
        // What the peer asked before this is answered before it.
        self.flush_pongs();
        self.emit_message(opcode, message);
        Ok(())
    }

    /// A message in as many frames as it needs, compressed if that is agreed.
    fn emit_message(&mut self, opcode: OpCode, message: &[u8]) {
        let Some(deflater) =
            self.deflater.as_mut().filter(|deflater| deflater.wants(message.len()))
        else {
            return self.emit_frames(opcode, false, message);
        };
        let mut small = BytesMut::with_capacity(message.len() / 2);
        deflater.deflate(message, &mut small);
        self.emit_frames(opcode, true, &small);
    }

    fn emit_frames(&mut self, opcode: OpCode, compressed: bool, payload: &[u8]) {
        let (mut opcode, mut compressed, mut rest) = (opcode, compressed, payload);
        loop {
            let (piece, behind) = rest.split_at(rest.len().min(self.config.limits.max_frame_size));
            self.emit_frame(opcode, behind.is_empty(), compressed, piece);
            if behind.is_empty() {
                return;
            }
            (opcode, compressed, rest) = (OpCode::Continuation, false, behind);
        }
    }

    fn emit_frame(&mut self, opcode: OpCode, fin: bool, compressed: bool, payload: &[u8]) {
        let key = self.begin_frame(opcode, fin, compressed, payload.len());
        let start = self.output.buffer.len();
        self.output.buffer.extend_from_slice(payload);
        if let Some(key) = key {
            mask(&mut self.output.buffer[start..], key, 0);
        }
    }

    /// Writes a header; what follows is to be masked with the key, if there is one.
    fn begin_frame(
        &mut self,
        opcode: OpCode,
        fin: bool,
        compressed: bool,
        length: usize,
    ) -> Option<[u8; 4]> {
        let mask = (self.role == Role::Client).then(|| self.masks.next());
        self.output.buffer.reserve(FrameHead::MAX_SIZE + length);
        FrameHead { fin, rsv1: compressed, rsv23: 0, opcode, mask, length: length as u64 }
            .emit(&mut self.output.buffer);
        mask
    }

    /// Answers to Pings are of no use any more.
    pub(super) fn drop_pongs(&mut self) {
        self.pongs = std::collections::VecDeque::new();
    }
}
