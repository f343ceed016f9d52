//! Heads and trailers in: a request, a response or the end of either.

use super::block::{self, Decoded};
use super::frame::{self, INITIAL_WINDOW};
use super::window::StreamWindow;
use super::{Fault, Session, Stream};
use crate::event::{Event, RequestHead, ResponseHead, Side, StreamId};
use crate::fields::Fields;
use crate::http2::{ErrorCode, Role};
use crate::message::{self, Malformed, Tunnels};
use crate::stream::Half;

/// What is wrong with a message: with the connection, or with its stream alone.
type Judged = Result<Result<(), Fault>, Malformed>;

impl Session {
    /// HEAD came.
    pub(super) fn receive_head(&mut self, id: u32, end: bool, block: &[u8]) -> Result<(), Fault> {
        let known = self.streams.get(id).map(|stream| (stream.receive, stream.reset));
        match (self.role, known) {
            (Role::Server, None) => self.begin_request(id, end, block),
            (Role::Client, None) if self.is_idle(id) => {
                Err(Fault::protocol(format!("HEAD on stream {id}, which was never opened")))
            }
            (Role::Client, None) => self.late(id, "HEAD"),
            (Role::Client, Some((Half::Head, _))) => {
                self.with_fields(id, block, |session, fields, decoded| {
                    session.receive_response(id, end, fields, decoded)
                })
            }
            (_, Some((Half::Ended, Some(Side::Local)))) => Ok(()),
            (_, Some((Half::Ended, _))) => {
                let reason = "HEAD behind the end of a stream";
                self.stream_error(id, ErrorCode::StreamClosed, reason)
            }
            (_, Some(_)) => self.stream_error(id, ErrorCode::ProtocolError, "a second HEAD"),
        }
    }

    /// TRAILERS came.
    pub(super) fn receive_trailers(&mut self, id: u32, block: &[u8]) -> Result<(), Fault> {
        if self.is_idle(id) {
            return Err(Fault::protocol("TRAILERS on a stream that was never opened"));
        }
        let known = self.streams.get(id).map(|stream| (stream.receive, stream.reset));
        match known {
            None => self.late(id, "TRAILERS"),
            Some((Half::Head, _)) => {
                self.stream_error(id, ErrorCode::ProtocolError, "TRAILERS before HEAD")
            }
            Some((Half::Body, _)) => self.with_fields(id, block, |session, fields, decoded| {
                session.end_with(id, fields, decoded)
            }),
            Some((Half::Ended, Some(Side::Local))) => Ok(()),
            Some((Half::Ended, _)) => {
                let reason = "TRAILERS behind the end of a stream";
                self.stream_error(id, ErrorCode::StreamClosed, reason)
            }
        }
    }

    /// A stream that is not known to a server: a new one, or nonsense.
    fn begin_request(&mut self, id: u32, end: bool, block: &[u8]) -> Result<(), Fault> {
        if id.is_multiple_of(2) {
            return Err(Fault::protocol(format!("HEAD on stream {id}, expected an odd stream")));
        }
        if id <= self.highest_peer {
            return Err(Fault::protocol(format!(
                "HEAD on stream {id}, expected a number above {}",
                self.highest_peer
            )));
        }
        self.highest_peer = id;
        if self.ending.is_behind_last(id) {
            return Ok(());
        }
        self.with_fields(id, block, |session, fields, decoded| {
            session.receive_request(id, end, fields, decoded)
        })
    }

    /// Reads fields and acts on them. Malformed ones end their stream.
    fn with_fields(
        &mut self,
        id: u32,
        block: &[u8],
        act: impl FnOnce(&mut Self, &Fields, Decoded) -> Judged,
    ) -> Result<(), Fault> {
        let most = self.limits.max_header_list_size as usize;
        let mut fields = std::mem::take(&mut self.scratch);
        fields.clear();
        let decoded = block::parse(block, self.limits.max_header_fields, most, &mut fields);
        if decoded.size >= most.saturating_mul(4)
            || decoded.count > self.limits.max_header_fields_abuse
        {
            let reason = "fields of more than four times the limit";
            return Err(Fault::new(ErrorCode::EnhanceYourCalm, reason));
        }
        let done = act(self, &fields, decoded);
        self.scratch = fields;
        match done {
            Ok(done) => done,
            Err(reason) => {
                self.glitch(reason)?;
                self.stream_error(id, ErrorCode::ProtocolError, reason)
            }
        }
    }

