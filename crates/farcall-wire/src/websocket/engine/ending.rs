//! How a WebSocket ends: by the closing handshake of either side, by an error, or lost (RFC 6455
//! section 7).
//!
//! ```text
//!   Open --close--> Closing --the peer's Close, an error, or its time over--> Closed
//!   Open --the peer's Close, or an error--> Answering --fill--> Closed
//!   any --end of input--> Closed, behind an answer that is due
//! ```

use std::borrow::Cow;
use std::time::Instant;

use super::Engine;
use crate::event::Side;
use crate::websocket::error::Fault;
use crate::websocket::{CloseCode, Error, Event};

/// How far the end is.
#[derive(Debug)]
pub(super) enum Ending {
    Open,
    /// Our Close is sent; the peer's is waited for until then.
    Closing(Instant),
    /// Nothing more is read; our Close is the last that `fill` writes.
    Answering {
        code: Option<CloseCode>,
        error: Option<Error>,
    },
    Closed,
}

impl Engine {
    /// Begins the closing handshake: nothing is sent behind it, and the peer has 10 s to answer.
    /// What of `reason` does not fit into 123 octets is cut off.
    pub fn close(&mut self, code: CloseCode, reason: &str, now: Instant) {
        self.enter(now);
        if !matches!(self.ending, Ending::Open) {
            return;
        }
        self.flush_pongs();
        self.drop_pongs();
        self.emit_close(Some(code), reason);
        self.ending = Ending::Closing(now + self.config.limits.close_timeout);
    }

    /// Sends Close and waits for nothing: for a layer that has said goodbye by itself.
    pub(in crate::websocket) fn close_now(&mut self, code: CloseCode, reason: &str, now: Instant) {
        self.enter(now);
        if matches!(self.ending, Ending::Open | Ending::Answering { .. }) {
            self.emit_close(Some(code), reason);
        }
        self.finish(None);
    }

    /// The peer closed its half of the transport.
    pub fn receive_eof(&mut self, now: Instant) {
        self.enter(now);
        let reason = match self.ending {
            Ending::Open => "the peer closed the connection without a Close frame",
            Ending::Closing(_) => "the peer closed the connection without answering Close",
            Ending::Answering { .. } | Ending::Closed => return,
        };
        self.finish(Some(Error { code: None, by: Side::Remote, reason: reason.into() }));
    }

    /// The WebSocket is over; the output may still hold a Close frame to write.
    pub fn is_closed(&self) -> bool {
        matches!(self.ending, Ending::Closed)
    }

    /// Whether the application's messages are still sent.
    pub(in crate::websocket) fn takes_messages(&self) -> bool {
        matches!(self.ending, Ending::Open | Ending::Answering { .. })
    }

    /// Whether anything the peer sends is still read.
    pub(super) fn takes_input(&self) -> bool {
        matches!(self.ending, Ending::Open | Ending::Closing(_))
    }

    /// Whether the next `fill` writes the last word.
    pub(in crate::websocket) fn is_answering(&self) -> bool {
        matches!(self.ending, Ending::Answering { .. })
    }

    /// When the peer's Close must be here.
    pub(super) fn close_due(&self) -> Option<Instant> {
        match self.ending {
            Ending::Closing(until) => Some(until),
            _ => None,
        }
    }

    /// A Close frame came.
    pub(super) fn receive_close(&mut self, payload: &[u8]) -> Result<(), Fault> {
        let (code, reason) = parse_close(payload)?;
        self.events.push_back(Event::Close { code, reason: reason.to_owned() });
        self.forget_input();
        if let Ending::Closing(_) = self.ending {
            self.finish(None);
        } else {
            self.ending = Ending::Answering { code, error: None };
        }
        Ok(())
    }

    /// An error of the connection: its Close frame follows what the application still answers.
    pub(super) fn fail(&mut self, fault: Fault) {
        self.forget_input();
        let error = Error { code: Some(fault.code), by: Side::Local, reason: fault.reason };
        match self.ending {
            Ending::Open => {
                self.ending = Ending::Answering { code: error.code, error: Some(error) };
            }
            Ending::Closing(_) => self.finish(Some(error)),
            Ending::Answering { .. } | Ending::Closed => {}
        }
    }

    /// Writes the Close frame that is due.
    pub(super) fn finish_answering(&mut self) {
        if !self.is_answering() {
            return;
        }
        let answering = std::mem::replace(&mut self.ending, Ending::Closed);
        let Ending::Answering { code, error } = answering else { return };
        let reason = error.as_ref().map_or(Cow::Borrowed(""), |error| error.reason.clone());
        self.emit_close(code, &reason);
        self.finish(error);
    }

    fn finish(&mut self, error: Option<Error>) {
        let told = matches!(self.events.back(), Some(Event::Closed { .. }));
        self.ending = Ending::Closed;
        self.forget_input();
        self.drop_pongs();
        if !told {
            self.events.push_back(Event::Closed { error });
        }
    }

    /// Nothing more is read: what of a message is here is of no use.
    fn forget_input(&mut self) {
        self.message = None;
        self.control = Vec::new();
        self.inflater = None;
    }
}

/// The code and the words of a Close frame (RFC 6455 section 5.5.1).
fn parse_close(payload: &[u8]) -> Result<(Option<CloseCode>, &str), Fault> {
    let Some((number, reason)) = payload.split_first_chunk() else {
        return match payload {
            [] => Ok((None, "")),
            _ => Err(Fault::protocol("a Close frame of one octet")),
        };
    };
    let number = u16::from_be_bytes(*number);
    let code = CloseCode::new(number)
        .ok_or_else(|| Fault::protocol(format!("a Close frame with the illegal code {number}")))?;
    let reason = std::str::from_utf8(reason).map_err(|_| {
        Fault::new(CloseCode::INVALID_DATA, "a Close frame whose reason is not UTF-8")
    })?;
    Ok((Some(code), reason))
}
