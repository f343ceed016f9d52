//! Any bytes at all: an engine never panics, and its books balance.

mod support;

use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};
use farcall_wire::Event;
use farcall_wire::http2::Engine;
use farcall_wire::http2::frame::CLIENT_PREFACE;
use proptest::collection::vec;
use proptest::prelude::*;
use support::hostile::{assert_over, mutate, recorded, respond, server, waiting_client};
use support::protocol::audit;
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
    assert_over(engine);
}

#[test]
fn mutated_sessions_do_not_make_an_engine_panic() {
    let (forth, back) = recorded();
    for seed in 0..1_500 {
        let mut random = Random::new(seed);
        let (mut forth, mut back) = (forth.clone(), back.clone());
        mutate(&mut forth, &mut random);
        mutate(&mut back, &mut random);
        feed(&mut server(), &forth, &mut random);
        feed(&mut waiting_client(), &back, &mut random);
    }
}

#[test]
fn unchanged_sessions_are_understood_however_they_are_cut() {
    let (forth, _) = recorded();
    for seed in 0..50 {
        let mut random = Random::new(seed);
        let mut server = server();
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
        let mut server = server();
        feed(&mut server, &[greeting, &bytes].concat(), &mut Random::new(seed));
    }

    #[test]
    fn random_frames_do_not_make_an_engine_panic(frames in frames(), seed: u64) {
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        let mut server = server();
        feed(&mut server, &[CLIENT_PREFACE, &settings, &frames].concat(), &mut Random::new(seed));
        feed(&mut waiting_client(), &[&settings[..], &frames].concat(), &mut Random::new(seed));
    }
}
