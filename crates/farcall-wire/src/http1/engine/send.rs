//! What the application sends: content and trailers, and how the head in front of them says how
//! long they are (RFC 9112 section 6).

use bytes::Bytes;

use super::exchange::{Exchange, Sending};
use super::{Engine, Role};
use crate::event::StreamId;
use crate::fields::Fields;
use crate::http1::sort::Version;
use crate::http1::{ErrorCode, Gone, emit, trailers};

impl Engine {
    /// Sends content: at once if the output has room and the head has left, else it is queued. More
    /// or less than a `content-length` of the application announced is an error, which ends the
    /// connection.
    pub fn send_data(&mut self, stream: StreamId, data: Bytes, end: bool) -> Result<(), Gone> {
        self.output.settle();
        let crowded = self.output.len() + data.len() > self.config.limits.output_high_water;
        let most = self.config.limits.max_unsent;
        let exchange = self.exchange_of(stream).filter(|exchange| exchange.takes_data());
        let exchange = exchange.ok_or(Gone)?;
        if !exchange.keeps_promise(data.len() as u64, end) {
            self.reset(stream, ErrorCode::InternalError);
            return Err(Gone);
        }
        exchange.end_queued = end;
        let direct = exchange.queue.is_empty() && !crowded;
        match exchange.sending {
            Sending::Held if end && direct => self.commit_head(Some(data.len() as u64)),
            Sending::Without => {
                if end {
                    self.end_sending();
                }
                return Ok(());
            }
            _ => {}
        }
        let Some(exchange) = &mut self.exchange else { return Err(Gone) };
        if direct && exchange.sending != Sending::Held {
            self.emit_data(&data);
            if end {
                self.end_sending();
            }
            return Ok(());
        }
        if !data.is_empty() {
            exchange.queued += data.len();
            exchange.queue.push_back(data);
            exchange.full |= exchange.queued >= most;
        }
        self.release_head(end);
        Ok(())
    }

    /// Content behind a held head: when all of it is here, or too much to wait for the rest, the
    /// head leaves.
    fn release_head(&mut self, end: bool) {
        let Some(exchange) = &self.exchange else { return };
        if exchange.sending == Sending::Held {
            let queued = exchange.queued;
            if end {
                self.commit_head(Some(queued as u64));
            } else if queued >= self.config.limits.output_high_water {
                self.commit_head(None);
            } else {
                return;
            }
        }
        self.pump();
    }

    /// Sends trailers behind all content, and with them the end. They leave only with chunked
    /// content; fields that say how to read a message are illegal in them, and illegal trailers
    /// reset the stream. Without fields only the end is sent.
    pub fn send_trailers(&mut self, stream: StreamId, fields: &Fields) -> Result<(), Gone> {
        if fields.is_empty() {
            return self.send_data(stream, Bytes::new(), true);
        }
        self.output.settle();
        let exchange = self.exchange_of(stream).filter(|exchange| exchange.takes_data());
        let exchange = exchange.ok_or(Gone)?;
        if !trailers::can_be_sent(fields) || !exchange.keeps_promise(0, true) {
            self.reset(stream, ErrorCode::InternalError);
            return Err(Gone);
        }
        exchange.end_queued = true;
        exchange.trailers = Some(Box::new(fields.clone()));
        if exchange.sending == Sending::Held {
            // HTTP/1.0 has no chunks, and so no trailers, but a length.
            let queued = exchange.queued as u64;
            let length = (exchange.version == Version::Http10).then_some(queued);
            self.commit_head(length);
        }
        self.pump();
        Ok(())
    }

    /// Octets that the stream takes before it is full. Zero: wait for
    /// [`Event::Writable`](crate::Event::Writable), or the stream takes none at all.
    pub fn send_room(&self, stream: StreamId) -> usize {
        match &self.exchange {
            Some(exchange) if exchange.id == stream.0 && exchange.takes_data() => {
                self.config.limits.max_unsent.saturating_sub(exchange.queued)
            }
            _ => 0,
        }
    }

