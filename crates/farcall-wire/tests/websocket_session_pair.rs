//! Two sessions against each other: calls, and long random conversations after each step of which
//! the books balance.

mod websocket_support;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use farcall_wire::http2::{ErrorCode, OpenError};
use farcall_wire::websocket::{Deflate, Session, SessionConfig};
use farcall_wire::{Event, Fields, Side, StreamId};
use websocket_support::pair::{Pair, audit, request_head, response_head, status_trailers};
use websocket_support::random::Random;

#[test]
fn a_unary_call_goes_there_and_back() {
    let mut pair = Pair::new();
    let stream = pair.client.open(&request_head(), false).unwrap();
    pair.client.send_data(stream, Bytes::from_static(b"question"), true).unwrap();
    pair.exchange();
    let events = pair.server_events();
    let [Event::Request { head, end: false, .. }, Event::Data { data, credit: 8, end: true, .. }] =
        &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((head.method(), head.scheme()), (&b"POST"[..], &b"http"[..]));
    assert_eq!(
        (head.authority(), head.path()),
        (Some(&b"localhost"[..]), &b"/greet.v1.Greeter/SayHello"[..])
    );
    let regular = Fields::from_iter([("te", "trailers"), ("content-type", "application/grpc")]);
    assert_eq!(head.fields(), &regular);
    assert_eq!(&data[..], b"question");

    pair.server.send_head(stream, &response_head(), false).unwrap();
    pair.server.send_data(stream, Bytes::from_static(b"answer"), false).unwrap();
    pair.server.send_trailers(stream, &status_trailers()).unwrap();
    pair.server.done(stream);
    pair.exchange();
    let events = pair.client_events();
    let [
        Event::Response { head, end: false, .. },
        Event::Data { data, end: false, .. },
        Event::Trailers { fields, .. },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((head.status(), &data[..]), (200, &b"answer"[..]));
    assert_eq!(fields, &status_trailers());
    pair.client.done(stream);
    assert_eq!((pair.client.active_streams(), pair.server.active_streams()), (0, 0));
}

#[test]
fn a_megabyte_crosses_windows_and_frames() {
    let mut pair = Pair::new();
    let stream = pair.open(false);
    let body = Random::new(7).bytes(1 << 20);
    let (mut sent, mut received) = (0, Vec::new());
    while received.len() < body.len() {
        let room = pair.client.send_room(stream).min(body.len() - sent);
        if room > 0 {
            let piece = Bytes::copy_from_slice(&body[sent..sent + room]);
            sent += room;
            pair.client.send_data(stream, piece, sent == body.len()).unwrap();
        }
        pair.exchange();
        received.extend(pair.take_all_server(stream));
        audit(&pair.server);
    }
    assert!(received == body);
}

#[test]
fn concurrent_streams_share_the_connection_fairly() {
    let mut config = SessionConfig::default();
    config.limits.max_window = 0;
    let mut pair = Pair::with(SessionConfig::default(), config);
    let streams: Vec<StreamId> = (0..4).map(|_| pair.open(false)).collect();
    for stream in &streams {
        pair.client.send_data(*stream, Bytes::from(vec![1; 200_000]), false).unwrap();
    }
    pair.exchange();
    let mut received: BTreeMap<StreamId, usize> = BTreeMap::new();
    for event in pair.server_events() {
        if let Event::Data { stream, data, .. } = event {
            *received.entry(stream).or_default() += data.len();
        }
    }
    assert_eq!(received.values().copied().collect::<Vec<_>>(), [65_536; 4]);
}

#[test]
fn a_full_stream_is_writable_again_when_the_peer_reads() {
    let mut pair = Pair::new();
    let stream = pair.open(false);
    while pair.client.send_room(stream) > 0 {
        pair.client.send_data(stream, Bytes::from(vec![0; 50_000]), false).unwrap();
    }
    pair.exchange();
    assert!(!pair.client_events().contains(&Event::Writable { stream }));
    while pair.client.send_room(stream) == 0 {
        assert!(!pair.take_all_server(stream).is_empty());
        pair.exchange();
    }
    let told = pair.client_events().contains(&Event::Writable { stream });
    for _ in 0..10 {
        pair.take_all_server(stream);
        pair.exchange();
    }
    assert!(told || pair.client_events().contains(&Event::Writable { stream }));
    assert_eq!(pair.client.snapshot().queued, 0);
}

#[test]
fn streams_over_the_limit_wait_for_capacity() {
    let mut pair = Pair::new();
    assert_eq!(pair.client.open_room(), 128);
    let streams: Vec<StreamId> =
        (0..128).map(|_| pair.client.open(&request_head(), true).unwrap()).collect();
    assert_eq!(pair.client.open(&request_head(), true), Err(OpenError::Concurrency));
    pair.exchange();
    assert_eq!(pair.server_events().len(), 128);
    pair.server.send_head(streams[5], &response_head(), true).unwrap();
    pair.server.done(streams[5]);
    pair.exchange();
    let events = pair.client_events();
    assert!(
        matches!(events[..], [Event::Response { end: true, .. }, Event::Capacity { streams: 1 }]),
        "{events:?}"
    );
    pair.client.open(&request_head(), true).unwrap();
}

#[test]
fn a_cancelled_call_leaves_nothing_behind() {
    let mut pair = Pair::new();
    let stream = pair.open(false);
    pair.client.send_data(stream, Bytes::from(vec![0; 300_000]), false).unwrap();
    pair.exchange();
    pair.client.reset(stream, ErrorCode::Cancel);
    pair.client.done(stream);
    pair.exchange();
    pair.take_all_server(stream);
    assert_eq!(pair.server.active_streams(), 1, "the handler still runs");
    pair.server.done(stream);
    assert_eq!((pair.client.active_streams(), pair.server.active_streams()), (0, 0));
    assert_eq!(pair.client.snapshot().queued, 0);
}

#[test]
fn a_dropped_call_is_reset() {
    let mut pair = Pair::new();
    let stream = pair.open(false);
    pair.client.done(stream);
    pair.exchange();
    let events = pair.server_events();
    assert!(
        matches!(events[..], [Event::Reset { code: ErrorCode::Cancel, by: Side::Remote, .. }]),
        "{events:?}"
    );
}

#[test]
fn a_ping_comes_back_with_its_octets() {
    let mut pair = Pair::new();
    pair.client.ping(*b"are you?");
    pair.exchange();
    assert_eq!(pair.client_events(), [Event::Pong { payload: *b"are you?" }]);
    assert_eq!(pair.server_events(), []);
}

#[test]
fn a_drained_server_finishes_what_is_in_flight() {
    let mut pair = Pair::new();
    let early = pair.open(true);
    pair.server.drain(pair.now);
    // A request that left before the news arrived is still taken.
    let crossing = pair.client.open(&request_head(), true).unwrap();
    pair.exchange();
    assert!(
        matches!(pair.server_events()[..], [Event::Request { stream, .. }] if stream == crossing)
    );
    let drained = pair.client_events();
    assert!(matches!(drained[0], Event::Draining { code: ErrorCode::NoError, .. }), "{drained:?}");
    assert_eq!(pair.client.open(&request_head(), true), Err(OpenError::Draining));
    for stream in [early, crossing] {
        assert!(!pair.server.is_drained());
        pair.server.send_head(stream, &response_head(), true).unwrap();
        pair.server.done(stream);
    }
    assert!(pair.server.is_drained());
    pair.exchange();
    assert_eq!(pair.client_events().len(), 2);
    for stream in [early, crossing] {
        pair.client.done(stream);
    }
    assert!(pair.client.is_drained());
}

#[test]
fn a_drain_does_not_wait_for_ever_for_the_peer() {
    let mut pair = Pair::new();
    pair.server.drain(pair.now);
    assert!(!pair.server.is_drained());
    pair.server.handle_timeout(pair.now + Duration::from_secs(20));
    assert!(pair.server.is_drained());
}

#[test]
fn idle_connections_are_drained_after_fifteen_minutes_and_kept_alive_until_then() {
    let mut pair = Pair::new();
    pair.pass(Duration::from_secs(14 * 60 + 59));
    assert!(!pair.client.is_drained() && !pair.server.is_drained());
    pair.call(b"question", b"answer");
    pair.pass(Duration::from_secs(14 * 60 + 59));
    assert!(!pair.client.is_drained() && !pair.server.is_drained());
    pair.pass(Duration::from_mins(1));
    assert!(pair.client.is_drained() && pair.server.is_drained());
}

/// One random conversation: what was sent on each stream arrives in order, and the books balance
/// after each step.
struct Conversation {
    pair: Pair,
    random: Random,
    /// Octets sent and octets received, per stream: to the server, to the client. The octets count
    /// up.
    calls: BTreeMap<StreamId, Call>,
    unreleased: [Vec<(StreamId, u32)>; 2],
    finished: usize,
}

#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own
struct Call {
    forth: [u64; 2],
    back: [u64; 2],
    seen: bool,
    answered: bool,
    forth_ended: bool,
    back_ended: bool,
    forth_complete: bool,
    back_complete: bool,
    cancelled: bool,
}

impl Conversation {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let config = |random: &mut Random| {
            let mut config = SessionConfig::default();
            config.limits.stream_window = [100, 65_536, 100_000, 200_000][random.below(4)];
            config.limits.max_concurrent_streams = [1, 10, 128][random.below(3)];
            config.limits.copy_below = [0, 2048][random.below(2)];
            config.limits.small_chunk_delay = Duration::from_millis(1);
            config
        };
        let (mut client, mut server) = (config(&mut random), config(&mut random));
        if random.once_in(4) {
            let deflate = Deflate {
                level: 1,
                min_length: 100,
                local_no_context_takeover: false,
                remote_no_context_takeover: false,
                local_window_bits: 15,
            };
            client.websocket.deflate = Some(deflate);
            server.websocket.deflate = Some(deflate);
        }
        let pair = Pair::with(client, server);
        Self {
            pair,
            random,
            calls: BTreeMap::new(),
            unreleased: [Vec::new(), Vec::new()],
            finished: 0,
        }
    }

    fn run(mut self, steps: usize) -> usize {
        for step in 0..steps {
            self.act();
            self.pair.now += Duration::from_micros(500);
            self.pair.exchange_some(&mut self.random);
            self.tick();
            self.take_events();
            self.check();
            if step % 10 == 0 {
                self.check_streams(0);
                self.check_streams(1);
            }
        }
        self.wind_up();
        self.finished
    }

    fn tick(&mut self) {
        let now = self.pair.now;
        for session in [&mut self.pair.client, &mut self.pair.server] {
            if session.next_timeout().is_some_and(|time| time <= now) {
                session.handle_timeout(now);
            }
        }
    }

    fn pick(&mut self) -> Option<StreamId> {
        let length = self.calls.len();
        (length > 0).then(|| *self.calls.keys().nth(self.random.below(length)).unwrap())
    }

    fn act(&mut self) {
        match self.random.below(12) {
            0 | 1 => {
                let end = self.random.once_in(4);
                if let Ok(stream) = self.pair.client.open(&request_head(), end) {
                    let call = Call { forth_ended: end, ..Call::default() };
                    self.calls.insert(stream, call);
                }
            }
            2..=4 => self.send_forth(),
            5..=7 => self.send_back(),
            8 | 9 => self.release_some(),
            10 if self.random.once_in(4) => self.cancel(),
            _ => self.pair.now += Duration::from_millis(3),
        }
    }

    fn piece(&mut self, from: u64) -> Bytes {
        let length = [0, 1, 10, 1_000, 40_000][self.random.below(5)];
        (from..from + length).map(|octet| octet as u8).collect()
    }

    fn send_forth(&mut self) {
        let Some(stream) = self.pick() else { return };
        let sent = self.calls[&stream].forth[0];
        let (data, end) = (self.piece(sent), self.random.once_in(6));
        let call = self.calls.get_mut(&stream).unwrap();
        if call.forth_ended || call.cancelled || self.pair.client.send_room(stream) < data.len() {
            return;
        }
        call.forth[0] += data.len() as u64;
        call.forth_ended = end;
        self.pair.client.send_data(stream, data, end).unwrap();
    }

    fn send_back(&mut self) {
        let Some(stream) = self.pick() else { return };
        let sent = self.calls[&stream].back[0];
        let (data, end, trailers) =
            (self.piece(sent), self.random.once_in(6), self.random.once_in(2));
        let call = self.calls.get_mut(&stream).unwrap();
        if !call.seen || call.cancelled || call.back_ended {
            return;
        }
        let server = &mut self.pair.server;
        if !call.answered {
            server.send_head(stream, &response_head(), false).unwrap();
            call.answered = true;
        }
        if server.send_room(stream) < data.len() {
            return;
        }
        call.back[0] += data.len() as u64;
        call.back_ended = end;
        server.send_data(stream, data, end && !trailers).unwrap();
        if end && trailers {
            server.send_trailers(stream, &status_trailers()).unwrap();
        }
    }

    fn release_some(&mut self) {
        let side = self.random.below(2);
        if self.unreleased[side].is_empty() {
            return;
        }
        let at = self.random.below(self.unreleased[side].len());
        let (stream, credit) = self.unreleased[side].swap_remove(at);
        self.session(side).release(stream, credit);
    }

    fn session(&mut self, side: usize) -> &mut Session {
        if side == 0 { &mut self.pair.server } else { &mut self.pair.client }
    }

    fn cancel(&mut self) {
        let Some(stream) = self.pick() else { return };
        let call = self.calls.get_mut(&stream).unwrap();
        call.cancelled = true;
        if self.random.once_in(2) || !call.seen {
            self.pair.client.reset(stream, ErrorCode::Cancel);
        } else {
            self.pair.server.reset(stream, ErrorCode::InternalError);
        }
    }

    fn take_events(&mut self) {
        for event in self.pair.server_events() {
            self.take(event, 0);
        }
        for event in self.pair.client_events() {
            self.take(event, 1);
        }
        let through: Vec<StreamId> = self
            .calls
            .iter()
            .filter(|(_, call)| call.cancelled || call.forth_complete && call.back_complete)
            .map(|(stream, _)| *stream)
            .collect();
        for stream in through {
            let call = self.calls.remove(&stream).unwrap();
            if !call.cancelled {
                assert_eq!(
                    (call.forth[0], call.back[0]),
                    (call.forth[1], call.back[1]),
                    "octets were lost"
                );
                self.finished += 1;
            }
            self.pair.client.done(stream);
            self.pair.server.done(stream);
        }
    }

    fn take(&mut self, event: Event, side: usize) {
        match event {
            Event::Request { stream, end, .. } => match self.calls.get_mut(&stream) {
                Some(call) => (call.seen, call.forth_complete) = (true, end),
                None => self.pair.server.done(stream),
            },
            Event::Data { stream, data, credit, end } => {
                self.unreleased[side].push((stream, credit));
                let Some(call) = self.calls.get_mut(&stream) else { return };
                let counts = if side == 0 { &mut call.forth } else { &mut call.back };
                for octet in &data {
                    assert_eq!(*octet, counts[1] as u8, "octets out of order");
                    counts[1] += 1;
                }
                *(if side == 0 { &mut call.forth_complete } else { &mut call.back_complete }) |=
                    end;
            }
            Event::Trailers { stream, .. } => {
                if let Some(call) = self.calls.get_mut(&stream) {
                    call.back_complete = true;
                }
            }
            Event::Reset { stream, code, reason, .. } => match self.calls.get_mut(&stream) {
                Some(call) => {
                    assert!(
                        call.cancelled
                            || matches!(code, ErrorCode::RefusedStream | ErrorCode::ConnectError),
                        "{code}: {reason}"
                    );
                    call.cancelled = true;
                }
                None => self.session(side).done(stream),
            },
            Event::Closed { error } => panic!("closed: {error:?}"),
            _ => {}
        }
    }

    fn check(&self) {
        audit(&self.pair.client);
        audit(&self.pair.server);
    }

    /// What one end may send is never more than what the other end takes; and the session knows what the application has not released.
    fn check_streams(&self, side: usize) {
        let (client, server) = (&self.pair.client, &self.pair.server);
        let (here, there) = if side == 0 { (server, client) } else { (client, server) };
        let sending: BTreeMap<StreamId, u32> =
            there.stream_snapshots().map(|stream| (stream.stream, stream.send_window)).collect();
        let mut held: BTreeMap<StreamId, u32> = BTreeMap::new();
        for (stream, credit) in &self.unreleased[side] {
            *held.entry(*stream).or_default() += credit;
        }
        for stream in here.stream_snapshots() {
            assert_eq!(held.get(&stream.stream).copied().unwrap_or(0), stream.receive_held);
            if let Some(&send_window) = sending.get(&stream.stream) {
                assert!(send_window <= stream.receive_window, "{send_window}, {stream:?}");
            }
        }
    }

    /// Everything is cancelled and released: nothing is left.
    fn wind_up(&mut self) {
        for stream in self.calls.keys().copied().collect::<Vec<_>>() {
            self.pair.client.reset(stream, ErrorCode::Cancel);
            self.calls.get_mut(&stream).unwrap().cancelled = true;
        }
        for _ in 0..3 {
            self.pair.exchange();
            self.take_events();
            for side in 0..2 {
                for (stream, credit) in std::mem::take(&mut self.unreleased[side]) {
                    self.session(side).release(stream, credit);
                }
            }
        }
        self.pair.exchange();
        let (client, server) = (self.pair.client.snapshot(), self.pair.server.snapshot());
        for end in [client, server] {
            assert_eq!(
                (end.streams, end.queued, end.receive_held, end.receive_grown),
                (0, 0, 0, 0)
            );
        }
    }
}

