//! Frames to messages (RFC 6455 section 5.4): fragments put together, decompressed, and text judged
//! octet by octet.

use bytes::{Buf, Bytes, BytesMut};

use super::Engine;
use crate::limits::WebSocketLimits;
use crate::websocket::deflate::Inflater;
use crate::websocket::error::Fault;
use crate::websocket::frame::{FrameHead, OpCode};
use crate::websocket::utf8::Utf8;
use crate::websocket::{CloseCode, Event};

/// A message whose end has not come.
#[derive(Debug)]
pub(super) struct Message {
    /// `Some` of text: the judgement so far.
    text: Option<Utf8>,
    compressed: bool,
    /// What of it is here, decompressed.
    bytes: BytesMut,
    /// Octets of its frames, as their headers say.
    announced: u64,
    fragments: u32,
    /// Empty ones in a row.
    empty: u32,
}

impl Message {
    fn new(text: bool, compressed: bool) -> Self {
        Self {
            text: text.then(Utf8::default),
            compressed,
            bytes: BytesMut::new(),
            announced: 0,
            fragments: 0,
            empty: 0,
        }
    }

    /// Takes the next octets.
    fn push(
        &mut self,
        piece: &[u8],
        inflater: Option<&mut Inflater>,
        limit: usize,
    ) -> Result<(), Fault> {
        let before = self.bytes.len();
        match inflater.filter(|_| self.compressed) {
            Some(inflater) => inflater.inflate(piece, &mut self.bytes, limit)?,
            None => self.bytes.extend_from_slice(piece),
        }
        self.judge(before)
    }

    /// The last octets were taken.
    fn finish(
        mut self,
        inflater: Option<&mut Inflater>,
        limit: usize,
    ) -> Result<(bool, Bytes), Fault> {
        if let Some(inflater) = inflater.filter(|_| self.compressed) {
            let before = self.bytes.len();
            inflater.finish(&mut self.bytes, limit)?;
            self.judge(before)?;
        }
        if self.text.is_some_and(|text| !text.is_complete()) {
            return Err(not_utf8());
        }
        Ok((self.text.is_some(), self.bytes.freeze()))
    }

    fn judge(&mut self, from: usize) -> Result<(), Fault> {
        match &mut self.text {
            Some(text) => text.push(&self.bytes[from..]).map_err(|_| not_utf8()),
            None => Ok(()),
        }
    }

    /// Another frame of it begins: is it one too many?
    fn count(&mut self, head: FrameHead, limits: &WebSocketLimits) -> Result<(), Fault> {
        self.fragments += 1;
        if self.fragments > limits.max_fragments {
            return Err(Fault::new(
                CloseCode::POLICY,
                format!("a message of more than {} frames", limits.max_fragments),
            ));
        }
        self.empty = if head.length == 0 && !head.fin { self.empty + 1 } else { 0 };
        if self.empty > limits.max_empty_fragments {
            return Err(Fault::new(CloseCode::POLICY, "too many empty frames in a row"));
        }
        self.announced = self.announced.saturating_add(head.length);
        if self.announced > limits.max_message_size as u64 {
            return Err(Fault::new(
                CloseCode::TOO_BIG,
                format!("a message of more than {} octets", limits.max_message_size),
            ));
        }
        Ok(())
    }
}

fn not_utf8() -> Fault {
    Fault::new(CloseCode::INVALID_DATA, "text that is not UTF-8")
}

impl Engine {
    /// The header of a data frame came: judges it by the message that is under way.
    pub(super) fn begin_data(&mut self, head: FrameHead) -> Result<(), Fault> {
        let limits = &self.config.limits;
        if head.length > limits.max_frame_size as u64 {
            return Err(Fault::new(
                CloseCode::TOO_BIG,
                format!(
                    "a frame of {} octets, expected at most {}",
                    head.length, limits.max_frame_size
                ),
            ));
        }
        match (&self.message, head.opcode) {
            (None, OpCode::Continuation) => {
                return Err(Fault::protocol("a continuation of no message"));
            }
            (Some(_), OpCode::Text | OpCode::Binary) => {
                return Err(Fault::protocol("a new message within another one"));
            }
            _ => {}
        }
        let begins = self.message.is_none();
        if head.rsv1 && !(begins && self.inflater.is_some()) {
            return Err(Fault::protocol("a frame with a reserved bit set"));
        }
        let message = self
            .message
            .get_or_insert_with(|| Message::new(head.opcode == OpCode::Text, head.rsv1));
        message.count(head, limits)
    }

    /// The next `size` octets of a data frame are at the front of `input`, unmasked: its `first`
    /// ones, and those that make it `complete`.
    pub(super) fn receive_data(
        &mut self,
        head: FrameHead,
        first: bool,
        complete: bool,
        input: &mut BytesMut,
        size: usize,
    ) -> Result<(), Fault> {
        let limit = self.config.limits.max_message_size;
        let inflater = self.inflater.as_deref_mut();
        let Some(message) = &mut self.message else { return Ok(()) };
        let ends = complete && head.fin;
        let (text, bytes) = if first && ends && message.fragments == 1 && !message.compressed {
            // The whole message is here.
            let text = message.text.is_some();
            if text && std::str::from_utf8(&input[..size]).is_err() {
                return Err(not_utf8());
            }
            self.message = None;
            (text, take(input, size, self.config.limits.copy_below))
        } else {
            message.push(&input[..size], inflater, limit)?;
            input.advance(size);
            if !ends {
                return Ok(());
            }
            let Some(message) = self.message.take() else { return Ok(()) };
            message.finish(self.inflater.as_deref_mut(), limit)?
        };
        self.pings.give(1);
        self.events.push_back(if text { Event::Text(bytes) } else { Event::Binary(bytes) });
        Ok(())
    }
}

/// The first `size` octets of `input`: a slice of it, or a copy if they are few.
fn take(input: &mut BytesMut, size: usize, copy_below: usize) -> Bytes {
    if size >= copy_below.max(1) {
        return input.split_to(size).freeze();
    }
    let copy = Bytes::copy_from_slice(&input[..size]);
    input.advance(size);
    copy
}
