//! What the HTTP/1.1 tests share.
#![allow(dead_code)] // each test binary uses its part

#[path = "../support/random.rs"]
pub(crate) mod random;

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use farcall_wire::http1::{Config, Engine, Role};
use farcall_wire::{Event, Fields, StreamId};

/// A request that nobody can object to.
pub(crate) const GOOD: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// A list of fields.
pub(crate) fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().copied().collect()
}

/// The head of a good answer.
pub(crate) fn ok() -> Fields {
    fields(&[(":status", "200")])
}

/// An engine and its handmade peer.
pub(crate) struct Raw {
    pub(crate) engine: Engine,
    pub(crate) now: Instant,
}

impl Raw {
    pub(crate) fn server() -> Self {
        Self::new(Role::Server, Config::default())
    }

    pub(crate) fn client() -> Self {
        Self::new(Role::Client, Config::default())
    }

    pub(crate) fn new(role: Role, config: Config) -> Self {
        let now = Instant::now();
        let mut engine = Engine::new(role, config, now);
        assert_eq!(engine.poll_event(), Some(Event::Open));
        Self { engine, now }
    }

    /// Bytes arrive.
    pub(crate) fn bytes(&mut self, bytes: impl AsRef<[u8]>) {
        let mut input = BytesMut::from(bytes.as_ref());
        self.engine.receive(&mut input, self.now);
        assert!(input.is_empty(), "the engine takes all");
    }

    pub(crate) fn eof(&mut self) {
        self.engine.receive_eof(self.now);
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.engine.poll_event()).collect()
    }

    /// What the engine has to send, with everything that was held back.
    pub(crate) fn sent(&mut self) -> String {
        self.engine.fill(self.now);
        let sent = self.engine.output().split();
        self.engine.fill(self.now);
        String::from_utf8_lossy(&sent).into_owned()
    }

    /// Time passes, in steps of what the engine waits for.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..100_000 {
            match self.engine.next_timeout().filter(|next| *next <= end) {
                Some(next) => self.now = self.now.max(next),
                None => break,
            }
            self.engine.handle_timeout(self.now);
        }
        self.now = end;
        self.engine.handle_timeout(end);
    }

    /// A request arrives; its stream and its head.
    pub(crate) fn request(&mut self, bytes: &str) -> (StreamId, farcall_wire::RequestHead, bool) {
        self.bytes(bytes);
        match self.engine.poll_event() {
            Some(Event::Request { stream, head, end }) => (stream, head, end),
            other => panic!("{other:?} came of {bytes:?}, and sent was {:?}", self.sent()),
        }
    }

    /// A whole response.
    pub(crate) fn answer(&mut self, stream: StreamId, body: &'static str) {
        self.engine.send_head(stream, &ok(), false).unwrap();
        self.engine.send_data(stream, Bytes::from_static(body.as_bytes()), true).unwrap();
        self.engine.done(stream);
    }
}

/// What a server of tests has seen and sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Story {
    /// Method, path and content of each complete request.
    pub(crate) answered: Vec<(String, String, String)>,
    /// What the application saw of them: heads, contents in one piece, trailers, ends.
    pub(crate) seen: Vec<String>,
    pub(crate) sent: String,
    pub(crate) closed: bool,
}

/// A server whose application answers each complete request with its method, path and content.
pub(crate) struct Echo {
    pub(crate) raw: Raw,
    pub(crate) story: Story,
    current: Option<(StreamId, String, String)>,
    content: Vec<u8>,
}

impl Echo {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        Self {
            raw: Raw::new(Role::Server, config),
            story: Story::default(),
            current: None,
            content: Vec::new(),
        }
    }

    /// Feeds the pieces and tells what came of them.
    pub(crate) fn tell<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Story {
        let mut echo = Self::new();
        for piece in pieces {
            echo.feed(piece);
        }
        echo.end()
    }

    pub(crate) fn end(mut self) -> Story {
        let content = std::mem::take(&mut self.content);
        if !content.is_empty() {
            self.story.seen.push(format!("content {}", content.escape_ascii()));
        }
        self.story
    }

    pub(crate) fn feed(&mut self, piece: &[u8]) {
        self.raw.bytes(piece);
        self.run();
    }

    pub(crate) fn run(&mut self) {
        loop {
            self.raw.engine.fill(self.raw.now);
            let mut quiet = true;
            while let Some(event) = self.raw.engine.poll_event() {
                quiet = false;
                self.handle(event);
            }
            self.raw.engine.fill(self.raw.now);
            let sent = self.raw.engine.output().split();
            self.story.sent.push_str(&String::from_utf8_lossy(&sent));
            if quiet && sent.is_empty() {
                break;
            }
        }
    }

    fn handle(&mut self, event: Event) {
        assert!(!self.story.closed, "{event:?} behind the end");
        match event {
            Event::Request { stream, head, end } => {
                self.story.seen.push(format!("{head:?} {end}"));
                let text = |octets: &[u8]| octets.escape_ascii().to_string();
                self.current = Some((stream, text(head.method()), text(head.path())));
                if end {
                    self.answer();
                }
            }
            Event::Data { stream, data, credit, end } => {
                assert_eq!(data.len(), credit as usize);
                self.raw.engine.release(stream, credit);
                self.content.extend_from_slice(&data);
                if end {
                    self.answer();
                }
            }
            Event::Trailers { fields, .. } => {
                self.story.seen.push(format!("{fields:?}"));
                self.answer();
            }
            Event::Reset { stream, reason, .. } => {
                self.flush();
                self.story.seen.push(format!("reset: {reason}"));
                self.current = None;
                self.raw.engine.done(stream);
            }
            Event::Closed { error } => {
                self.story.closed = true;
                self.story.seen.push(format!("closed {error:?}"));
            }
            other => panic!("{other:?}"),
        }
    }

    fn flush(&mut self) {
        let content = std::mem::take(&mut self.content);
        self.story.seen.push(format!("content {}", content.escape_ascii()));
    }

    fn answer(&mut self) {
        let content = self.content.escape_ascii().to_string();
        self.flush();
        let (stream, method, path) = self.current.take().expect("a request");
        let body = Bytes::from(format!("{method} {path} {}", content.len()));
        self.story.answered.push((method, path, content));
        self.raw.engine.send_head(stream, &ok(), false).unwrap();
        self.raw.engine.send_data(stream, body, true).unwrap();
        self.raw.engine.done(stream);
    }
}

/// One input in two pieces, in every way, and octet by octet; `tell` must say the same of each.
pub(crate) fn all_splits(input: &[u8], mut tell: impl FnMut(&[&[u8]])) {
    tell(&[input]);
    let octets: Vec<&[u8]> = input.chunks(1).collect();
    tell(&octets);
    for at in 1..input.len() {
        let (front, back) = input.split_at(at);
        tell(&[front, back]);
    }
}
