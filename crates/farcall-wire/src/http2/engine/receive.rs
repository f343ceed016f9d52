//! Bytes to frames: the preface, the heads, and which frame may come now.

use std::time::Instant;

use bytes::{Buf, BytesMut};

use super::closed::Past;
use super::{Engine, Fault};
use crate::http2::frame::{
    CLIENT_PREFACE, Continuation, FrameError, FrameHead, FrameKind, GoAway, Headers, Ping,
    PriorityFrame, RstStream, Scope, Settings, WindowUpdate, flag,
};
use crate::http2::{ErrorCode, Role};

/// How far the peer's greeting is (RFC 9113 section 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    /// A client's preface must come.
    Preface,
    /// SETTINGS must come.
    Settings,
    /// It speaks HTTP/2.
    Done,
}

/// Octets of a wrong greeting that an error shows.
const SHOWN: usize = 16;

impl Engine {
    /// Consumes all complete frames from the front of `input` and leaves a partial frame there.
    /// What they mean is in the events. DATA payloads are slices of `input`, except small ones.
    pub fn receive(&mut self, input: &mut BytesMut, now: Instant) {
        self.enter(now);
        if self.is_closed() {
            input.clear();
            return;
        }
        if input.is_empty() {
            return;
        }
        self.timers.heard(now);
        if let Err(fault) = self.receive_frames(input) {
            self.fail(fault);
        }
        if self.is_closed() {
            input.clear();
        }
    }

    fn receive_frames(&mut self, input: &mut BytesMut) -> Result<(), Fault> {
        if self.greeting == Greeting::Preface && !self.receive_preface(input)? {
            return Ok(());
        }
        while let Some(octets) = input.first_chunk() {
            let head = FrameHead::parse(*octets);
            self.check_order(head, octets)?;
            let end = FrameHead::SIZE + head.length as usize;
            if input.len() < end {
                break;
            }
            if head.kind == FrameKind::Data {
                self.receive_data(head, input)?;
            } else {
                self.receive_frame(head, &input[FrameHead::SIZE..end])?;
                input.advance(end);
            }
        }
        Ok(())
    }

    /// The client's first octets; false while they are incomplete.
    fn receive_preface(&mut self, input: &mut BytesMut) -> Result<bool, Fault> {
        let length = input.len().min(CLIENT_PREFACE.len());
        if input[..length] != CLIENT_PREFACE[..length] {
            return Err(Fault::protocol(format!(
                "expected the HTTP/2 preface, got {}",
                describe(input)
            )));
        }
        if length < CLIENT_PREFACE.len() {
            return Ok(false);
        }
        input.advance(length);
        self.greeting = Greeting::Settings;
        Ok(true)
    }

    /// What can be said from the head alone, before the payload is here.
    fn check_order(&self, head: FrameHead, octets: &[u8]) -> Result<(), Fault> {
        if self.greeting == Greeting::Settings
            && (head.kind != FrameKind::Settings || head.has(flag::ACK))
        {
            return Err(Fault::protocol(format!(
                "expected SETTINGS as the first frame, got {}",
                describe(octets)
            )));
        }
        if head.length > self.config.limits.max_frame_size {
            let reason = format!(
                "a frame of {} octets, expected at most {}",
                head.length, self.config.limits.max_frame_size
            );
            return Err(Fault::new(ErrorCode::FrameSizeError, reason));
        }
        match &self.assembly {
            Some(assembly)
                if head.kind != FrameKind::Continuation || head.stream != assembly.stream() =>
            {
                Err(Fault::protocol("a field block is interrupted by another frame"))
            }
            None if head.kind == FrameKind::Continuation => {
                Err(Fault::protocol("CONTINUATION without a field block"))
            }
            _ => Ok(()),
        }
    }

    /// A complete frame other than DATA.
    fn receive_frame(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Fault> {
        if head.kind != FrameKind::Continuation && head.length > 0 {
            self.empty_frames = 0;
        }
        let parsed =
            match head.kind {
                FrameKind::Headers => {
                    Headers::parse(head, payload).map(|frame| self.receive_headers(&frame))
                }
                FrameKind::Continuation => Continuation::parse(head, payload)
                    .map(|frame| self.receive_continuation(&frame)),
                FrameKind::Priority => {
                    PriorityFrame::parse(head, payload).map(|frame| self.receive_priority(frame))
                }
                FrameKind::RstStream => {
                    RstStream::parse(head, payload).map(|frame| self.receive_rst_stream(frame))
                }
                FrameKind::Settings => {
                    Settings::parse(head, payload).map(|frame| self.receive_settings(&frame))
                }
                FrameKind::Ping => Ping::parse(head, payload).map(|frame| self.receive_ping(frame)),
                FrameKind::GoAway => {
                    GoAway::parse(head, payload).map(|frame| self.receive_goaway(&frame))
                }
                FrameKind::WindowUpdate => WindowUpdate::parse(head, payload)
                    .map(|frame| self.receive_window_update(frame)),
                FrameKind::PushPromise => Ok(Err(Fault::protocol(match self.role {
                    Role::Client => "PUSH_PROMISE, which our SETTINGS forbid",
                    Role::Server => "PUSH_PROMISE from a client",
                }))),
                FrameKind::Data | FrameKind::Unknown(_) => Ok(self.glitch("unknown frames")),
            };
        match parsed {
            Ok(done) => done,
            Err(error) => self.frame_error(head, error),
        }
    }

    /// A frame that is wrong by itself.
    pub(super) fn frame_error(&mut self, head: FrameHead, error: FrameError) -> Result<(), Fault> {
        if error.scope == Scope::Connection {
            return Err(Fault::new(error.code, error.reason));
        }
        // On a stream that was never used there is nothing to reset (RFC 9113 section 6.4 forbids
        // it).
        if self.is_idle(head.stream) {
            return Err(Fault::new(error.code, error.reason));
        }
        self.offend(head.stream, error.code, error.reason)
    }

    /// A stream error on a stream that was used before. One that was reset is not reset again.
    pub(super) fn offend(
        &mut self,
        id: u32,
        code: ErrorCode,
        reason: &'static str,
    ) -> Result<(), Fault> {
        let was_reset = match self.streams.get(id) {
            Some(stream) => stream.reset.is_some(),
            None => self.past.past(id) != Past::Ended,
        };
        if was_reset { self.glitch(reason) } else { self.stream_error(id, code, reason) }
    }
}

/// A wrong greeting in words.
fn describe(octets: &[u8]) -> String {
    let shown = &octets[..octets.len().min(SHOWN)];
    let what = match shown {
        [0x16, 0x03, ..] => "a TLS handshake",
        [0x15, 0x03, ..] => "a TLS alert",
        [b'H', b'T', b'T', b'P', ..] => "an HTTP/1 response",
        [b'P', b'R', b'I', b' ', ..] => "a broken HTTP/2 preface",
        _ if is_method(shown) => "an HTTP/1 request",
        _ => "something else",
    };
    format!("{what}: \"{}\"", shown.escape_ascii())
}

/// Whether this begins like `GET /`.
fn is_method(octets: &[u8]) -> bool {
    let method = octets.iter().take_while(|octet| octet.is_ascii_uppercase()).count();
    (3..=7).contains(&method) && octets.get(method) == Some(&b' ')
}
