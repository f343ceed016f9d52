//! Long random conversations, after each step of which the books balance.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use farcall_wire::http2::ErrorCode;
use farcall_wire::{Event, StreamId};

use crate::support::pair::{Pair, request_head, response_head, status_trailers};
use crate::support::protocol::{
    self, CANCELS, CONVERSATIONS, Config, End, FINISHED, STREAM_WINDOWS, audit,
};
use crate::support::random::Random;

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
            let mut config = Config::default();
            config.limits.stream_window = STREAM_WINDOWS[random.below(4)];
            config.limits.max_concurrent_streams = [1, 10, 128][random.below(3)];
            config.limits.copy_below = [0, 2048][random.below(2)];
            config.limits.small_chunk_delay = Duration::from_millis(1);
            config
        };
        let (mut client, mut server) = (config(&mut random), config(&mut random));
        protocol::vary(&mut client, &mut server, &mut random);
        let pair = Pair::strangers(client, server);
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
        for end in [&mut self.pair.client, &mut self.pair.server] {
            if end.next_timeout().is_some_and(|time| time <= now) {
                end.handle_timeout(now);
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
        self.end(side).release(stream, credit);
    }

    fn end(&mut self, side: usize) -> &mut End {
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
                None => self.end(side).done(stream),
            },
            Event::Closed { error } => panic!("closed: {error:?}"),
            _ => {}
        }
    }

    fn check(&self) {
        audit(&self.pair.client);
        audit(&self.pair.server);
        protocol::audit_both(&self.pair.client.snapshot(), &self.pair.server.snapshot());
    }

    /// What one end may send on a stream is never more than what the other end takes; and each end
    /// knows what the application has not released.
    fn check_streams(&self, side: usize) {
        let (client, server) = (&self.pair.client, &self.pair.server);
        let (here, there) = if side == 0 { (server, client) } else { (client, server) };
        let sending: BTreeMap<StreamId, _> =
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

    /// Everything is cancelled and released: nothing is left, and the windows are full again.
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
                    self.end(side).release(stream, credit);
                }
            }
        }
        self.pair.exchange();
        let (client, server) = (self.pair.client.snapshot(), self.pair.server.snapshot());
        for (here, there) in [(client, server), (server, client)] {
            assert_eq!(
                (here.streams, here.queued, here.receive_held, here.receive_grown),
                (0, 0, 0, 0),
                "{here:?}"
            );
            protocol::assert_full(&here, &there);
        }
    }
}

#[test]
fn random_conversations_lose_nothing_and_leave_nothing() {
    let finished: usize = (0..CONVERSATIONS).map(|seed| Conversation::new(seed).run(800)).sum();
    assert!(finished > FINISHED, "only {finished} calls came to their end");
}

#[test]
fn h34_random_cancels_leave_nothing_behind_and_bring_the_windows_back_to_full() {
    let mut pair = Pair::new();
    let mut random = Random::new(34);
    let mut open: Vec<StreamId> = Vec::new();
    for round in 0..CANCELS {
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
    protocol::assert_full(&client, &server);
}
