//! A client and a server, in memory: whole exchanges in all their forms.

mod http1_support;

use bytes::{Bytes, BytesMut};
use farcall_wire::http1::{Config, Engine, Role};
use farcall_wire::{Event, Fields, StreamId};
use http1_support::fields;
use http1_support::random::Random;
use std::time::Instant;

/// The two ends.
struct Pair {
    client: Engine,
    server: Engine,
    now: Instant,
    random: Random,
}

impl Pair {
    fn new(seed: u64) -> Self {
        let now = Instant::now();
        let mut pair = Self {
            client: Engine::new(Role::Client, Config::default(), now),
            server: Engine::new(Role::Server, Config::default(), now),
            now,
            random: Random::new(seed),
        };
        assert_eq!(pair.client.poll_event(), Some(Event::Open));
        assert_eq!(pair.server.poll_event(), Some(Event::Open));
        pair
    }

    /// Moves bytes from one end to the other, in pieces of any size.
    fn carry(from: &mut Engine, to: &mut Engine, random: &mut Random, now: Instant) -> bool {
        from.fill(now);
        let mut moved = false;
        while !from.output().is_empty() && to.wants_input() {
            let most = from.output().len();
            let usual = [1, 7, 100, 60_000][random.below(4)];
            let size = 1 + random.below(most.min(usual));
            let mut piece: BytesMut = from.output().split_to(size);
            to.receive(&mut piece, now);
            moved = true;
        }
        moved
    }

    fn exchange(&mut self) -> bool {
        let forth = Self::carry(&mut self.client, &mut self.server, &mut self.random, self.now);
        let back = Self::carry(&mut self.server, &mut self.client, &mut self.random, self.now);
        forth || back
    }
}

/// One end of one exchange: what it has to send and what it has received.
#[derive(Default)]
struct End {
    stream: Option<StreamId>,
    to_send: Vec<Bytes>,
    trailers: Option<Fields>,
    ended: bool,
    received: Vec<u8>,
    head: Option<Fields>,
    their_trailers: Option<Fields>,
    complete: bool,
}

impl End {
    fn send(&mut self, engine: &mut Engine, random: &mut Random) {
        let Some(stream) = self.stream.filter(|_| !self.ended) else { return };
        while !self.to_send.is_empty() && engine.send_room(stream) > 0 && !random.once_in(4) {
            engine.send_data(stream, self.to_send.remove(0), false).unwrap();
        }
        if self.to_send.is_empty() {
            self.ended = true;
            let trailers = self.trailers.clone().unwrap_or_default();
            engine.send_trailers(stream, &trailers).unwrap();
        }
    }

