//! The bytes on their way to the peer, in one buffer, and what of them was taken already.

use bytes::{BufMut, BytesMut};

use crate::fields::Fields;
use crate::hpack::Encoder;
use crate::http2::ErrorCode;
use crate::http2::frame::{
    Continuation, FrameHead, FrameKind, Headers, Ping, RstStream, WindowUpdate, flag,
};

/// Buffers up to this many octets are kept when idle.
const KEPT: usize = 512;

/// The output. Only the driver removes from it, and only from its front.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) buffer: BytesMut,
    /// The buffer's length when it was last handed to the driver.
    handed: Option<usize>,
    /// Octets that the driver has taken, in all.
    written: u64,
    /// Something was taken since this was last asked.
    progressed: bool,
    /// Control frames that are not written for sure, in two generations: the old ones are written
    /// when `written` reaches `old_end`.
    control_old: u32,
    control_new: u32,
    old_end: u64,
}

impl Output {
    /// Hands the buffer to the driver.
    pub(super) fn hand(&mut self) -> &mut BytesMut {
        self.settle();
        self.handed = Some(self.buffer.len());
        &mut self.buffer
    }

    /// Notes what the driver has taken. To be called before anything is appended.
    pub(super) fn settle(&mut self) {
        let Some(handed) = self.handed.take() else { return };
        let taken = handed.saturating_sub(self.buffer.len());
        if taken == 0 {
            return;
        }
        self.progressed = true;
        self.written += taken as u64;
        if self.written >= self.old_end {
            self.control_old = std::mem::take(&mut self.control_new);
            self.old_end = self.written + self.buffer.len() as u64;
        }
        if self.buffer.is_empty() {
            self.control_old = 0;
        }
    }

    /// Whether anything was taken since the last call.
    pub(super) fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progressed)
    }

    /// Control frames that the driver has not taken yet; may be too high, never too low.
    pub(super) fn unsent_control(&self) -> u32 {
        if self.buffer.is_empty() { 0 } else { self.control_old + self.control_new }
    }

    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn rst_stream(&mut self, stream: u32, code: ErrorCode) {
        RstStream { stream, code }.emit(self.control());
    }

    pub(super) fn window_update(&mut self, stream: u32, increment: u32) {
        WindowUpdate { stream, increment }.emit(self.control());
    }

    pub(super) fn ping(&mut self, ack: bool, payload: [u8; 8]) {
        Ping { ack, payload }.emit(self.control());
    }

    /// The buffer, for one control frame.
    pub(super) fn control(&mut self) -> &mut BytesMut {
        self.control_new += 1;
        &mut self.buffer
    }

    /// Writes a field block as HEADERS and, if a frame cannot hold it, CONTINUATIONs.
    pub(super) fn headers(
        &mut self,
        encoder: &mut Encoder,
        stream: u32,
        fields: &Fields,
        end: bool,
        max_frame: usize,
    ) {
        let start = self.buffer.len();
        self.buffer.put_bytes(0, FrameHead::SIZE);
        encoder.encode(fields, &mut self.buffer);
        let length = self.buffer.len() - start - FrameHead::SIZE;
        if length > max_frame {
            return self.split_headers(start, stream, end, max_frame);
        }
        let flags = if end { flag::END_HEADERS | flag::END_STREAM } else { flag::END_HEADERS };
        let head = FrameHead { length: length as u32, kind: FrameKind::Headers, flags, stream };
        self.buffer[start..start + FrameHead::SIZE].copy_from_slice(&head.to_octets());
    }

    /// Cuts the block that begins behind the head at `start` into frames.
    fn split_headers(&mut self, start: usize, stream: u32, end: bool, max_frame: usize) {
        let block = self.buffer.split_off(start + FrameHead::SIZE);
        self.buffer.truncate(start);
        let (first, rest) = block.split_at(max_frame);
        let headers = Headers {
            stream,
            end_stream: end,
            end_headers: false,
            priority: None,
            block: first,
            padding: None,
        };
        headers.emit(&mut self.buffer);
        let mut pieces = rest.chunks(max_frame).peekable();
        while let Some(block) = pieces.next() {
            Continuation { stream, end_headers: pieces.peek().is_none(), block }
                .emit(&mut self.buffer);
        }
    }

    /// Gives memory back when everything was written.
    pub(super) fn shrink(&mut self) {
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT {
            self.buffer = BytesMut::new();
        }
    }
}
