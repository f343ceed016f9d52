//! How a connection ends: drained in good order, closed by either side, or lost (RFC 9113 sections
//! 5.4.1 and 6.8).
//!
//! ```text
//!   Running --drain--> Announced --PING answered, or its time over--> Final --no stream left--> (the driver closes)
//!   any --close, fault, end of input--> Closed
//! ```

use std::borrow::Cow;
use std::time::Instant;

use super::{Engine, Fault};
use crate::event::{Event, Side, StreamId};
use crate::http2::frame::{GoAway, MAX_STREAM_ID};
use crate::http2::{ConnectionError, ErrorCode, Role};
use crate::stream::Half;

/// What comes back in the PING between the two GOAWAYs of a drain.
pub(super) const DRAIN: [u8; 8] = *b"drain\0\0\0";

/// How far our own end of the connection is.
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

/// What is known of the connection's end.
#[derive(Debug, Default)]
pub(super) struct Ending {
    stage: Stage,
    /// The last stream that the peer acts upon, after its GOAWAY.
    peer_last: Option<u32>,
    peer_goaways: u32,
}

impl Ending {
    pub(super) fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// Whether either side has said that no more streams come.
    pub(super) fn is_draining(&self) -> bool {
        self.stage != Stage::Running || self.peer_last.is_some()
    }

    /// Whether a new stream of the peer is to be ignored.
    pub(super) fn is_behind_last(&self, stream: u32) -> bool {
        matches!(self.stage, Stage::Final(last) if stream > last)
    }
}

impl Engine {
    /// Ends the connection in good order: no new streams, those in flight finish. A server first
    /// says so, and names the last stream it takes only after a round trip, so that no request on
    /// its way is lost.
    pub fn drain(&mut self, now: Instant) {
        self.enter(now);
        if self.ending.stage != Stage::Running {
            return;
        }
        if self.role == Role::Client {
            return self.finish_drain();
        }
        self.ending.stage = Stage::Announced;
        GoAway { last_stream: MAX_STREAM_ID, code: ErrorCode::NoError, debug: b"" }
            .emit(self.output.control());
        self.output.ping(false, DRAIN);
        self.timers.drain_announced(now + self.config.limits.drain_timeout);
    }

    /// The second step of a drain.
    pub(super) fn finish_drain(&mut self) {
        self.timers.drain_finished();
        if matches!(self.ending.stage, Stage::Running | Stage::Announced) {
            self.ending.stage = Stage::Final(self.highest_peer);
            let last_stream = self.highest_peer;
            GoAway { last_stream, code: ErrorCode::NoError, debug: b"" }
                .emit(self.output.control());
        }
    }

    /// Ends the connection now. GOAWAY with `code` and `debug` is the last frame; open streams are
    /// lost.
    pub fn close(&mut self, code: ErrorCode, debug: &str, now: Instant) {
        self.enter(now);
        if self.is_closed() {
            return;
        }
        let debug = &debug.as_bytes()[..debug.len().min(self.config.limits.max_debug_data)];
        self.say_goodbye(code, debug);
        let reason = Cow::Owned(String::from_utf8_lossy(debug).into_owned());
        let error = ConnectionError { code, by: Side::Local, reason };
        self.finish((code != ErrorCode::NoError).then_some(error));
    }

