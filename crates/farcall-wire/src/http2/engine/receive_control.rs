//! The small frames: PING, `RST_STREAM`, `WINDOW_UPDATE`, PRIORITY.

use super::closed::Past;
use super::{Engine, Fault, ending, timer, window};
use crate::event::{Event, Side};
use crate::http2::frame::{MAX_WINDOW, Ping, PriorityFrame, RstStream, WindowUpdate};
use crate::http2::{ErrorCode, Role};

impl Engine {
    /// Asks the peer for a sign of life; [`Event::Pong`] tells of the answer.
    pub fn ping(&mut self, payload: [u8; 8]) {
        if self.is_closed() {
            return;
        }
        self.output.settle();
        self.pings_asked += 1;
        self.output.ping(false, payload);
    }

    pub(super) fn receive_ping(&mut self, ping: Ping) -> Result<(), Fault> {
        if !ping.ack {
            self.judge_ping()?;
            self.output.ping(true, ping.payload);
            return Ok(());
        }
        match ping.payload {
            window::MEASURE => self.windows.answered(self.now),
            ending::DRAIN => self.finish_drain_after_ping(),
            timer::ALIVE => {}
            payload if self.pings_asked > 0 => {
                self.pings_asked -= 1;
                self.events.push_back(Event::Pong { payload });
            }
            _ => return self.glitch("answers to PINGs that were not sent"),
        }
        Ok(())
    }

    /// Keepalive that comes too often keeps both ends awake for nothing. PINGs amid traffic measure
    /// the path and are nobody's harm.
    fn judge_ping(&mut self) -> Result<(), Fault> {
        let limits = &self.config.limits;
        let idle = self.streams.is_empty();
        if idle && !self.rates.pings.take(self.now) {
            return Err(Fault::new(ErrorCode::EnhanceYourCalm, "too_many_pings"));
        }
        if self.role == Role::Client {
            return Ok(());
        }
        let least =
            if idle { limits.min_ping_interval_idle } else { limits.min_ping_interval_active };
        let since =
            self.last_ping.replace(self.now).map(|last| self.now.saturating_duration_since(last));
        let excused = std::mem::take(&mut self.pings_excused);
        self.ping_strikes = match since {
            _ if excused => 0,
            Some(since) if since < least => self.ping_strikes + 1,
            // Time forgives: a strike is a rate, not a record.
            _ => self.ping_strikes.saturating_sub(1),
        };
        if self.ping_strikes > limits.ping_strikes {
            return Err(Fault::new(ErrorCode::EnhanceYourCalm, "too_many_pings"));
        }
        Ok(())
    }

    pub(super) fn receive_rst_stream(&mut self, frame: RstStream) -> Result<(), Fault> {
        let id = frame.stream;
        if self.is_idle(id) {
            return Err(Fault::protocol("RST_STREAM on an idle stream"));
        }
        let Some(entry) = self.streams.get(id) else {
            // It may have crossed our own end of the stream.
            return match self.past.past(id) {
                Past::Reset(Side::Local) | Past::Ended => Ok(()),
                _ => self.glitch("RST_STREAM on a closed stream"),
            };
        };
        if entry.is_closed() {
            return Ok(());
        }
        let answered = entry.send != crate::stream::Half::Head;
        let unprocessed = self.role == Role::Client && frame.code == ErrorCode::RefusedStream;
        self.abort_stream(id, Side::Remote, frame.code, "reset by the peer", unprocessed);
        self.settle_stream(id);
        if self.role == Role::Server && !answered {
            return self.count_reset();
        }
        Ok(())
    }

    pub(super) fn receive_window_update(&mut self, frame: WindowUpdate) -> Result<(), Fault> {
        let WindowUpdate { stream: id, increment } = frame;
        if !self.rates.window_updates.take(self.now) {
            return Err(Fault::new(ErrorCode::EnhanceYourCalm, "WINDOW_UPDATE too often"));
        }
        self.pings_excused = true;
        if id == 0 {
            self.send_window += i64::from(increment);
            if self.send_window > i64::from(MAX_WINDOW) {
                let reason = "WINDOW_UPDATE lifts the connection's window above 2147483647";
                return Err(Fault::new(ErrorCode::FlowControlError, reason));
            }
            self.ready.append(&mut self.window_blocked);
            return Ok(());
        }
        if self.is_idle(id) {
            return Err(Fault::protocol("WINDOW_UPDATE on an idle stream"));
        }
        let Some(entry) = self.streams.get_mut(id) else {
            return match self.past.past(id) {
                Past::Unknown => self.glitch("WINDOW_UPDATE on a closed stream"),
                _ => Ok(()),
            };
        };
        if entry.reset.is_some() {
            return Ok(());
        }
        entry.send_window += i64::from(increment);
        if entry.send_window > i64::from(MAX_WINDOW) {
            let reason = "WINDOW_UPDATE lifts the stream's window above 2147483647";
            return self.stream_error(id, ErrorCode::FlowControlError, reason);
        }
        if entry.has_unsent() && !entry.ready && entry.send_window > 0 {
            entry.ready = true;
            self.ready.push_back(id);
        }
        Ok(())
    }

    /// Priorities are not acted upon (RFC 9113 section 5.3.2); only nonsense is answered.
    pub(super) fn receive_priority(&mut self, frame: PriorityFrame) -> Result<(), Fault> {
        if frame.priority.dependency != frame.stream {
            return Ok(());
        }
        let reason = "a stream that depends on itself";
        if self.is_idle(frame.stream) {
            return Err(Fault::protocol(reason));
        }
        self.offend(frame.stream, ErrorCode::ProtocolError, reason)
    }

    fn finish_drain_after_ping(&mut self) {
        if self.ending.is_draining() {
            self.finish_drain();
        }
    }
}
