//! Heads: a request begins an exchange, a response answers it (RFC 9112 sections 2 to 4).

use bytes::{Buf, BytesMut};

use super::exchange::{Exchange, Sending};
use super::{Engine, Reading, Refusal};
use crate::event::{Event, StreamId};
use crate::http1::chunked::Chunked;
use crate::http1::head::Incomplete;
use crate::http1::request::{self, Request};
use crate::http1::response::{self, Response};

impl Engine {
    /// A server's input: a request's head, if it is complete. Returns whether to go on.
    pub(super) fn receive_request(&mut self, input: &mut BytesMut) -> Result<bool, Refusal> {
        // A peer that does not read its responses gets no more of them.
        if self.is_crowded() {
            return Ok(false);
        }
        self.skip_empty_line(input)?;
        if input.is_empty() {
            self.timers.head = None;
            return Ok(false);
        }
        self.timers.head_began(self.now, &self.config.limits);
        if input.as_ref() == b"\r" || !self.is_worth_a_look(input) {
            return Ok(false);
        }
        match request::parse(input, &self.config, &mut self.lines)? {
            Err(incomplete) => {
                self.looked_at(input, incomplete);
                Ok(false)
            }
            Ok(request) => {
                input.advance(request.size);
                self.empty_line = false;
                self.forget_look();
                self.begin_request(request);
                Ok(true)
            }
        }
    }

    /// Skips one empty line in front of a request, which old clients send behind their content
    /// (RFC 9112 section 2.2).
    fn skip_empty_line(&mut self, input: &mut BytesMut) -> Result<(), Refusal> {
        match input.as_ref() {
            [b'\r', b'\n', ..] if !self.empty_line => {
                self.empty_line = true;
                input.advance(2);
                self.skip_empty_line(input)
            }
            [b'\r'] if !self.empty_line => Ok(()),
            [b'\r' | b'\n', ..] => Err(Refusal::new(400, "expected a request line, got no method")),
            _ => Ok(()),
        }
    }

    fn begin_request(&mut self, request: Request) {
        let id = self.next_stream;
        // Nobody can send so many on one connection; the last one is the last.
        self.next_stream = id.saturating_add(1);
        let mut exchange = Exchange::new(id, request.version, Sending::Head);
        exchange.close = request.close || id == u32::MAX;
        exchange.is_head = request.is_head;
        exchange.expects_continue = request.expects_continue;
        exchange.upgrade = request.upgrade;
        self.reading = match request.content {
            request::Content::None => Reading::Complete,
            request::Content::Length(length) => Reading::Length(length),
            request::Content::Chunked => self.chunks(),
        };
        let end = request.content == request::Content::None;
        exchange.received = end;
        self.exchange = Some(exchange);
        self.timers.request_began((!end).then(|| self.now + self.config.limits.content_period));
        self.events.push_back(Event::Request { stream: StreamId(id), head: request.head, end });
    }

    fn chunks(&self) -> Reading {
        Reading::Chunked(Chunked::new(self.config.limits.max_chunk_extensions))
    }

    /// A client's input: a response's head, if it is complete. Returns whether to go on.
    pub(super) fn receive_response(&mut self, input: &mut BytesMut) -> Result<bool, Refusal> {
        if input.is_empty() {
            return Ok(false);
        }
        self.timers.head_began(self.now, &self.config.limits);
        if !self.is_worth_a_look(input) {
            return Ok(false);
        }
        let to_head = self.exchange.as_ref().is_some_and(|exchange| exchange.is_head);
        match response::parse(input, &self.config.limits, to_head)? {
            Err(incomplete) => {
                self.looked_at(input, incomplete);
                Ok(false)
            }
            Ok(response) => {
                input.advance(response.size);
                self.forget_look();
                self.begin_response(response)?;
                Ok(true)
            }
        }
    }

    fn begin_response(&mut self, response: Response) -> Result<(), Refusal> {
        let Some(exchange) = &mut self.exchange else { return Ok(()) };
        let (stream, status) = (StreamId(exchange.id), response.head.status());
        if status == 101 {
            return self.begin_upgrade(response);
        }
        if status < 200 {
            exchange.informational += 1;
            if exchange.informational > self.config.limits.max_informational {
                return Err(Refusal::new(431, "there are too many interim responses"));
            }
            self.events.push_back(Event::Informational { stream, head: response.head });
            return Ok(());
        }
        exchange.close |= response.close;
        let end = response.content == response::Content::None;
        self.events.push_back(Event::Response { stream, head: response.head, end });
        self.reading = match response.content {
            response::Content::None => Reading::Complete,
            response::Content::Length(length) => Reading::Length(length),
            response::Content::Chunked => self.chunks(),
            response::Content::UntilClose => Reading::UntilClose,
        };
        if response.close {
            self.peer_drains();
        }
        if end {
            self.end_message();
        }
        Ok(())
    }

    /// Whether a look at a head can find more than the last one did.
    pub(super) fn is_worth_a_look(&mut self, input: &[u8]) -> bool {
        let fresh = input.get(self.looked_at..).unwrap_or(input);
        let worth =
            self.looked_at == 0 || input.len() >= self.look_again_at || fresh.contains(&b'\n');
        if !worth {
            self.looked_at = input.len();
        }
        worth
    }

    /// Notes that the input is no complete head.
    pub(super) fn looked_at(&mut self, input: &[u8], incomplete: Incomplete) {
        self.looked_at = input.len();
        self.look_again_at = incomplete.limit;
    }

    /// The next head has not been looked at.
    pub(super) fn forget_look(&mut self) {
        self.looked_at = 0;
        self.timers.head = None;
    }
}
