//! permessage-deflate: messages of both ends (RFC 7692 section 7.2), bounded (W05).

mod websocket_support;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use farcall_wire::http2::Role;
use farcall_wire::websocket::frame::OpCode;
use farcall_wire::websocket::{Config, Deflate, Engine, Event};
use proptest::collection::vec;
use proptest::prelude::*;
use websocket_support::random::Random;
use websocket_support::raw::{Handmade, Raw, part, whole};

const TAKEOVER: Deflate = Deflate {
    level: 6,
    min_length: 0,
    local_no_context_takeover: false,
    remote_no_context_takeover: false,
    local_window_bits: 15,
};
const NO_TAKEOVER: Deflate =
    Deflate { local_no_context_takeover: true, remote_no_context_takeover: true, ..TAKEOVER };

fn config(deflate: Deflate) -> Config {
    Config { deflate: Some(deflate), ..Config::default() }
}

fn server(deflate: Deflate) -> Raw {
    Raw::server_with(config(deflate))
}

/// A compressed message that is one frame.
fn compressed(opcode: OpCode, payload: &[u8]) -> Handmade<'_> {
    Handmade { rsv1: true, ..whole(opcode, payload) }
}

/// What another engine makes of a message.
fn deflated(message: &[u8]) -> Vec<u8> {
    let mut raw = server(NO_TAKEOVER);
    raw.engine.send_binary(message).unwrap();
    let sent = raw.sent();
    assert!(sent[0].rsv1);
    sent.into_iter().flat_map(|frame| frame.payload).collect()
}

