//! A server's response heads (RFC 9112 section 4).

use super::Engine;
use super::exchange::{Names, Sending};
use crate::event::StreamId;
use crate::fields::Fields;
use crate::http1::sort::Version;
use crate::http1::{ErrorCode, Gone, Role, emit};

impl Engine {
    /// Sends an interim or final response head, `:status` first (server). `end`: no data and no
    /// trailers follow. Fields of the connection and the framing are left out, as the engine says
    /// them itself; `connection: close` and `content-length` are heeded. A head that no message can
    /// carry is answered with status 500 instead.
    pub fn send_head(&mut self, stream: StreamId, head: &Fields, end: bool) -> Result<(), Gone> {
        self.output.settle();
        let server = self.role == Role::Server;
        let exchange = self.exchange_of(stream).ok_or(Gone)?;
        if exchange.sending != Sending::Head || !server {
            return Err(Gone);
        }
        match emit::status(head) {
            Ok(101) => Err(Gone),
            Ok(status) if status < 200 => self.send_interim(stream, status, head),
            Ok(status) => self.send_final(stream, status, head, end),
            Err(emit::Illegal) => Err(self.give_up(stream)),
        }
    }

    fn send_interim(&mut self, stream: StreamId, status: u16, head: &Fields) -> Result<(), Gone> {
        let exchange = self.exchange.as_mut().ok_or(Gone)?;
        // HTTP/1.0 has no interim responses (RFC 9110 section 15.2).
        if exchange.version == Version::Http10 {
            return Ok(());
        }
        exchange.expects_continue &= status != 100;
        let out = &mut self.output.buffer;
        let mark = out.len();
        emit::status_line(status, out);
        if emit::fields(head, out).is_err() {
            out.truncate(mark);
            return Err(self.give_up(stream));
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn send_final(
        &mut self,
        stream: StreamId,
        status: u16,
        head: &Fields,
        end: bool,
    ) -> Result<(), Gone> {
        self.head.clear();
        emit::status_line(status, &mut self.head);
        let sent = emit::fields(head, &mut self.head);
        let exchange = self.exchange.as_mut().ok_or(Gone)?;
        let Ok(sent) = sent else { return Err(self.give_up(stream)) };
        exchange.sending = Sending::Held;
        exchange.status = status;
        exchange.names = Names { te: false, upgrade: sent.upgrade };
        exchange.close |= sent.close;
        exchange.announced = sent.content_length;
        exchange.promised = sent.content_length.filter(|_| !exchange.is_without_content());
        if !end {
            return Ok(());
        }
        if !exchange.keeps_promise(0, true) {
            return Err(self.give_up(stream));
        }
        exchange.end_queued = true;
        self.commit_head(Some(0));
        self.end_sending();
        Ok(())
    }

    /// The application's response cannot be sent.
    fn give_up(&mut self, stream: StreamId) -> Gone {
        self.reset(stream, ErrorCode::InternalError);
        Gone
    }
}