#[test]
fn random_conversations_lose_nothing_and_leave_nothing() {
    let finished: usize = (0..32).map(|seed| Conversation::new(seed).run(800)).sum();
    assert!(finished > 150, "only {finished} calls came to their end");
}

#[test]
fn h34_thousands_of_random_cancels_leave_nothing_behind() {
    let mut pair = Pair::new();
    let mut random = Random::new(34);
    let mut open: Vec<StreamId> = Vec::new();
    for round in 0..6_000 {
        // As fast as the reset budget refills.
        pair.now += Duration::from_millis(10);
        while let Ok(stream) = pair.client.open(&request_head(), false) {
            open.push(stream);
            if random.once_in(2) {
                break;
            }
        }
        let stream = open.swap_remove(random.below(open.len()));
        let _ = pair.client.send_data(
            stream,
            Bytes::from(vec![0; random.below(3_000)]),
            random.once_in(3),
        );
        if random.once_in(2) {
            pair.exchange_some(&mut random);
        }
        pair.client.reset(stream, ErrorCode::Cancel);
        pair.client.done(stream);
        pair.exchange_some(&mut random);
        for event in pair.server_events() {
            match event {
                Event::Data { stream, credit, .. } => pair.server.release(stream, credit),
                Event::Reset { stream, .. } => pair.server.done(stream),
                Event::Closed { error } => panic!("round {round}: {error:?}"),
                _ => {}
            }
        }
        audit(&pair.server);
        if let Some(Event::Closed { error }) = pair.client_events().pop() {
            panic!("round {round}: {error:?}");
        }
    }
    for stream in open {
        pair.client.reset(stream, ErrorCode::Cancel);
        pair.client.done(stream);
    }
    pair.exchange();
    for event in pair.server_events() {
        match event {
            Event::Data { stream, credit, .. } => pair.server.release(stream, credit),
            Event::Reset { stream, .. } => pair.server.done(stream),
            _ => {}
        }
    }
    pair.exchange();
    let (client, server) = (pair.client.snapshot(), pair.server.snapshot());
    assert_eq!((client.streams, server.streams, server.receive_held), (0, 0, 0));
    assert_eq!((client.queued, server.receive_grown), (0, 0));
}

