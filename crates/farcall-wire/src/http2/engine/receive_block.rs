//! Field blocks: put together from HEADERS and CONTINUATION, decoded whole, and then a request, a
//! response or trailers (RFC 9113 sections 4.3 and 8.1).

use super::closed::Past;
use super::{Engine, Fault};
use crate::event::{Event, RequestHead, ResponseHead, Side, StreamId};
use crate::fields::Fields;
use crate::hpack::{Decoded, ListLimits};
use crate::http2::frame::{Continuation, Headers};
use crate::http2::{ErrorCode, Role};
use crate::message::{self, Malformed, Tunnels};
use crate::stream::Half;

/// Why a field block is not waited for any longer.
const TOO_LONG: &str = "a field block of too many octets or too many CONTINUATION frames";

/// What HEADERS said about its block.
#[derive(Clone, Copy, Debug)]
struct Block {
    stream: u32,
    end: bool,
    /// Its deprecated priority names the stream itself.
    own_parent: bool,
}

/// A field block that waits for CONTINUATION.
#[derive(Debug)]
pub(super) struct Assembly {
    block: Block,
    bytes: Vec<u8>,
    continuations: u32,
    empty: u32,
}

impl Assembly {
    pub(super) fn stream(&self) -> u32 {
        self.block.stream
    }
}

/// What a complete block is, by its stream alone.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    Request,
    Response,
    Trailers,
    /// The table must follow, and nobody wants the fields.
    Ignore,
    StreamError(ErrorCode, &'static str),
}

impl Engine {
    /// HEADERS arrived.
    pub(super) fn receive_headers(&mut self, headers: &Headers<'_>) -> Result<(), Fault> {
        let own_parent =
            headers.priority.is_some_and(|priority| priority.dependency == headers.stream);
        if headers.block.len() > self.config.limits.max_header_block {
            return Err(Fault::new(ErrorCode::EnhanceYourCalm, TOO_LONG));
        }
        let block = Block { stream: headers.stream, end: headers.end_stream, own_parent };
        if headers.end_headers {
            return self.receive_block(block, headers.block);
        }
        let assembly =
            Assembly { block, bytes: headers.block.to_vec(), continuations: 0, empty: 0 };
        self.assembly = Some(assembly);
        self.timers.block = Some(self.now + self.config.limits.header_block_timeout);
        Ok(())
    }

    /// CONTINUATION arrived, and it belongs to the block that is being assembled.
    pub(super) fn receive_continuation(
        &mut self,
        continuation: &Continuation<'_>,
    ) -> Result<(), Fault> {
        let limits = &self.config.limits;
        let Some(assembly) = &mut self.assembly else { return Ok(()) };
        assembly.continuations += 1;
        assembly.empty += u32::from(continuation.block.is_empty());
        let length = assembly.bytes.len() + continuation.block.len();
        if assembly.continuations > limits.max_continuations
            || assembly.empty > limits.max_empty_continuations
            || length > limits.max_header_block
        {
            return Err(Fault::new(ErrorCode::EnhanceYourCalm, TOO_LONG));
        }
        assembly.bytes.extend_from_slice(continuation.block);
        if !continuation.end_headers {
            return Ok(());
        }
        self.timers.block = None;
        match self.assembly.take() {
            Some(assembly) => self.receive_block(assembly.block, &assembly.bytes),
            None => Ok(()),
        }
    }

    /// A whole block: decoded in any case, since the table must follow the peer's.
    fn receive_block(&mut self, block: Block, bytes: &[u8]) -> Result<(), Fault> {
        let purpose = self.purpose(block.stream)?;
        let limits = &self.config.limits;
        let list = ListLimits {
            max_fields: limits.max_header_fields,
            max_size: limits.max_header_list_size as usize,
        };
        let mut fields = std::mem::take(&mut self.scratch);
        fields.clear();
        let decoded = self
            .decoder
            .decode(bytes, list, &mut fields)
            .map_err(|error| Fault::new(ErrorCode::CompressionError, error.to_string()))?;
        if decoded.size >= list.max_size.saturating_mul(4)
            || decoded.count > limits.max_header_fields_abuse
        {
            return Err(Fault::new(
                ErrorCode::EnhanceYourCalm,
                "a field list of more than four times the limit",
            ));
        }
        let done = self.receive_fields(block, purpose, &fields, decoded);
        self.scratch = fields;
        done
    }

