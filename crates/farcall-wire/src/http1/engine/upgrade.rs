//! Another protocol on the same connection (RFC 9110 section 7.8): from the response with status
//! 101 on, the bytes of both directions are the content of the stream.

use super::exchange::{Names, Sending};
use super::{Engine, Reading, Refusal, Role};
use crate::event::{Event, StreamId};
use crate::fields::Fields;
use crate::http1::response::Response;
use crate::http1::{ErrorCode, Gone, emit};

impl Engine {
    /// Agrees to the protocol that a request asked for in its field `upgrade` (server): a response
    /// of status 101 with these fields, of which `upgrade` must be one. `:status` may be left out.
    ///
    /// From here on everything the peer sends is [`Event::Data`], although the request had ended,
    /// until an empty one with `end`; and everything that [`send_data`](Self::send_data) takes goes
    /// to the peer as it is. The connection ends after [`done`](Self::done), when all is written.
    ///
    /// A client must not speak the new protocol before it has seen the response: one that does is
    /// answered with status 400, since the same octets could be a request.
    pub fn upgrade(&mut self, stream: StreamId, head: &Fields) -> Result<(), Gone> {
        self.output.settle();
        let server = self.role == Role::Server;
        let exchange = self.exchange_of(stream).ok_or(Gone)?;
        let asked = exchange.upgrade && exchange.received;
        if !server || !asked || exchange.sending != Sending::Head {
            return Err(Gone);
        }
        if !self.rest.is_empty() {
            // The application learns it from the result, as of any other command.
            if let Some(exchange) = &mut self.exchange {
                exchange.held = false;
            }
            self.refuse(Refusal::new(400, "expected nothing before the response to an upgrade"));
            return Err(Gone);
        }
        self.head.clear();
        emit::status_line(101, &mut self.head);
        let sent = emit::fields(head, &mut self.head);
        let Some(exchange) = &mut self.exchange else { return Err(Gone) };
        if !sent.is_ok_and(|sent| sent.upgrade) {
            self.reset(stream, ErrorCode::InternalError);
            return Err(Gone);
        }
        exchange.names = Names { te: false, upgrade: true };
        let out = &mut self.output.buffer;
        out.extend_from_slice(&self.head);
        emit::line(b"connection", b"upgrade", out);
        out.extend_from_slice(b"\r\n");
        self.head.clear();
        self.begin_raw();
        Ok(())
    }

    /// A response of status 101 (client): the server agrees to what the request asked for.
    pub(super) fn begin_upgrade(&mut self, response: Response) -> Result<(), Refusal> {
        let Some(exchange) = &self.exchange else { return Ok(()) };
        if !exchange.upgrade || !response.upgrade || exchange.sending != Sending::Ended {
            let reason = "expected no other protocol, as the request asked for none";
            return Err(Refusal::new(400, reason));
        }
        let stream = StreamId(exchange.id);
        self.events.push_back(Event::Response { stream, head: response.head, end: false });
        self.begin_raw();
        Ok(())
    }

    fn begin_raw(&mut self) {
        self.reading = Reading::Raw;
        if let Some(exchange) = &mut self.exchange {
            exchange.sending = Sending::Raw;
            exchange.end_queued = false;
            exchange.received = false;
            exchange.close = true;
        }
        // No request can follow.
        self.timers.busy();
    }
}