/// Sends 8 MiB over a path of 50 ms each way; returns the size of the window at the end.
fn window_after_a_long_body(max_window: u32) -> u32 {
    let mut config = SessionConfig::default();
    config.limits.max_window = max_window;
    let mut sender = SessionConfig::default();
    sender.limits.max_unsent_stream = 4 << 20;
    sender.limits.output_high_water = 4 << 20;
    let mut pair = Pair::with(sender, config);
    let stream = pair.open(false);
    let mut left = 8 << 20;
    let mut size = 0;
    while left > 0 {
        let room = pair.client.send_room(stream).min(left);
        if room > 0 {
            left -= room;
            pair.client.send_data(stream, vec![0; room].into(), false).unwrap();
        }
        pair.collect();
        pair.now += Duration::from_millis(50);
        pair.deliver(usize::MAX, usize::MAX);
        pair.take_all_server(stream);
        audit(&pair.server);
        size = pair.server.stream_snapshots().next().unwrap().receive_size;
    }
    size
}

#[test]
fn a_window_grows_with_the_measured_path_and_not_above_its_limit() {
    assert!(window_after_a_long_body(8 << 20) > 1 << 20);
    assert_eq!(window_after_a_long_body(256 * 1024), 256 * 1024);
    assert_eq!(window_after_a_long_body(0), 64 * 1024);
}
