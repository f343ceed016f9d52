//! How a session ends: drained in good order, closed by either side, or lost.
//!
//! ```text
//!   Running --drain--> Announced --Pong, or its time over--> Final --no stream left--> (the driver closes)
//!   any --close, fault, Close of the peer, end of input--> Closed
//! ```

use std::borrow::Cow;
use std::time::Instant;

use super::frame::{self, MAX_STREAM_ID};
use super::{Fault, Session};
use crate::event::{Event, Side, StreamId};
use crate::http2::{ConnectionError, ErrorCode, Role};
use crate::stream::Half;
use crate::streams::Streams;
use crate::websocket::{self, CloseCode};

/// What comes back in the Pong between the two GOAWAYs of a drain.
pub(super) const DRAIN: &[u8] = b"drain";

/// How far our own end is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Running,
    /// GOAWAY said that the end is near; streams that are on their way are still taken.
    Announced,
    /// GOAWAY said which stream is the last.
    Final(u32),
    Closed,
}

/// What is known of the end.
#[derive(Debug, Default)]
pub(super) struct Ending {
    stage: Stage,
    /// The last stream that the peer acts upon, after its GOAWAY.
    peer_last: Option<u32>,
    peer_goaways: u32,
    /// Why the peer ends, as it said in GOAWAY and Close.
    peer_error: Option<ConnectionError>,
}

impl Ending {
    /// Whether either side has said that no more streams come.
    pub(super) fn is_draining(&self) -> bool {
        self.stage != Stage::Running || self.peer_last.is_some()
    }

    /// Whether a new stream of the peer is to be ignored.
    pub(super) fn is_behind_last(&self, stream: u32) -> bool {
        matches!(self.stage, Stage::Final(last) if stream > last)
    }
}

impl Session {
    /// Ends the session in good order: no new streams, those in flight finish. A server first says
    /// so, and names the last stream it takes only after a round trip, so that no request on its way
    /// is lost.
    pub fn drain(&mut self, now: Instant) {
        self.enter(now);
        if self.ending.stage != Stage::Running {
            return;
        }
        if self.role == Role::Client {
            return self.finish_drain();
        }
        self.ending.stage = Stage::Announced;
        frame::emit_goaway(&mut self.socket, MAX_STREAM_ID, ErrorCode::NoError, "");
        // Without an answer the second step comes by time.
        let _ = self.socket.ping(DRAIN);
        self.timers.drain = Some(now + self.limits.drain_timeout);
    }

    /// The second step of a drain.
    pub(super) fn finish_drain(&mut self) {
        self.timers.drain = None;
        if matches!(self.ending.stage, Stage::Running | Stage::Announced) {
            self.ending.stage = Stage::Final(self.highest_peer);
            frame::emit_goaway(&mut self.socket, self.highest_peer, ErrorCode::NoError, "");
        }
    }

    pub(super) fn finish_drain_after_pong(&mut self) {
        if self.ending.stage == Stage::Announced {
            self.finish_drain();
        }
    }

    /// Ends the session now. GOAWAY with `code` and `debug`, then Close are the last messages; open
    /// streams are lost.
    pub fn close(&mut self, code: ErrorCode, debug: &str, now: Instant) {
        self.enter(now);
        if self.is_closed() {
            return;
        }
        let debug = self.cut(debug);
        self.say_goodbye(code, CloseCode::of(code), debug);
        let error = ConnectionError { code, by: Side::Local, reason: Cow::Owned(debug.to_owned()) };
        self.finish((code != ErrorCode::NoError).then_some(error));
    }

    /// The peer closed its half of the transport: open streams are lost.
    pub fn receive_eof(&mut self, now: Instant) {
        self.enter(now);
        if self.is_closed() {
            return;
        }
        self.socket.receive_eof(now);
        self.take_messages();
    }

    /// Draining, and no stream is left, neither of the protocol nor of the application: time to
    /// close.
    pub fn is_drained(&self) -> bool {
        let ours = matches!(self.ending.stage, Stage::Final(_));
        self.is_closed() || (ours || self.ending.peer_last.is_some()) && self.streams.is_empty()
    }

    /// The session is over; the output may still hold a Close frame to write.
    pub fn is_closed(&self) -> bool {
        self.ending.stage == Stage::Closed
    }

    /// Ends a stream at once: the application's own decision, of which no event tells. Does not
    /// replace [`done`](Self::done).
    pub fn reset(&mut self, stream: StreamId, code: ErrorCode) {
        let Some(entry) = self.streams.get_mut(stream.0) else { return };
        if entry.is_closed() {
            return;
        }
        let held = std::mem::replace(&mut entry.held, false);
        self.abort_stream(stream.0, Side::Local, code, "reset here", false);
        self.emit_reset(stream.0, code, "");
        if let Some(entry) = self.streams.get_mut(stream.0) {
            entry.held = held;
        }
        self.settle_stream(stream.0);
    }

