//! Bytes to messages: content in its framings (RFC 9112 sections 6 and 7). Heads are read in
//! `receive_head`.

use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};

use super::{Engine, Reading, Refusal, Role};
use crate::event::{Event, StreamId};
use crate::http1::chunked::Found;
use crate::http1::trailers;

/// A buffer for small pieces is kept up to this size.
const KEPT: usize = 4096;

impl Engine {
    /// Takes all of `input`. What it means is in the events; pieces of content are slices of it,
    /// except small ones.
    pub fn receive(&mut self, input: &mut BytesMut, now: Instant) {
        self.enter(now);
        if self.rest.is_empty() {
            self.process(input);
            // A copy: what is kept for later must not keep a whole read buffer alive.
            self.rest.extend_from_slice(input);
            input.clear();
        } else {
            self.rest.extend_from_slice(input);
            input.clear();
            self.proceed();
        }
    }

    /// Reads what was left for later.
    pub(super) fn proceed(&mut self) {
        if self.rest.is_empty() {
            return;
        }
        let mut rest = std::mem::take(&mut self.rest);
        self.process(&mut rest);
        if !rest.is_empty() {
            self.rest = rest;
        }
    }

    /// Reads as much of `input` as can be read now.
    fn process(&mut self, input: &mut BytesMut) {
        loop {
            let more = match &self.reading {
                Reading::Head if self.role == Role::Server => self.receive_request(input),
                Reading::Head => self.receive_response(input),
                Reading::Length(left) => {
                    let left = *left;
                    Ok(self.receive_length(left, input))
                }
                Reading::Chunked(_) => self.receive_chunks(input),
                Reading::Trailers => self.receive_trailers(input),
                Reading::UntilClose | Reading::Raw => Ok(self.receive_all(input)),
                Reading::Complete => Ok(self.receive_behind(input)),
                Reading::Nothing => {
                    input.clear();
                    Ok(false)
                }
            };
            match more {
                Ok(true) => {}
                Ok(false) => break,
                Err(refusal) => {
                    self.push_gathered(false);
                    self.refuse(refusal);
                }
            }
        }
        self.push_gathered(false);
    }

    /// Content of a known length.
    fn receive_length(&mut self, left: u64, input: &mut BytesMut) -> bool {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        if size == 0 {
            return false;
        }
        let rest = left - size as u64;
        self.reading = Reading::Length(rest);
        let data = self.cut(size, input);
        self.push_data(data, rest == 0);
        if rest == 0 {
            self.end_message();
        }
        rest == 0
    }

    /// All there is, as content.
    fn receive_all(&mut self, input: &mut BytesMut) -> bool {
        if !input.is_empty() {
            let data = self.cut(input.len(), input);
            self.push_data(data, false);
        }
        false
    }

    /// Octets behind a complete message: a server keeps them for later; to a client they answer
    /// nothing, and the connection cannot be used any more.
    fn receive_behind(&mut self, input: &mut BytesMut) -> bool {
        if self.role == Role::Server || input.is_empty() {
            return false;
        }
        self.reading = Reading::Nothing;
        match &mut self.exchange {
            Some(exchange) => {
                exchange.close = true;
                self.peer_drains();
            }
            None => {
                self.refuse(Refusal::malformed("expected no response without a request", input));
            }
        }
        true
    }

    /// Content in chunks: pieces that are small are put together.
    fn receive_chunks(&mut self, input: &mut BytesMut) -> Result<bool, Refusal> {
        let Reading::Chunked(chunked) = &mut self.reading else { return Ok(false) };
        let (used, found) = chunked.parse(input)?;
        input.advance(used);
        match found {
            Found::Nothing => Ok(false),
            Found::Last => {
                self.reading = Reading::Trailers;
                Ok(true)
            }
            Found::Content(left) => {
                let size = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                chunked.taken(size as u64);
                self.gather(size, input);
                Ok(!input.is_empty())
            }
        }
    }

    fn gather(&mut self, size: usize, input: &mut BytesMut) {
        let unwanted = self.exchange.as_ref().is_none_or(|exchange| exchange.droppable.is_some());
        if size >= self.config.limits.copy_below || unwanted {
            self.push_gathered(false);
            let data = self.cut(size, input);
            self.push_data(data, false);
        } else {
            self.gathered.extend_from_slice(&input[..size]);
            input.advance(size);
        }
    }

    /// The end of a chunked message.
    fn receive_trailers(&mut self, input: &mut BytesMut) -> Result<bool, Refusal> {
        if input.is_empty() || !self.is_worth_a_look(input) {
            return Ok(false);
        }
        match trailers::parse(input, &self.config.limits)? {
            Err(incomplete) => {
                self.looked_at(input, incomplete);
                Ok(false)
            }
            Ok((size, fields)) => {
                input.advance(size);
                self.forget_look();
                if fields.is_empty() {
                    self.push_gathered(true);
                } else {
                    self.push_gathered(false);
                    self.push_trailers(fields);
                }
                self.end_message();
                Ok(true)
            }
        }
    }

    /// Takes octets off the input: a slice of it if they are many.
    fn cut(&self, size: usize, input: &mut BytesMut) -> Bytes {
        if size < self.config.limits.copy_below {
            let copy = Bytes::copy_from_slice(&input[..size]);
            input.advance(size);
            copy
        } else {
            input.split_to(size).freeze()
        }
    }

    /// Tells of the small pieces that were put together. `end`: also of the end, in any case.
    pub(super) fn push_gathered(&mut self, end: bool) {
        if self.gathered.is_empty() && !end {
            return;
        }
        let data = Bytes::copy_from_slice(&self.gathered);
        self.gathered.clear();
        self.gathered.shrink_to(KEPT);
        self.push_data(data, end);
    }

    /// Tells the application of content, unless nobody wants it.
    pub(super) fn push_data(&mut self, data: Bytes, end: bool) {
        let Some(exchange) = &mut self.exchange else { return };
        let size = data.len() as u64;
        self.timers.content_came(size);
        // RFC 9110 section 10.1.1: who sends content waits for nothing.
        exchange.expects_continue = false;
        if let Some(left) = &mut exchange.droppable {
            if let Some(rest) = left.checked_sub(size) {
                *left = rest;
            } else {
                exchange.close = true;
                exchange.received = true;
                self.reading = Reading::Nothing;
                self.settle_exchange();
            }
            return;
        }
        exchange.unreleased += size;
        let (stream, credit) = (StreamId(exchange.id), data.len() as u32);
        self.events.push_back(Event::Data { stream, data, credit, end });
        if self.is_held_back() {
            self.timers.excuse_content();
        }
    }

    fn push_trailers(&mut self, fields: crate::fields::Fields) {
        if let Some(exchange) = &self.exchange
            && exchange.droppable.is_none()
        {
            let stream = StreamId(exchange.id);
            self.events.push_back(Event::Trailers { stream, fields });
        }
    }

    /// All of the peer's message came.
    pub(super) fn end_message(&mut self) {
        // Dropping it may have ended the connection.
        if matches!(self.reading, Reading::Nothing) {
            return;
        }
        self.reading = Reading::Complete;
        self.timers.content = None;
        if let Some(exchange) = &mut self.exchange {
            exchange.received = true;
        }
        self.settle_exchange();
    }
}