    fn receive_fields(
        &mut self,
        block: Block,
        purpose: Purpose,
        fields: &Fields,
        decoded: Decoded,
    ) -> Result<(), Fault> {
        let stream = block.stream;
        if block.own_parent && !matches!(purpose, Purpose::Ignore) {
            return self.stream_error(
                stream,
                ErrorCode::ProtocolError,
                "a stream that depends on itself",
            );
        }
        let done = match purpose {
            Purpose::Ignore => Ok(Ok(())),
            Purpose::StreamError(code, reason) => Ok(self.stream_error(stream, code, reason)),
            Purpose::Request => self.receive_request(block, fields, decoded),
            Purpose::Response => self.receive_response(block, fields, decoded),
            Purpose::Trailers => self.receive_trailers(block, fields, decoded),
        };
        match done {
            Ok(done) => done,
            Err(reason) => {
                self.glitch(reason)?;
                self.stream_error(stream, ErrorCode::ProtocolError, reason)
            }
        }
    }

    /// Judges a block by the state of its stream (RFC 9113 section 5.1).
    fn purpose(&mut self, id: u32) -> Result<Purpose, Fault> {
        if let Some(stream) = self.streams.get(id) {
            return match (stream.receive, stream.reset) {
                (Half::Head, _) => Ok(Purpose::Response),
                (Half::Body, _) => Ok(Purpose::Trailers),
                (Half::Ended, Some(Side::Local)) => Ok(Purpose::Ignore),
                (Half::Ended, None) if stream.send == Half::Ended => {
                    Err(Fault::new(ErrorCode::StreamClosed, "HEADERS on a closed stream"))
                }
                (Half::Ended, _) => Ok(Purpose::StreamError(
                    ErrorCode::StreamClosed,
                    "HEADERS behind the end of a stream",
                )),
            };
        }
        if id.is_multiple_of(2) {
            return Err(Fault::protocol(format!("HEADERS on stream {id}, expected an odd stream")));
        }
        if self.is_idle(id) {
            if self.role == Role::Client {
                return Err(Fault::protocol(format!(
                    "HEADERS on stream {id}, which was never opened"
                )));
            }
            self.highest_peer = id;
            let ignored = self.ending.is_behind_last(id);
            return Ok(if ignored { Purpose::Ignore } else { Purpose::Request });
        }
        match self.past.past(id) {
            Past::Reset(Side::Local) => Ok(Purpose::Ignore),
            Past::Forgotten => self.glitch("late HEADERS").map(|()| Purpose::Ignore),
            Past::Reset(Side::Remote) => Ok(Purpose::StreamError(
                ErrorCode::StreamClosed,
                "HEADERS behind the peer's RST_STREAM",
            )),
            Past::Ended => Err(Fault::new(ErrorCode::StreamClosed, "HEADERS on a closed stream")),
            Past::Unknown => Err(Fault::protocol(format!(
                "HEADERS on stream {id}, below one that was opened before"
            ))),
        }
    }

    fn receive_request(
        &mut self,
        block: Block,
        fields: &Fields,
        decoded: Decoded,
    ) -> Result<Result<(), Fault>, Malformed> {
        let limits = &self.config.limits;
        if self.live >= limits.max_concurrent_streams as usize
            || self.streams.len() >= limits.max_held_streams as usize
            || self.pending_header_bytes > limits.max_pending_header_bytes
            || self.timers.refuses(self.now)
        {
            return Ok(self.refuse(block.stream));
        }
        decoded.malformed.map_or(Ok(()), Err)?;
        if decoded.over_limit {
            self.answer_too_large(block);
            return Ok(self.glitch("field lists over the limit"));
        }
        let tunnels = if self.config.extended_connect { Tunnels::Extended } else { Tunnels::Plain };
        let (line, facts) = message::request(fields, tunnels)?;
        let content_left = if block.end { Some(0) } else { facts.content_length };
        if block.end && facts.content_length.is_some_and(|length| length > 0) {
            return Err("a content-length, and no content");
        }
        let regular = fields.tail(facts.regular);
        self.pending_header_bytes += regular.size();
        // The header table knows the path apart from the rest of the line: its token serves better.
        let (pseudo, _) = self.lines.intern(&line);
        let head = RequestHead::from_parts(pseudo, line, decoded.path_token, regular);
        let mut stream = self.new_stream();
        stream.receive = if block.end { Half::Ended } else { Half::Body };
        stream.content_left = content_left;
        self.streams.insert(block.stream, stream);
        self.live += 1;
        self.highest_processed = block.stream;
        self.timers.busy();
        self.rates.window_updates.give(2);
        self.events.push_back(Event::Request {
            stream: StreamId(block.stream),
            head,
            end: block.end,
        });
        Ok(Ok(()))
    }

