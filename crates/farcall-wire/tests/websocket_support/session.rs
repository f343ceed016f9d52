//! One session against a peer that sends whatever a test wants, message by message.

use std::time::Instant;

use bytes::BytesMut;
use farcall_wire::http2::{ErrorCode, Role};
use farcall_wire::websocket::frame::OpCode;
use farcall_wire::websocket::{Session, SessionConfig};
use farcall_wire::{Event, Side};

use super::pair::request_head;
use super::raw::{Handmade, parse_frames, whole};

pub(crate) const REQUEST: &str = ":method: POST\n:scheme: http\n:path: /greet.v1.Greeter/SayHello\n\
                       :authority: localhost\nte: trailers\ncontent-type: application/grpc\n";
pub(crate) const RESPONSE: &str = ":status: 200\ncontent-type: application/grpc\n";

/// A message by hand: kind, stream, payload.
pub(crate) fn message(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    [&[kind], &stream.to_be_bytes()[..], payload].concat()
}

pub(crate) fn head(stream: u32, end: bool, fields: &str) -> Vec<u8> {
    message(1, stream, &[&[u8::from(end)], fields.as_bytes()].concat())
}

pub(crate) fn data(stream: u32, end: bool, data: &[u8]) -> Vec<u8> {
    message(2, stream, &[&[u8::from(end)], data].concat())
}

pub(crate) fn trailers(stream: u32, fields: &str) -> Vec<u8> {
    message(3, stream, fields.as_bytes())
}

pub(crate) fn reset(stream: u32, code: u32, reason: &str) -> Vec<u8> {
    message(4, stream, &[&code.to_be_bytes()[..], reason.as_bytes()].concat())
}

pub(crate) fn credit(stream: u32, octets: u32) -> Vec<u8> {
    message(5, stream, &octets.to_be_bytes())
}

pub(crate) fn goaway(last: u32, code: u32, text: &str) -> Vec<u8> {
    message(6, 0, &[&last.to_be_bytes()[..], &code.to_be_bytes(), text.as_bytes()].concat())
}

/// A session and its handmade peer.
pub(crate) struct Raw {
    pub(crate) session: Session,
    pub(crate) role: Role,
    pub(crate) now: Instant,
}

impl Raw {
    pub(crate) fn with(role: Role, config: SessionConfig) -> Self {
        let now = Instant::now();
        let mut raw = Self { session: Session::new(role, config, now), role, now };
        assert_eq!(raw.events(), [Event::Open]);
        raw
    }

    pub(crate) fn server() -> Self {
        Self::with(Role::Server, SessionConfig::default())
    }

    pub(crate) fn client() -> Self {
        Self::with(Role::Client, SessionConfig::default())
    }

    /// A server with one request, whose body goes on.
    pub(crate) fn asked() -> Self {
        let mut raw = Self::server();
        raw.message(&head(1, false, REQUEST));
        assert!(matches!(raw.events()[..], [Event::Request { end: false, .. }]));
        raw
    }

    /// A client that has asked on stream 1.
    pub(crate) fn asking() -> Self {
        let mut raw = Self::client();
        raw.session.open(&request_head(), true).unwrap();
        raw.sent();
        raw
    }

    pub(crate) fn frame(&mut self, frame: Handmade<'_>) {
        let frame = Handmade { masked: self.role == Role::Server, ..frame };
        let mut input = BytesMut::from(&frame.bytes()[..]);
        self.session.receive(&mut input, self.now);
    }

    pub(crate) fn message(&mut self, message: &[u8]) {
        self.frame(whole(OpCode::Binary, message));
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.poll_event()).collect()
    }

    /// The messages that the session sent, without Pings; Close as its payload behind an 8.
    pub(crate) fn sent(&mut self) -> Vec<Vec<u8>> {
        self.session.fill(self.now);
        let mut output = self.session.output().split();
        let frames = parse_frames(&mut output);
        frames
            .into_iter()
            .filter(|frame| frame.opcode != OpCode::Ping)
            .map(|frame| match frame.opcode {
                OpCode::Close => [&[8], &frame.payload[..]].concat(),
                _ => frame.payload,
            })
            .collect()
    }

    /// The session ended: GOAWAY with `code` and Close with `close` are the last.
    #[track_caller]
    pub(crate) fn assert_failed(&mut self, code: ErrorCode, close: u16) {
        let sent = self.sent();
        let [.., goaway, last] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!((goaway[0], &goaway[9..13]), (6, &code.to_u32().to_be_bytes()[..]));
        assert_eq!((last[0], &last[1..3]), (8, &close.to_be_bytes()[..]));
        assert!(self.session.is_closed());
        let events = self.events();
        let Some(Event::Closed { error: Some(error) }) = events.last() else {
            panic!("{events:?}");
        };
        assert_eq!((error.code, error.by), (code, Side::Local), "{error}");
    }

    /// The stream ended with `code`, and the session did not.
    #[track_caller]
    pub(crate) fn assert_reset(&mut self, stream: u32, code: ErrorCode) {
        let sent = self.sent();
        let Some(last) = sent.last() else { panic!("nothing was sent") };
        assert_eq!(last[..9], *reset(stream, code.to_u32(), ""), "{last:?}");
        assert!(!self.session.is_closed());
    }
}