    fn receive(&mut self, event: Event, engine: &mut Engine) {
        match event {
            Event::Request { stream, head, end } => {
                self.stream = Some(stream);
                self.head = Some(head.fields().clone());
                self.complete = end;
            }
            Event::Response { head, end, .. } => {
                self.head = Some(head.fields().clone());
                self.complete = end;
            }
            Event::Data { stream, data, credit, end } => {
                self.received.extend_from_slice(&data);
                engine.release(stream, credit);
                self.complete |= end;
            }
            Event::Trailers { fields, .. } => {
                self.their_trailers = Some(fields);
                self.complete = true;
            }
            Event::Writable { .. } | Event::Capacity { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

fn content(random: &mut Random) -> Vec<Bytes> {
    let pieces = random.below(4);
    (0..pieces)
        .map(|_| {
            let size = [0, 1, 200, 5_000, 300_000][random.below(5)];
            Bytes::from(random.bytes(size))
        })
        .collect()
}

fn trailers(random: &mut Random) -> Option<Fields> {
    random.once_in(3).then(|| fields(&[("sum", "7"), ("x-y", "z")]))
}

fn one_exchange(pair: &mut Pair, number: u32) {
    let (mut client, mut server) = (End::default(), End::default());
    client.to_send = content(&mut pair.random);
    client.trailers = trailers(&mut pair.random);
    server.to_send = content(&mut pair.random);
    server.trailers = trailers(&mut pair.random);
    let (question, answer) = (client.to_send.concat(), server.to_send.concat());
    let (asked, told) = (client.trailers.clone(), server.trailers.clone());
    let request = fields(&[(":method", "POST"), (":path", "/x"), (":authority", "a"), ("n", "1")]);
    client.stream = Some(pair.client.open(&request, false).unwrap());
    assert_eq!(client.stream, Some(StreamId(number)));
    let mut answered = false;
    for _ in 0..100_000 {
        client.send(&mut pair.client, &mut pair.random);
        if let Some(stream) = server.stream {
            if !answered {
                answered = true;
                let head = fields(&[(":status", "200"), ("m", "2")]);
                pair.server.send_head(stream, &head, false).unwrap();
            }
            server.send(&mut pair.server, &mut pair.random);
        }
        pair.exchange();
        while let Some(event) = pair.server.poll_event() {
            server.receive(event, &mut pair.server);
        }
        while let Some(event) = pair.client.poll_event() {
            client.receive(event, &mut pair.client);
        }
        if client.complete && server.complete && client.ended && server.ended {
            break;
        }
    }
    pair.server.done(server.stream.unwrap());
    pair.client.done(client.stream.unwrap());
    assert!(server.received == question && client.received == answer);
    // Trailers make chunks of the content, even of none.
    assert_eq!(server.their_trailers, asked);
    assert_eq!(client.their_trailers, told);
    assert_eq!(server.head.unwrap().get("n"), Some(&b"1"[..]));
    assert_eq!(client.head.unwrap().get("m"), Some(&b"2"[..]));
}

#[test]
fn many_exchanges_of_any_size_in_any_pieces() {
    for seed in 0..12 {
        let mut pair = Pair::new(seed);
        for number in 1..=12 {
            one_exchange(&mut pair, number);
        }
        assert_eq!((pair.client.active_streams(), pair.server.active_streams()), (0, 0));
    }
}

#[test]
fn both_ends_drain_in_good_order() {
    let mut pair = Pair::new(1);
    one_exchange(&mut pair, 1);
    let request = fields(&[(":method", "GET"), (":path", "/x"), (":authority", "a")]);
    let stream = pair.client.open(&request, true).unwrap();
    pair.exchange();
    let Some(Event::Request { stream: theirs, end: true, .. }) = pair.server.poll_event() else {
        panic!("no request");
    };
    pair.server.drain(pair.now);
    pair.server.send_head(theirs, &fields(&[(":status", "200")]), true).unwrap();
    pair.server.done(theirs);
    while pair.exchange() {}
    let events: Vec<Event> = std::iter::from_fn(|| pair.client.poll_event()).collect();
    assert!(
        matches!(events[..], [Event::Response { end: true, .. }, Event::Draining { .. }]),
        "{events:?}"
    );
    pair.client.done(stream);
    pair.exchange();
    assert!(pair.client.is_drained() && pair.server.is_drained());
    assert_eq!(pair.client.poll_event(), Some(Event::Closed { error: None }));
    assert_eq!(pair.server.poll_event(), Some(Event::Closed { error: None }));
}

#[test]
fn an_upgraded_pair_exchanges_anything() {
    let mut pair = Pair::new(3);
    let request =
        fields(&[(":method", "GET"), (":path", "/x"), (":authority", "a"), ("upgrade", "echo")]);
    let stream = pair.client.open(&request, true).unwrap();
    pair.exchange();
    assert!(matches!(pair.server.poll_event(), Some(Event::Request { .. })));
    pair.server.upgrade(stream, &fields(&[("upgrade", "echo")])).unwrap();
    while pair.exchange() {}
    assert!(matches!(pair.client.poll_event(), Some(Event::Response { end: false, .. })));
    let sent = Bytes::from(pair.random.bytes(400_000));
    pair.client.send_data(stream, sent.clone(), false).unwrap();
    let (mut echoed, mut back) = (0, Vec::new());
    while back.len() < sent.len() {
        pair.exchange();
        while let Some(event) = pair.server.poll_event() {
            if let Event::Data { data, credit, .. } = event {
                echoed += data.len();
                pair.server.send_data(stream, data, false).unwrap();
                pair.server.release(stream, credit);
            }
        }
        while let Some(event) = pair.client.poll_event() {
            if let Event::Data { data, credit, .. } = event {
                back.extend_from_slice(&data);
                pair.client.release(stream, credit);
            }
        }
    }
    assert_eq!((echoed, back), (sent.len(), sent.to_vec()));
}
