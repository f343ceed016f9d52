//! Two sessions against each other in memory, with a clock that only the test moves.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use farcall_wire::http2::Role;
use farcall_wire::websocket::{Session, SessionConfig};
use farcall_wire::{Event, Fields, StreamId};

use super::random::Random;

/// The two ends and the bytes on their way.
pub(crate) struct Pair {
    pub(crate) client: Session,
    pub(crate) server: Session,
    pub(crate) now: Instant,
    /// Bytes that left one end and have not arrived at the other.
    pub(crate) to_server: BytesMut,
    pub(crate) to_client: BytesMut,
}

/// The head of a call.
pub(crate) fn request_head() -> Fields {
    Fields::from_iter([
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/greet.v1.Greeter/SayHello"),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ])
}

/// The head of its answer.
pub(crate) fn response_head() -> Fields {
    Fields::from_iter([(":status", "200"), ("content-type", "application/grpc")])
}

/// The end of its answer.
pub(crate) fn status_trailers() -> Fields {
    Fields::from_iter([("grpc-status", "0")])
}

impl Pair {
    /// Two sessions with default settings.
    pub(crate) fn new() -> Self {
        Self::with(SessionConfig::default(), SessionConfig::default())
    }

    /// Two sessions that know each other.
    pub(crate) fn with(client: SessionConfig, server: SessionConfig) -> Self {
        let now = Instant::now();
        let mut pair = Self {
            client: Session::new(Role::Client, client, now),
            server: Session::new(Role::Server, server, now),
            now,
            to_server: BytesMut::new(),
            to_client: BytesMut::new(),
        };
        assert_eq!(pair.client_events(), [Event::Open]);
        assert_eq!(pair.server_events(), [Event::Open]);
        pair
    }

    /// Moves all bytes until both ends are quiet.
    pub(crate) fn exchange(&mut self) {
        for _ in 0..10_000 {
            self.collect();
            if self.to_server.is_empty() && self.to_client.is_empty() {
                return;
            }
            self.deliver(usize::MAX, usize::MAX);
        }
        panic!("the two ends never become quiet");
    }

    /// Lets a random number of bytes, perhaps none, arrive at both ends.
    pub(crate) fn exchange_some(&mut self, random: &mut Random) {
        self.collect();
        let most = [1, 9, 40, 3_000, 100_000][random.below(5)];
        let (forth, back) = (random.below(most + 1), random.below(most + 1));
        self.deliver(forth, back);
    }

    /// Takes the output of both ends.
    pub(crate) fn collect(&mut self) {
        self.client.fill(self.now);
        self.to_server.unsplit(self.client.output().split());
        self.server.fill(self.now);
        self.to_client.unsplit(self.server.output().split());
    }

    /// Lets some of the bytes on their way arrive.
    pub(crate) fn deliver(&mut self, forth: usize, back: usize) {
        let mut input = self.to_server.split_to(forth.min(self.to_server.len()));
        self.server.receive(&mut input, self.now);
        assert!(input.is_empty());
        let mut input = self.to_client.split_to(back.min(self.to_client.len()));
        self.client.receive(&mut input, self.now);
        assert!(input.is_empty());
    }

    /// Time passes for both ends, in steps no longer than what they wait for.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..10_000 {
            let next = [self.client.next_timeout(), self.server.next_timeout()]
                .into_iter()
                .flatten()
                .min();
            match next.filter(|next| *next <= end) {
                Some(next) => self.now = self.now.max(next),
                None => break,
            }
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
            self.exchange();
        }
        self.now = end;
    }

    pub(crate) fn client_events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    pub(crate) fn server_events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.server.poll_event()).collect()
    }

    /// Opens a stream, and lets the server see it.
    pub(crate) fn open(&mut self, end: bool) -> StreamId {
        let stream = self.client.open(&request_head(), end).unwrap();
        self.exchange();
        let events = self.server_events();
        assert!(
            matches!(events[..], [Event::Request { stream: seen, .. }] if seen == stream),
            "{events:?}"
        );
        stream
    }

    /// A whole unary call.
    pub(crate) fn call(&mut self, request: &'static [u8], reply: &'static [u8]) -> StreamId {
        let stream = self.client.open(&request_head(), false).unwrap();
        self.client.send_data(stream, Bytes::from_static(request), true).unwrap();
        self.exchange();
        self.take_all_server(stream);
        self.server.send_head(stream, &response_head(), false).unwrap();
        self.server.send_data(stream, Bytes::from_static(reply), false).unwrap();
        self.server.send_trailers(stream, &status_trailers()).unwrap();
        self.server.done(stream);
        self.exchange();
        self.take_all_client(stream);
        self.client.done(stream);
        stream
    }

    /// Drains the server's events and gives all credit back.
    pub(crate) fn take_all_server(&mut self, stream: StreamId) -> Vec<u8> {
        let events = self.server_events();
        take_data(&mut self.server, stream, events)
    }

    /// Drains the client's events and gives all credit back.
    pub(crate) fn take_all_client(&mut self, stream: StreamId) -> Vec<u8> {
        let events = self.client_events();
        take_data(&mut self.client, stream, events)
    }
}

fn take_data(session: &mut Session, wanted: StreamId, events: Vec<Event>) -> Vec<u8> {
    let mut body = Vec::new();
    for event in events {
        if let Event::Data { stream, data, credit, .. } = event {
            session.release(stream, credit);
            if stream == wanted {
                body.extend_from_slice(&data);
            }
        }
    }
    body
}

/// What must be true of a session at any time.
pub(crate) fn audit(session: &Session) {
    let now = session.snapshot();
    let (mut held, mut grown) = (0, 0);
    for stream in session.stream_snapshots() {
        let sum = stream.receive_window + stream.receive_unannounced + stream.receive_held;
        assert_eq!(sum, stream.receive_size, "a stream's window leaks: {stream:?}");
        held += u64::from(stream.receive_held);
        grown += stream.receive_size - now.stream_receive_size;
    }
    assert_eq!((now.receive_held, now.receive_grown), (held, grown), "{now:?}");
}
