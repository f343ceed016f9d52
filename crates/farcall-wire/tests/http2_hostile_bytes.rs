//! Any bytes at all: an engine never panics, and its books balance.

mod support;

use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use farcall_wire::Event;
use farcall_wire::http2::frame::CLIENT_PREFACE;
use farcall_wire::http2::{Config, Engine, ErrorCode, Role};
use proptest::collection::vec;
use proptest::prelude::*;
use support::pair::{Pair, audit, request_head, response_head, status_trailers};
use support::random::Random;

/// Feeds `bytes` in pieces, answers what comes of them, lets time pass.
fn feed(engine: &mut Engine, bytes: &[u8], random: &mut Random) {
    let mut now = Instant::now();
    let mut input = BytesMut::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(1 + random.below(rest.len()));
        rest = behind;
        input.extend_from_slice(piece);
        engine.receive(&mut input, now);
        while let Some(event) = engine.poll_event() {
            respond(engine, &event, random);
        }
        engine.fill(now);
        if random.once_in(3) {
            engine.output().clear();
        }
        now += Duration::from_millis(random.below(2_000) as u64);
        engine.handle_timeout(now);
        if !engine.is_closed() {
            audit(engine);
        }
    }
    engine.receive_eof(now);
    assert!(engine.is_closed());
    assert_eq!(engine.active_streams(), 0);
    assert_eq!(engine.snapshot().queued, 0);
}

fn respond(engine: &mut Engine, event: &Event, random: &mut Random) {
    match event {
        Event::Request { stream, .. } if random.once_in(2) => {
            let _ = engine.send_head(*stream, &response_head(), false);
            let _ = engine.send_data(*stream, Bytes::from(vec![0; random.below(100_000)]), false);
            let _ = engine.send_trailers(*stream, &status_trailers());
        }
        Event::Data { stream, credit, .. } => engine.release(*stream, *credit),
        Event::Reset { stream, .. } | Event::Trailers { stream, .. } => engine.done(*stream),
        Event::Response { stream, .. } if random.once_in(4) => {
            engine.reset(*stream, ErrorCode::Cancel);
        }
        _ => {}
    }
}

/// What both ends of a valid session send.
fn session() -> (Vec<u8>, Vec<u8>) {
    let mut pair = Pair::strangers(Config::default(), Config::default());
    let (mut forth, mut back) = (Vec::new(), Vec::new());
    for round in 0..6 {
        if let Ok(stream) = pair.client.open(&request_head(), false) {
            let _ = pair.client.send_data(stream, Bytes::from(vec![round; 300]), true);
        }
        pair.collect();
        forth.extend_from_slice(&pair.to_server);
        back.extend_from_slice(&pair.to_client);
        pair.deliver(usize::MAX, usize::MAX);
        for event in pair.server_events() {
            if let Event::Data { stream, credit, .. } = event {
                pair.server.release(stream, credit);
                pair.server.send_head(stream, &response_head(), false).unwrap();
                pair.server.send_data(stream, Bytes::from(vec![round; 200]), false).unwrap();
                pair.server.send_trailers(stream, &status_trailers()).unwrap();
                pair.server.done(stream);
            }
        }
    }
    (forth, back)
}

/// Changes, drops, doubles or inserts some octets.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes[at] = random.next() as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => drop(bytes.drain(at..(at + random.below(20)).min(bytes.len()))),
            3 => {
                let piece = bytes[at..(at + random.below(60)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let piece = random.bytes(12);
                bytes.splice(at..at, piece);
            }
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
}

/// A client that waits for answers.
fn waiting_client() -> Engine {
    let mut client = Engine::new(Role::Client, Config::default(), Instant::now());
    for round in 0..5 {
        let stream = client.open(&request_head(), false).unwrap();
        client.send_data(stream, Bytes::from(vec![0; 300]), round % 2 == 0).unwrap();
    }
    client
}

#[test]
fn mutated_sessions_do_not_make_an_engine_panic() {
    let (forth, back) = session();
    for seed in 0..1_500 {
        let mut random = Random::new(seed);
        let (mut forth, mut back) = (forth.clone(), back.clone());
        mutate(&mut forth, &mut random);
        mutate(&mut back, &mut random);
        feed(
            &mut Engine::new(Role::Server, Config::default(), Instant::now()),
            &forth,
            &mut random,
        );
        feed(&mut waiting_client(), &back, &mut random);
    }
}

#[test]
fn unchanged_sessions_are_understood_however_they_are_cut() {
    let (forth, _) = session();
    for seed in 0..50 {
        let mut random = Random::new(seed);
        let mut server = Engine::new(Role::Server, Config::default(), Instant::now());
        let mut input = BytesMut::new();
        let mut rest = &forth[..];
        let mut requests = 0;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(1 + random.below(rest.len().min(40)));
            rest = behind;
            input.extend_from_slice(piece);
            server.receive(&mut input, Instant::now());
            while let Some(event) = server.poll_event() {
                requests += usize::from(matches!(event, Event::Request { .. }));
            }
        }
        assert_eq!((requests, server.is_closed()), (6, false));
    }
}

/// Frames with sensible heads and any payload.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let stream = prop_oneof![Just(0_u32), Just(1), Just(3), Just(5), Just(2), any::<u32>()];
    let frame = (0..12_u8, any::<u8>(), stream, vec(any::<u8>(), 0..40)).prop_map(
        |(kind, flags, stream, payload)| {
            let mut frame = BytesMut::new();
            frame.put_uint(payload.len() as u64, 3);
            frame.put_u8(kind);
            frame.put_u8(flags);
            frame.put_u32(stream);
            frame.put_slice(&payload);
            frame.to_vec()
        },
    );
    vec(frame, 0..30).prop_map(|frames| frames.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_do_not_make_a_server_panic(bytes in vec(any::<u8>(), 1..400), greeted: bool, seed: u64) {
        let greeting = if greeted { &[CLIENT_PREFACE, &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat()[..] } else { &[] };
        let mut server = Engine::new(Role::Server, Config::default(), Instant::now());
        feed(&mut server, &[greeting, &bytes].concat(), &mut Random::new(seed));
    }

    #[test]
    fn random_frames_do_not_make_an_engine_panic(frames in frames(), seed: u64) {
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        let mut server = Engine::new(Role::Server, Config::default(), Instant::now());
        feed(&mut server, &[CLIENT_PREFACE, &settings, &frames].concat(), &mut Random::new(seed));
        feed(&mut waiting_client(), &[&settings[..], &frames].concat(), &mut Random::new(seed));
    }
}
