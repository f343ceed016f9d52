//! Any bytes at all, in any pieces: neither an engine nor a session panics, the events do not depend on
//! the pieces, and the books balance.

mod websocket_support;

use std::time::{Duration, Instant};

use bytes::BytesMut;
use farcall_wire::Event;
use farcall_wire::http2::Role;
use farcall_wire::websocket::frame::OpCode;
use farcall_wire::websocket::{self, Config, Deflate, Engine, Session};
use proptest::collection::vec;
use proptest::prelude::*;
use websocket_support::hostile::{assert_over, mutate, recorded, respond, server, waiting_client};
use websocket_support::protocol::audit;
use websocket_support::random::Random;
use websocket_support::raw::{Handmade, whole};

/// Frames with sensible headers and any payload, masked as the role wants it, mostly.
fn frames(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![8 => 0_u8..3, 3 => 8_u8..11, 1 => any::<u8>()];
    let rare = |odds: u32| prop_oneof![odds => Just(false), 1 => Just(true)];
    let frame = (opcode, any::<bool>(), rare(10), rare(30), vec(any::<u8>(), 0..300)).prop_map(
        move |(opcode, fin, rsv1, wrong, payload)| {
            let masked = (role == Role::Server) != wrong;
            let opcode = OpCode::from_u8(opcode);
            Handmade { opcode, fin, rsv1, rsv23: 0, masked, payload: &payload }.bytes()
        },
    );
    vec(frame, 0..20).prop_map(|frames| frames.concat())
}

/// Messages of `farcall.v1` with sensible heads and any payload.
fn messages(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let stream = prop_oneof![6 => (0_u32..6).prop_map(|n| 2 * n + 1), 1 => any::<u32>()];
    let fields = prop_oneof![
        2 => Just(b"\0:method: POST\n:scheme: http\n:path: /a/B\n".to_vec()),
        1 => Just(b"\0:status: 200\n".to_vec()),
        1 => Just(b"\x01:status: 200\nx: y\n".to_vec()),
        4 => vec(any::<u8>(), 0..40),
    ];
    let message = (0_u8..9, stream, fields).prop_map(move |(kind, stream, payload)| {
        let message = [&[kind], &stream.to_be_bytes()[..], &payload].concat();
        Handmade { masked: role == Role::Server, ..whole(OpCode::Binary, &message) }.bytes()
    });
    vec(message, 0..30).prop_map(|messages| messages.concat())
}

/// A seed for the pieces; `None`: all at once.
fn pieces(bytes: &[u8], seed: Option<u64>) -> Vec<BytesMut> {
    let Some(seed) = seed else { return vec![BytesMut::from(bytes)] };
    let mut random = Random::new(seed);
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let most = [1, 3, 50, rest.len()][random.below(4)].min(rest.len());
        let (piece, behind) = rest.split_at(1 + random.below(most));
        rest = behind;
        pieces.push(BytesMut::from(piece));
    }
    pieces
}

/// What an engine makes of the bytes: all that can be told of it.
fn engine_events(
    role: Role,
    deflate: Option<Deflate>,
    bytes: &[u8],
    seed: Option<u64>,
) -> Vec<websocket::Event> {
    let now = Instant::now();
    let mut engine = Engine::new(role, Config { deflate, ..Config::default() }, now);
    for mut piece in pieces(bytes, seed) {
        engine.receive(&mut piece, now);
        assert!(piece.is_empty());
    }
    engine.receive_eof(now);
    engine.fill(now);
    assert!(engine.is_closed());
    std::iter::from_fn(|| engine.poll_event()).collect()
}

/// The same of a session that answers nothing.
fn session_events(mut session: Session, bytes: &[u8], seed: Option<u64>) -> Vec<Event> {
    let now = Instant::now();
    for mut piece in pieces(bytes, seed) {
        session.receive(&mut piece, now);
        assert!(piece.is_empty());
        audit(&session);
    }
    session.receive_eof(now);
    assert_over(&session);
    std::iter::from_fn(|| session.poll_event()).collect()
}