    /// The peer closed its half of the transport: open streams are lost.
    pub fn receive_eof(&mut self, now: Instant) {
        self.enter(now);
        if self.is_closed() {
            return;
        }
        let unfinished = self.streams.iter().filter(|(_, stream)| !stream.is_closed()).count();
        let reason: Cow<'static, str> = match (unfinished, self.greeting) {
            (0, super::receive::Greeting::Done) => return self.finish(None),
            (0, _) => "the peer closed the connection before its first SETTINGS".into(),
            (count, _) => {
                format!("the peer closed the connection with {count} streams open").into()
            }
        };
        let error = ConnectionError { code: ErrorCode::NoError, by: Side::Remote, reason };
        self.finish(Some(error));
    }

    /// Draining, and no stream is left, neither of the protocol nor of the application: time to
    /// close.
    pub fn is_drained(&self) -> bool {
        let ours = matches!(self.ending.stage, Stage::Final(_));
        self.is_closed() || (ours || self.ending.peer_last.is_some()) && self.streams.is_empty()
    }

    /// The connection is over; the output may still hold a GOAWAY to write.
    pub fn is_closed(&self) -> bool {
        self.ending.is_closed()
    }

    /// An error of the connection.
    pub(super) fn fail(&mut self, fault: Fault) {
        let length = fault.reason.len().min(self.config.limits.max_debug_data);
        self.say_goodbye(fault.code, &fault.reason.as_bytes()[..length]);
        self.finish(Some(ConnectionError {
            code: fault.code,
            by: Side::Local,
            reason: fault.reason,
        }));
    }

    fn say_goodbye(&mut self, code: ErrorCode, debug: &[u8]) {
        let last_stream = if self.role == Role::Server { self.highest_processed } else { 0 };
        GoAway { last_stream, code, debug }.emit(self.output.control());
    }

    /// Tells the application of every stream that is lost, and of the end.
    fn finish(&mut self, error: Option<ConnectionError>) {
        let by = error.as_ref().map_or(Side::Local, |error| error.by);
        for id in self.streams.ids() {
            self.abort_stream(
                id,
                by,
                ErrorCode::ConnectError,
                "the connection ended under the stream",
                false,
            );
        }
        self.streams = super::Streams::default();
        self.windows.grown = 0;
        self.past.shrink();
        self.live = 0;
        self.ready.clear();
        self.window_blocked.clear();
        self.assembly = None;
        self.ending.stage = Stage::Closed;
        self.events.push_back(Event::Closed { error });
    }

    /// GOAWAY arrived.
    pub(super) fn receive_goaway(&mut self, goaway: &GoAway<'_>) -> Result<(), Fault> {
        let last = goaway.last_stream;
        if self.ending.peer_last.is_some_and(|before| last > before) {
            return Err(Fault::protocol("GOAWAY with a higher last stream than before"));
        }
        self.ending.peer_goaways += 1;
        if self.ending.peer_goaways > self.config.limits.max_goaways {
            self.ending.peer_goaways = self.config.limits.max_goaways;
            return self.glitch("GOAWAY");
        }
        self.ending.peer_last = Some(last);
        if self.role == Role::Client {
            self.drop_unprocessed(last, goaway.code);
        }
        let debug = &goaway.debug[..goaway.debug.len().min(self.config.limits.max_debug_data)];
        let debug = debug.escape_ascii().to_string();
        self.events.push_back(Event::Draining { code: goaway.code, debug });
        Ok(())
    }

    /// Streams above the last one of a GOAWAY were not acted upon (RFC 9113 section 6.8).
    fn drop_unprocessed(&mut self, last: u32, code: ErrorCode) {
        for id in self.streams.ids() {
            let open = self.streams.get(id).is_some_and(|stream| stream.receive != Half::Ended);
            if id > last && open {
                self.abort_stream(
                    id,
                    Side::Remote,
                    code,
                    "above the last stream of a GOAWAY",
                    true,
                );
                self.settle_stream(id);
            }
        }
    }

    /// Ends a stream at once: the application's own decision, of which no event tells. Does not
    /// replace [`done`](Self::done).
    pub fn reset(&mut self, stream: StreamId, code: ErrorCode) {
        self.output.settle();
        let Some(entry) = self.streams.get_mut(stream.0) else { return };
        if entry.is_closed() {
            return;
        }
        let held = std::mem::replace(&mut entry.held, false);
        self.abort_stream(stream.0, Side::Local, code, "reset here", false);
        self.output.rst_stream(stream.0, code);
        if let Some(entry) = self.streams.get_mut(stream.0) {
            entry.held = held;
        }
        self.settle_stream(stream.0);
    }
}
