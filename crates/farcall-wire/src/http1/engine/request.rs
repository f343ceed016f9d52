//! A client's request heads (RFC 9112 section 3).

use super::exchange::{Exchange, Names, Sending};
use super::{Engine, Reading};
use crate::event::{Event, Side, StreamId};
use crate::fields::Fields;
use crate::http1::emit::{self, Illegal};
use crate::http1::sort::Version;
use crate::http1::{ErrorCode, OpenError};

impl Engine {
    /// Opens a stream with a request head: pseudo-fields first (client). `end`: no data and no
    /// trailers follow. A head with `upgrade` asks for another protocol: see
    /// [`upgrade`](Self::upgrade). A head that no message can carry resets the stream.
    pub fn open(&mut self, head: &Fields, end: bool) -> Result<StreamId, OpenError> {
        self.output.settle();
        self.check_open().inspect_err(|error| {
            self.open_blocked |= *error == OpenError::Concurrency;
        })?;
        let id = self.next_stream;
        self.next_stream += 1;
        let mut exchange = Exchange::new(id, Version::Http11, Sending::Held);
        exchange.begin = self.output.end();
        self.head.clear();
        let written = self.write_request(head, &mut exchange);
        let legal = written.is_ok() && exchange.keeps_promise(0, end);
        self.exchange = Some(exchange);
        self.timers.busy();
        if !legal {
            self.abort_open();
            return Ok(StreamId(id));
        }
        self.reading = Reading::Head;
        self.forget_look();
        if end {
            if let Some(exchange) = &mut self.exchange {
                exchange.end_queued = true;
            }
            self.commit_head(Some(0));
            self.end_sending();
        }
        Ok(StreamId(id))
    }

    fn write_request(&mut self, head: &Fields, exchange: &mut Exchange) -> Result<(), Illegal> {
        let (is_head, wants_content) = emit::request_line(head, &mut self.head)?;
        let sent = emit::fields(head, &mut self.head)?;
        exchange.is_head = is_head;
        exchange.wants_content = wants_content;
        exchange.names = Names { te: sent.te, upgrade: sent.upgrade };
        exchange.upgrade = sent.upgrade;
        exchange.close = sent.close;
        exchange.announced = sent.content_length;
        exchange.promised = sent.content_length;
        Ok(())
    }

    /// The head was illegal: nothing of it left, and the connection is as it was.
    fn abort_open(&mut self) {
        let reason = "the request has a part that HTTP/1.1 cannot carry";
        self.abort_exchange(ErrorCode::InternalError, Side::Local, reason, false);
        self.timers.idle_since(self.now);
        if std::mem::take(&mut self.open_blocked) {
            self.events.push_back(Event::Capacity { streams: 1 });
        }
    }
}