    /// No slot, or too many resets lately: the client may send it again elsewhere or later.
    fn refuse(&mut self, id: u32) -> Result<(), Fault> {
        self.output.rst_stream(id, ErrorCode::RefusedStream);
        self.past.note_reset(id, Side::Local);
        self.glitch("streams above the limit")
    }

    /// A request whose field list is too large is answered, not acted upon.
    fn answer_too_large(&mut self, block: Block) {
        let head = Fields::from_iter([(":status", "431")]);
        self.emit_headers(block.stream, &head, true);
        if block.end {
            self.past.note_ended(block.stream);
        } else {
            self.output.rst_stream(block.stream, ErrorCode::NoError);
            self.past.note_reset(block.stream, Side::Local);
        }
    }

    fn receive_response(
        &mut self,
        block: Block,
        fields: &Fields,
        decoded: Decoded,
    ) -> Result<Result<(), Fault>, Malformed> {
        let stream = StreamId(block.stream);
        decoded.malformed.map_or(Ok(()), Err)?;
        if decoded.over_limit {
            return Ok(self.fields_over_limit(block.stream));
        }
        let (status, facts) = message::response(fields)?;
        let Some(entry) = self.streams.get_mut(block.stream) else { return Ok(Ok(())) };
        if status < 200 {
            if block.end || status == 101 {
                return Err("an interim response that ends the stream, or status 101");
            }
            entry.informational += 1;
            if entry.informational > self.config.limits.max_informational {
                let reason = "too many interim responses";
                return Ok(self.stream_error(block.stream, ErrorCode::EnhanceYourCalm, reason));
            }
            let head = ResponseHead::new(status, fields.tail(facts.regular));
            self.events.push_back(Event::Informational { stream, head });
            return Ok(Ok(()));
        }
        let no_content = entry.head_request || matches!(status, 204 | 304);
        entry.content_left = if no_content { Some(0) } else { facts.content_length };
        if block.end && !no_content && facts.content_length.is_some_and(|length| length > 0) {
            return Err("a content-length, and no content");
        }
        entry.receive = if block.end { Half::Ended } else { Half::Body };
        let head = ResponseHead::new(status, fields.tail(facts.regular));
        self.events.push_back(Event::Response { stream, head, end: block.end });
        if block.end {
            self.settle_stream(block.stream);
        }
        Ok(Ok(()))
    }

    fn receive_trailers(
        &mut self,
        block: Block,
        fields: &Fields,
        decoded: Decoded,
    ) -> Result<Result<(), Fault>, Malformed> {
        decoded.malformed.map_or(Ok(()), Err)?;
        if !block.end {
            return Err("HEADERS within the content, without END_STREAM");
        }
        if decoded.over_limit {
            return Ok(self.fields_over_limit(block.stream));
        }
        message::trailers(fields)?;
        let Some(entry) = self.streams.get_mut(block.stream) else { return Ok(Ok(())) };
        if entry.content_left.is_some_and(|left| left > 0) {
            return Err("less content than content-length says");
        }
        entry.receive = Half::Ended;
        self.events
            .push_back(Event::Trailers { stream: StreamId(block.stream), fields: fields.clone() });
        self.settle_stream(block.stream);
        Ok(Ok(()))
    }

    fn fields_over_limit(&mut self, id: u32) -> Result<(), Fault> {
        self.stream_error(id, ErrorCode::EnhanceYourCalm, "a field list over the limit")
    }
}