    fn receive_request(&mut self, id: u32, end: bool, fields: &Fields, decoded: Decoded) -> Judged {
        let limits = &self.limits;
        if self.live >= limits.max_concurrent_streams as usize
            || self.streams.len() >= limits.max_held_streams as usize
            || self.pending_header_bytes > limits.max_pending_header_bytes
            || self.timers.refuses(self.now)
        {
            self.emit_reset(id, ErrorCode::RefusedStream, "no slot for another stream");
            return Ok(self.glitch("streams above the limit"));
        }
        decoded.malformed.map_or(Ok(()), Err)?;
        if decoded.over_limit {
            self.answer_too_large(id, end);
            return Ok(self.glitch("fields over the limit"));
        }
        let (line, facts) = message::request(fields, Tunnels::None)?;
        if end && facts.content_length.is_some_and(|length| length > 0) {
            return Err("a content-length, and no content");
        }
        let regular = fields.tail(facts.regular);
        self.pending_header_bytes += regular.size();
        let head = RequestHead::new(line, None, regular);
        let mut stream = self.new_stream(id);
        stream.receive = if end { Half::Ended } else { Half::Body };
        stream.content_left = if end { Some(0) } else { facts.content_length };
        self.streams.insert(id, stream);
        self.live += 1;
        self.highest_processed = id;
        self.timers.busy();
        self.rates.credits.give(2);
        self.events.push_back(Event::Request { stream: StreamId(id), head, end });
        Ok(Ok(()))
    }

    /// A request whose fields are too many is answered, not acted upon.
    fn answer_too_large(&mut self, id: u32, end: bool) {
        let head = Fields::from_iter([(":status", "431")]);
        self.emit_head(id, &head, true);
        if !end {
            self.emit_reset(id, ErrorCode::NoError, "");
        }
    }

    fn receive_response(
        &mut self,
        id: u32,
        end: bool,
        fields: &Fields,
        decoded: Decoded,
    ) -> Judged {
        let stream = StreamId(id);
        decoded.malformed.map_or(Ok(()), Err)?;
        if decoded.over_limit {
            return Ok(self.fields_over_limit(id));
        }
        let (status, facts) = message::response(fields)?;
        let Some(entry) = self.streams.get_mut(id) else { return Ok(Ok(())) };
        let head = ResponseHead::new(status, fields.tail(facts.regular));
        if status < 200 {
            if end || status == 101 {
                return Err("an interim response that ends the stream, or status 101");
            }
            entry.informational += 1;
            if entry.informational > self.limits.max_informational {
                let reason = "too many interim responses";
                return Ok(self.stream_error(id, ErrorCode::EnhanceYourCalm, reason));
            }
            self.events.push_back(Event::Informational { stream, head });
            return Ok(Ok(()));
        }
        let no_content = entry.head_request || matches!(status, 204 | 304);
        entry.content_left = if no_content { Some(0) } else { facts.content_length };
        if end && !no_content && facts.content_length.is_some_and(|length| length > 0) {
            return Err("a content-length, and no content");
        }
        entry.receive = if end { Half::Ended } else { Half::Body };
        self.events.push_back(Event::Response { stream, head, end });
        if end {
            self.settle_stream(id);
        }
        Ok(Ok(()))
    }

    /// The trailers of a stream.
    fn end_with(&mut self, id: u32, fields: &Fields, decoded: Decoded) -> Judged {
        decoded.malformed.map_or(Ok(()), Err)?;
        if decoded.over_limit {
            return Ok(self.fields_over_limit(id));
        }
        message::trailers(fields)?;
        let Some(entry) = self.streams.get_mut(id) else { return Ok(Ok(())) };
        if entry.content_left.is_some_and(|left| left > 0) {
            return Err("less content than content-length says");
        }
        entry.receive = Half::Ended;
        self.events.push_back(Event::Trailers { stream: StreamId(id), fields: fields.clone() });
        self.settle_stream(id);
        Ok(Ok(()))
    }

    fn fields_over_limit(&mut self, id: u32) -> Result<(), Fault> {
        self.stream_error(id, ErrorCode::EnhanceYourCalm, "fields over the limit")
    }

    /// A stream with its windows. One larger than the first window of the protocol is announced at
    /// once.
    pub(super) fn new_stream(&mut self, id: u32) -> Stream {
        let more = self.windows.start - INITIAL_WINDOW;
        if more > 0 {
            frame::emit_credit(&mut self.socket, id, more);
        }
        Stream::new(StreamWindow::new(self.now), INITIAL_WINDOW)
    }
}