    /// An error of the connection.
    pub(super) fn fail(&mut self, fault: Fault) {
        let reason = self.cut(&fault.reason);
        self.say_goodbye(fault.code, fault.close, reason);
        let (code, reason) = (fault.code, fault.reason);
        self.finish(Some(ConnectionError { code, by: Side::Local, reason }));
    }

    /// The WebSocket is over: by Close of both sides, by an error, or because the transport is.
    pub(super) fn lost(&mut self, error: Option<websocket::Error>) {
        let unfinished = self.streams.iter().filter(|(_, stream)| !stream.is_closed()).count();
        let said = self.ending.peer_error.take();
        let error = match error {
            Some(error) if error.code.is_none() && unfinished == 0 && said.is_none() => None,
            Some(error) if error.code.is_none() => said.or_else(|| {
                let reason = format!("{}, with {unfinished} streams open", error.reason);
                Some(ConnectionError {
                    code: ErrorCode::NoError,
                    by: Side::Remote,
                    reason: reason.into(),
                })
            }),
            Some(error) => Some(ConnectionError {
                code: error.code.map_or(ErrorCode::NoError, CloseCode::error_code),
                by: error.by,
                reason: error.reason,
            }),
            None => said.or_else(|| {
                (unfinished > 0).then(|| ConnectionError {
                    code: ErrorCode::NoError,
                    by: Side::Remote,
                    reason: format!("the peer closed with {unfinished} streams open").into(),
                })
            }),
        };
        self.finish(error);
    }

    /// The peer's Close came, and nothing comes behind it.
    pub(super) fn receive_close(&mut self, code: Option<CloseCode>, reason: &str) {
        let code = code.unwrap_or(CloseCode::NORMAL);
        if matches!(code, CloseCode::NORMAL | CloseCode::GOING_AWAY) {
            return;
        }
        self.ending.peer_error.get_or_insert_with(|| ConnectionError {
            code: code.error_code(),
            by: Side::Remote,
            reason: format!("close code {code} \"{}\"", reason.escape_debug()).into(),
        });
    }

    /// GOAWAY came.
    pub(super) fn receive_goaway(
        &mut self,
        last: u32,
        code: ErrorCode,
        text: &[u8],
    ) -> Result<(), Fault> {
        if self.ending.peer_last.is_some_and(|before| last > before) {
            return Err(Fault::protocol("GOAWAY with a higher last stream than before"));
        }
        self.ending.peer_goaways += 1;
        if self.ending.peer_goaways > self.limits.max_goaways {
            self.ending.peer_goaways = self.limits.max_goaways;
            return self.glitch("GOAWAY");
        }
        self.ending.peer_last = Some(last);
        if self.role == Role::Client {
            self.drop_unprocessed(last, code);
        }
        let text = &text[..text.len().min(self.limits.max_debug_data)];
        let debug = text.escape_ascii().to_string();
        if code != ErrorCode::NoError {
            let reason = Cow::Owned(debug.clone());
            self.ending.peer_error = Some(ConnectionError { code, by: Side::Remote, reason });
        }
        self.events.push_back(Event::Draining { code, debug });
        Ok(())
    }

    /// Streams above the last one of a GOAWAY were not acted upon.
    fn drop_unprocessed(&mut self, last: u32, code: ErrorCode) {
        for id in self.streams.ids() {
            let open = self.streams.get(id).is_some_and(|stream| stream.receive != Half::Ended);
            if id > last && open {
                let reason = "above the last stream of a GOAWAY";
                self.abort_stream(id, Side::Remote, code, reason, true);
                self.settle_stream(id);
            }
        }
    }

    fn say_goodbye(&mut self, code: ErrorCode, close: CloseCode, text: &str) {
        let last = if self.role == Role::Server { self.highest_processed } else { 0 };
        frame::emit_goaway(&mut self.socket, last, code, text);
        self.socket.close_now(close, text, self.now);
    }

    /// Tells the application of every stream that is lost, and of the end.
    fn finish(&mut self, error: Option<ConnectionError>) {
        let by = error.as_ref().map_or(Side::Local, |error| error.by);
        for id in self.streams.ids() {
            let reason = "the connection ended under the stream";
            self.abort_stream(id, by, ErrorCode::ConnectError, reason, false);
        }
        self.streams = Streams::default();
        self.resets = std::collections::VecDeque::new();
        self.windows.grown = 0;
        self.live = 0;
        self.ready.clear();
        self.ending.stage = Stage::Closed;
        self.events.push_back(Event::Closed { error });
    }

    /// As much of a text as is told to the peer.
    fn cut<'a>(&self, text: &'a str) -> &'a str {
        &text[..text.floor_char_boundary(self.limits.max_debug_data)]
    }
}