/// Feeds `bytes` in pieces, answers what comes of them, lets time pass.
fn converse(session: &mut Session, bytes: &[u8], random: &mut Random) {
    let mut now = Instant::now();
    for mut piece in pieces(bytes, Some(random.next())) {
        session.receive(&mut piece, now);
        while let Some(event) = session.poll_event() {
            respond(session, &event, random);
        }
        session.fill(now);
        if random.once_in(3) {
            session.output().clear();
        }
        now += Duration::from_millis(random.below(2_000) as u64);
        session.handle_timeout(now);
        audit(session);
    }
    session.receive_eof(now);
    assert_over(session);
}

#[test]
fn mutated_sessions_do_not_make_a_session_panic() {
    let (forth, back) = recorded();
    for seed in 0..1_000 {
        let mut random = Random::new(seed);
        let (mut forth, mut back) = (forth.clone(), back.clone());
        mutate(&mut forth, &mut random);
        mutate(&mut back, &mut random);
        converse(&mut server(), &forth, &mut random);
        converse(&mut waiting_client(), &back, &mut random);
    }
}

#[test]
fn a_session_is_understood_at_every_split() {
    let (forth, back) = recorded();
    let whole =
        (session_events(server(), &forth, None), session_events(waiting_client(), &back, None));
    let requests = whole.0.iter().filter(|event| matches!(event, Event::Request { .. })).count();
    assert_eq!(requests, 6);
    for at in 0..forth.len() {
        let mut server = server();
        let mut first = BytesMut::from(&forth[..at]);
        server.receive(&mut first, Instant::now());
        let events = session_events(server, &forth[at..], None);
        assert_eq!(events, whole.0, "split at {at}");
    }
    for seed in 0..100 {
        assert_eq!(session_events(waiting_client(), &back, Some(seed)), whole.1, "seed {seed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_any_pieces_mean_the_same_to_an_engine(bytes in vec(any::<u8>(), 0..400), seed: u64) {
        for role in [Role::Server, Role::Client] {
            let whole = engine_events(role, None, &bytes, None);
            prop_assert_eq!(engine_events(role, None, &bytes, Some(seed)), whole);
        }
    }

    #[test]
    fn any_frames_in_any_pieces_mean_the_same_to_a_server(frames in frames(Role::Server), seed: u64) {
        let agreed = Deflate {
            level: 1, min_length: 0, local_window_bits: 15,
            local_no_context_takeover: false, remote_no_context_takeover: false,
        };
        for deflate in [None, Some(agreed)] {
            let whole = engine_events(Role::Server, deflate, &frames, None);
            prop_assert_eq!(engine_events(Role::Server, deflate, &frames, Some(seed)), whole);
        }
    }

    #[test]
    fn any_frames_in_any_pieces_mean_the_same_to_a_client(frames in frames(Role::Client), seed: u64) {
        let whole = engine_events(Role::Client, None, &frames, None);
        prop_assert_eq!(engine_events(Role::Client, None, &frames, Some(seed)), whole);
    }

    #[test]
    fn any_messages_in_any_pieces_mean_the_same_to_a_session(
        forth in messages(Role::Server), back in messages(Role::Client), seed: u64,
    ) {
        let whole = session_events(server(), &forth, None);
        prop_assert_eq!(session_events(server(), &forth, Some(seed)), whole);
        let whole = session_events(waiting_client(), &back, None);
        prop_assert_eq!(session_events(waiting_client(), &back, Some(seed)), whole);
    }

    #[test]
    fn any_messages_do_not_make_a_session_panic(
        forth in messages(Role::Server), back in messages(Role::Client), seed: u64,
    ) {
        converse(&mut server(), &forth, &mut Random::new(seed));
        converse(&mut waiting_client(), &back, &mut Random::new(seed));
    }
}
