//! One engine or session against a peer that sends whatever a test wants.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use farcall_wire::http2::Role;
use farcall_wire::websocket::frame::{FrameHead, OpCode, mask};
use farcall_wire::websocket::{CloseCode, Config, Engine, Event};

/// The key that handmade frames are masked with.
pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame that an engine sent, unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) opcode: OpCode,
    pub(crate) fin: bool,
    pub(crate) rsv1: bool,
    pub(crate) masked: bool,
    pub(crate) payload: Vec<u8>,
}

/// A frame by hand.
#[derive(Clone, Copy)]
pub(crate) struct Handmade<'a> {
    pub(crate) opcode: OpCode,
    pub(crate) fin: bool,
    pub(crate) rsv1: bool,
    pub(crate) rsv23: u8,
    pub(crate) masked: bool,
    pub(crate) payload: &'a [u8],
}

/// A masked frame that is its whole message.
pub(crate) fn whole(opcode: OpCode, payload: &[u8]) -> Handmade<'_> {
    Handmade { opcode, fin: true, rsv1: false, rsv23: 0, masked: true, payload }
}

/// A masked frame that more follow.
pub(crate) fn part(opcode: OpCode, payload: &[u8]) -> Handmade<'_> {
    Handmade { fin: false, ..whole(opcode, payload) }
}

impl Handmade<'_> {
    pub(crate) fn bytes(self) -> Vec<u8> {
        let key = self.masked.then_some(KEY);
        let mut out = BytesMut::new();
        FrameHead {
            fin: self.fin,
            rsv1: self.rsv1,
            rsv23: self.rsv23,
            opcode: self.opcode,
            mask: key,
            length: self.payload.len() as u64,
        }
        .emit(&mut out);
        let start = out.len();
        out.extend_from_slice(self.payload);
        if let Some(key) = key {
            mask(&mut out[start..], key, 0);
        }
        out.to_vec()
    }
}

/// The frames in what an engine wrote.
pub(crate) fn parse_frames(bytes: &mut BytesMut) -> Vec<Sent> {
    let mut frames = Vec::new();
    while let Some((head, size)) = FrameHead::parse(bytes).unwrap() {
        let length = usize::try_from(head.length).unwrap();
        assert!(bytes.len() >= size + length, "half a frame");
        assert_eq!(head.rsv23, 0);
        let mut frame = bytes.split_to(size + length);
        let mut payload = frame.split_off(size);
        if let Some(key) = head.mask {
            mask(&mut payload, key, 0);
        }
        frames.push(Sent {
            opcode: head.opcode,
            fin: head.fin,
            rsv1: head.rsv1,
            masked: head.mask.is_some(),
            payload: payload.to_vec(),
        });
    }
    assert!(bytes.is_empty(), "half a header");
    frames
}

/// The payload of a Close frame.
pub(crate) fn close_payload(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason].concat()
}

/// An engine and its handmade peer.
pub(crate) struct Raw {
    pub(crate) engine: Engine,
    pub(crate) now: Instant,
}

impl Raw {
    pub(crate) fn server() -> Self {
        Self::server_with(Config::default())
    }

    pub(crate) fn server_with(config: Config) -> Self {
        let now = Instant::now();
        Self { engine: Engine::new(Role::Server, config, now), now }
    }

    pub(crate) fn client() -> Self {
        let now = Instant::now();
        Self { engine: Engine::new(Role::Client, Config::default(), now), now }
    }

    /// Bytes arrive.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let mut input = BytesMut::from(bytes);
        self.engine.receive(&mut input, self.now);
        assert!(input.is_empty(), "the engine takes all of its input");
    }

    /// A frame arrives.
    pub(crate) fn frame(&mut self, frame: Handmade<'_>) {
        self.bytes(&frame.bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.frame(whole(OpCode::Text, text.as_bytes()));
    }

    /// Time passes, in steps of what the engine waits for.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..10_000 {
            match self.engine.next_timeout().filter(|next| *next <= end) {
                Some(next) => self.now = self.now.max(next),
                None => break,
            }
            self.engine.handle_timeout(self.now);
            self.engine.fill(self.now);
        }
        self.now = end;
        self.engine.handle_timeout(end);
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.engine.poll_event()).collect()
    }

    /// What the engine has sent since the last call.
    pub(crate) fn sent(&mut self) -> Vec<Sent> {
        self.engine.fill(self.now);
        let mut output = self.engine.output().split();
        parse_frames(&mut output)
    }

    /// The engine has failed the connection with this code; returns its reason.
    #[track_caller]
    pub(crate) fn assert_failed(&mut self, code: u16) -> String {
        let sent = self.sent();
        let Some(Sent { opcode: OpCode::Close, payload, .. }) = sent.last() else {
            panic!("expected Close, got {sent:?}");
        };
        assert!(self.engine.is_closed());
        assert_eq!(u16::from_be_bytes(*payload.first_chunk().unwrap()), code, "{payload:?}");
        let events = self.events();
        let Some(Event::Closed { error: Some(error) }) = events.last() else {
            panic!("expected an error, got {events:?}");
        };
        assert_eq!(error.code.map(CloseCode::number), Some(code));
        error.reason.clone().into_owned()
    }
}
