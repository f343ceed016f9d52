//! Two ends of a connection against each other in memory, with a clock that only the test moves.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use farcall_wire::http2::Role;
use farcall_wire::{Event, Fields, StreamId};

use super::protocol::{Config, End, TAKES_ALL};
use super::random::Random;

/// The two ends and the bytes on their way.
pub(crate) struct Pair {
    pub(crate) client: End,
    pub(crate) server: End,
    pub(crate) now: Instant,
    /// Bytes that left one end and have not arrived at the other.
    pub(crate) to_server: BytesMut,
    pub(crate) to_client: BytesMut,
    /// Bytes that arrived, of which the end left a partial frame.
    server_input: BytesMut,
    client_input: BytesMut,
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
    /// Two ends with default settings, past their greetings.
    pub(crate) fn new() -> Self {
        Self::with(Config::default(), Config::default())
    }

    /// Two ends, past their greetings.
    pub(crate) fn with(client: Config, server: Config) -> Self {
        let mut pair = Self::strangers(client, server);
        pair.exchange();
        let greeted = pair.client_events();
        assert!(
            matches!(greeted[..], [Event::Open] | [Event::Open, Event::Capacity { .. }]),
            "{greeted:?}"
        );
        assert_eq!(pair.server_events(), [Event::Open]);
        pair
    }

    /// Two ends that have exchanged nothing.
    pub(crate) fn strangers(client: Config, server: Config) -> Self {
        let now = Instant::now();
        Self {
            client: End::new(Role::Client, client, now),
            server: End::new(Role::Server, server, now),
            now,
            to_server: BytesMut::new(),
            to_client: BytesMut::new(),
            server_input: BytesMut::new(),
            client_input: BytesMut::new(),
        }
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
        let forth = forth.min(self.to_server.len());
        self.server_input.unsplit(self.to_server.split_to(forth));
        self.server.receive(&mut self.server_input, self.now);
        assert!(!TAKES_ALL || self.server_input.is_empty());
        let back = back.min(self.to_client.len());
        self.client_input.unsplit(self.to_client.split_to(back));
        self.client.receive(&mut self.client_input, self.now);
        assert!(!TAKES_ALL || self.client_input.is_empty());
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

fn take_data(end: &mut End, wanted: StreamId, events: Vec<Event>) -> Vec<u8> {
    let mut body = Vec::new();
    for event in events {
        if let Event::Data { stream, data, credit, .. } = event {
            end.release(stream, credit);
            if stream == wanted {
                body.extend_from_slice(&data);
            }
        }
    }
    body
}