    /// Moves a held head into the output. `length`: octets of the content, if all of it is known.
    pub(super) fn commit_head(&mut self, length: Option<u64>) {
        let last = self.is_last();
        let Some(exchange) = &mut self.exchange else { return };
        let out = &mut self.output.buffer;
        out.reserve(self.head.len() + 64);
        out.extend_from_slice(&self.head);
        self.head.clear();
        exchange.sending = match self.role {
            Role::Server => exchange.frame_response(length, out),
            Role::Client => exchange.frame_request(length, out),
        };
        exchange.close |= last && self.role == Role::Server;
        let keep = exchange.version == Version::Http10 && self.role == Role::Server;
        let options: &[u8] = match (exchange.close, exchange.names.upgrade, exchange.names.te) {
            (true, false, false) => b"connection: close\r\n",
            (true, true, false) => b"connection: close, upgrade\r\n",
            (true, false, true) => b"connection: close, te\r\n",
            (true, true, true) => b"connection: close, te, upgrade\r\n",
            (false, true, false) => b"connection: upgrade\r\n",
            (false, false, true) => b"connection: te\r\n",
            (false, true, true) => b"connection: te, upgrade\r\n",
            (false, false, false) if keep => b"connection: keep-alive\r\n",
            (false, false, false) => b"",
        };
        out.extend_from_slice(options);
        out.extend_from_slice(b"\r\n");
    }

    /// Whether the response is to say that it is the connection's last (RFC 9112 section 9.6).
    fn is_last(&self) -> bool {
        if self.ending.is_draining() {
            return true;
        }
        let Some(exchange) = &self.exchange else { return true };
        if exchange.received || !exchange.is_sent() {
            return false;
        }
        // All of the response is here before the request: is the rest of that worth reading? A
        // client that still waits for 100 may send it or not.
        let most = self.config.limits.max_dropped;
        exchange.expects_continue
            || matches!(self.reading, super::Reading::Length(left) if left > most)
    }

    /// Writes content as it is framed, however much it is.
    pub(super) fn emit_data(&mut self, data: &[u8]) {
        let Some(exchange) = &self.exchange else { return };
        match exchange.sending {
            _ if data.is_empty() => {}
            Sending::Chunked => emit::chunk(data, &mut self.output.buffer),
            Sending::Length | Sending::UntilClose | Sending::Raw => {
                self.output.buffer.extend_from_slice(data);
            }
            Sending::Head | Sending::Held | Sending::Without | Sending::Ended => {}
        }
    }

    /// All content is in the output: so is the end now.
    pub(super) fn end_sending(&mut self) {
        let Some(exchange) = &mut self.exchange else { return };
        if exchange.sending == Sending::Chunked {
            emit::last_chunk(exchange.trailers.as_deref(), &mut self.output.buffer);
        }
        exchange.sending = Sending::Ended;
        exchange.trailers = None;
        self.settle_exchange();
    }
}

impl Exchange {
    /// Notes that content was given to be sent, and whether it is as much as was said.
    pub(super) fn keeps_promise(&mut self, octets: u64, end: bool) -> bool {
        let Some(left) = self.promised else { return true };
        match left.checked_sub(octets) {
            Some(rest) => {
                self.promised = Some(rest);
                rest == 0 || !end
            }
            None => false,
        }
    }

    /// Writes how a response's content is framed (RFC 9112 section 6.3).
    fn frame_response(&mut self, length: Option<u64>, out: &mut bytes::BytesMut) -> Sending {
        let announced = self.announced.take();
        if self.is_without_content() {
            // For HEAD and 304 it is the length that another response would have: nothing at all
            // does not tell.
            let unsent = length.filter(|length| *length > 0 && self.status != 304);
            if let Some(length) = announced.or(unsent).filter(|_| self.status != 204) {
                emit::content_length(length, out);
            }
            return Sending::Without;
        }
        match announced.or(length) {
            Some(length) => {
                emit::content_length(length, out);
                Sending::Length
            }
            None if self.version == Version::Http11 => {
                out.extend_from_slice(b"transfer-encoding: chunked\r\n");
                Sending::Chunked
            }
            None => {
                self.close = true;
                Sending::UntilClose
            }
        }
    }

    /// Writes how a request's content is framed.
    fn frame_request(&mut self, length: Option<u64>, out: &mut bytes::BytesMut) -> Sending {
        match self.announced.take().or(length) {
            // RFC 9110 section 8.6: only a method that asks for content says that there is none.
            Some(0) if !self.wants_content && self.is_sent() => {}
            Some(length) => emit::content_length(length, out),
            None => {
                out.extend_from_slice(b"transfer-encoding: chunked\r\n");
                return Sending::Chunked;
            }
        }
        Sending::Length
    }
}