#[test]
fn section_7_2_3_1_a_message_compressed_using_one_compressed_block() {
    let mut raw = server(TAKEOVER);
    raw.frame(compressed(OpCode::Text, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
    let hello = Event::Text(Bytes::from_static(b"Hello"));
    assert_eq!(raw.events(), std::slice::from_ref(&hello));
    // The same in two fragments: only the first says that it is compressed.
    raw.frame(Handmade { rsv1: true, ..part(OpCode::Text, &[0xf2, 0x48, 0xcd]) });
    raw.frame(whole(OpCode::Continuation, &[0xc9, 0xc9, 0x07, 0x00]));
    assert_eq!(raw.events(), [hello]);
}

#[test]
fn section_7_2_3_2_sharing_the_lz77_sliding_window() {
    let mut raw = server(TAKEOVER);
    raw.frame(compressed(OpCode::Text, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
    raw.frame(compressed(OpCode::Text, &[0xf2, 0x00, 0x11, 0x00, 0x00]));
    let hello = Event::Text(Bytes::from_static(b"Hello"));
    assert_eq!(raw.events(), [hello.clone(), hello]);
    // Without takeover the second one refers to what is not there.
    let mut raw = server(NO_TAKEOVER);
    raw.frame(compressed(OpCode::Text, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
    raw.frame(compressed(OpCode::Text, &[0xf2, 0x00, 0x11, 0x00, 0x00]));
    assert!(raw.assert_failed(1007).contains("DEFLATE"));
}

#[test]
fn section_7_2_3_3_a_block_with_no_compression() {
    let mut raw = server(NO_TAKEOVER);
    let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
    raw.frame(compressed(OpCode::Text, &stored));
    assert_eq!(raw.events(), [Event::Text(Bytes::from_static(b"Hello"))]);
}

#[test]
fn section_7_2_3_4_a_block_with_bfinal_set() {
    let mut raw = server(NO_TAKEOVER);
    for payload in [
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00][..],
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
    ] {
        raw.frame(compressed(OpCode::Text, payload));
        raw.frame(compressed(OpCode::Text, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
        let hello = Event::Text(Bytes::from_static(b"Hello"));
        assert_eq!(raw.events(), [hello.clone(), hello]);
    }
}

#[test]
fn section_7_2_3_5_two_blocks_in_one_message() {
    let mut raw = server(NO_TAKEOVER);
    let blocks = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    raw.frame(compressed(OpCode::Text, &blocks));
    assert_eq!(raw.events(), [Event::Text(Bytes::from_static(b"Hello"))]);
}

#[test]
fn section_7_2_3_6_an_empty_message() {
    let mut raw = server(NO_TAKEOVER);
    raw.frame(compressed(OpCode::Text, &[0x00]));
    assert_eq!(raw.events(), [Event::Text(Bytes::new())]);
    raw.engine.send_text("").unwrap();
    assert!(!raw.sent()[0].rsv1);
}

#[test]
fn section_6_only_the_first_frame_of_a_message_and_no_control_frame_says_compressed() {
    let mut raw = server(TAKEOVER);
    raw.frame(part(OpCode::Text, b"x"));
    raw.frame(Handmade { rsv1: true, ..whole(OpCode::Continuation, b"x") });
    raw.assert_failed(1002);
    let mut raw = server(TAKEOVER);
    raw.frame(compressed(OpCode::Ping, b"x"));
    raw.assert_failed(1002);
}

#[test]
fn messages_that_are_not_compressed_go_in_between() {
    let mut raw = server(Deflate { min_length: 10, ..TAKEOVER });
    raw.frame(whole(OpCode::Text, b"plain"));
    assert_eq!(raw.events(), [Event::Text(Bytes::from_static(b"plain"))]);
    raw.engine.send_text("short").unwrap();
    raw.engine.send_text(&"long".repeat(100)).unwrap();
    let sent = raw.sent();
    assert_eq!((sent[0].rsv1, sent[1].rsv1), (false, true));
    assert!(sent[1].payload.len() < 50);
}

#[test]
fn text_is_judged_when_it_is_decompressed() {
    let mut raw = server(NO_TAKEOVER);
    raw.frame(compressed(OpCode::Text, &deflated(b"\xff\xfe")));
    raw.assert_failed(1007);
    let mut raw = server(NO_TAKEOVER);
    raw.frame(compressed(OpCode::Text, &deflated("unfinished ä".as_bytes()[..12].as_ref())));
    raw.assert_failed(1007);
}

#[test]
fn w05_a_bomb_stops_at_one_octet_above_the_limit() {
    let mut config = config(NO_TAKEOVER);
    config.limits.max_message_size = 1 << 20;
    let mut raw = Raw::server_with(config.clone());
    let limit = deflated(&vec![0; 1 << 20]);
    raw.frame(compressed(OpCode::Binary, &limit));
    assert_eq!(raw.events(), [Event::Binary(vec![0; 1 << 20].into())]);
    let bomb = deflated(&vec![0; (1 << 20) + 1]);
    assert!(bomb.len() < 2000);
    raw.frame(compressed(OpCode::Binary, &bomb));
    assert!(raw.assert_failed(1009).contains("decompresses"));
    // The same in fragments.
    let mut raw = Raw::server_with(config);
    let (first, rest) = bomb.split_at(10);
    raw.frame(Handmade { rsv1: true, ..part(OpCode::Binary, first) });
    raw.frame(whole(OpCode::Continuation, rest));
    raw.assert_failed(1009);
}

#[test]
fn w05_many_final_blocks_in_one_message_are_too_many() {
    let mut raw = server(NO_TAKEOVER);
    // An empty final block each.
    raw.frame(compressed(OpCode::Binary, &[0x03, 0x00].repeat(16)));
    assert_eq!(raw.events(), [Event::Binary(Bytes::new())]);
    raw.frame(compressed(OpCode::Binary, &[0x03, 0x00].repeat(17)));
    raw.assert_failed(1008);
}

#[test]
fn a_quiet_connection_keeps_no_machine_that_it_does_not_need() {
    for (deflate, kept) in [(TAKEOVER, true), (NO_TAKEOVER, false)] {
        let mut raw = server(deflate);
        for _ in 0..2 {
            raw.frame(compressed(OpCode::Text, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
            raw.engine.send_text("Hello").unwrap();
            assert_eq!(raw.sent().len(), 1);
            assert_eq!(raw.events(), [Event::Text(Bytes::from_static(b"Hello"))]);
            raw.pass(Duration::from_secs(2));
            assert_eq!(format!("{:?}", raw.engine).contains("machine: Some"), kept);
        }
    }
}

#[test]
fn w05_compression_that_was_not_agreed_is_refused() {
    let mut raw = Raw::server();
    raw.frame(compressed(OpCode::Text, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
    raw.assert_failed(1002);
}

#[test]
fn two_engines_agree_over_many_messages() {
    for deflate in [TAKEOVER, NO_TAKEOVER, Deflate { local_window_bits: 9, level: 1, ..TAKEOVER }] {
        let mut random = Random::new(5);
        let mut raw = server(deflate);
        raw.engine = Engine::new(Role::Server, config(deflate), raw.now);
        let mut client = Engine::new(Role::Client, config(deflate), raw.now);
        for _ in 0..60 {
            let length = 1 + random.below(50);
            let word = random.bytes(length);
            let message = word.repeat(1 + random.below(3_000));
            client.send_binary(&message).unwrap();
            let mut rest = client.output().split();
            while !rest.is_empty() {
                let mut piece = rest.split_to((1 + random.below(4_000)).min(rest.len()));
                raw.engine.receive(&mut piece, raw.now);
            }
            assert_eq!(raw.events(), [Event::Binary(message.into())]);
        }
    }
}

proptest! {
    #[test]
    fn any_octets_as_deflate_stay_within_the_limit(
        octets in vec(any::<u8>(), 0..400), takeover in any::<bool>(), cut in 0_usize..400,
    ) {
        let mut settings = config(if takeover { TAKEOVER } else { NO_TAKEOVER });
        settings.limits.max_message_size = 4096;
        let mut raw = Raw::server_with(settings);
        let (first, rest) = octets.split_at(cut.min(octets.len()));
        for payload in [first, rest] {
            let mut input = BytesMut::from(&compressed(OpCode::Binary, payload).bytes()[..]);
            raw.engine.receive(&mut input, raw.now);
        }
        for event in raw.events() {
            if let Event::Binary(message) = event {
                prop_assert!(message.len() <= 4096);
            }
        }
    }
}
