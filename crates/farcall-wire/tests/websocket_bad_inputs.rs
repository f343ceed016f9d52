//! What is known to hurt WebSocket servers: W01 to W09 (W05 is in `websocket_deflate`, W06 and W09 in
//! `websocket_handshake`), and the bounds that hold against it.

mod websocket_support;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use farcall_wire::websocket::frame::{FrameHead, OpCode};
use farcall_wire::websocket::{Config, Event, SendError};
use websocket_support::raw::{KEY, Raw, close_payload, part, whole};

/// A masked header alone, that promises `length` octets.
fn promise(opcode: OpCode, fin: bool, length: u64) -> BytesMut {
    let mut out = BytesMut::new();
    FrameHead { fin, rsv1: false, rsv23: 0, opcode, mask: Some(KEY), length }.emit(&mut out);
    out
}

#[test]
fn w01_a_length_of_2_to_the_63_is_a_protocol_error() {
    let mut raw = Raw::server();
    raw.bytes(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]);
    raw.assert_failed(1002);
}

#[test]
fn w01_a_frame_above_a_mebibyte_is_refused_by_its_header_alone() {
    for length in [(1 << 20) + 1, u64::from(u32::MAX), i64::MAX as u64] {
        let mut raw = Raw::server();
        raw.bytes(&promise(OpCode::Binary, true, length));
        assert!(raw.assert_failed(1009).contains("expected at most 1048576"));
    }
    let mut raw = Raw::server();
    raw.frame(whole(OpCode::Binary, &vec![0; 1 << 20]));
    assert_eq!(raw.events().len(), 1);
}

#[test]
fn w01_a_message_above_four_mebibytes_is_refused_by_the_header_that_makes_it_so() {
    let mebibyte = vec![0; 1 << 20];
    let mut raw = Raw::server();
    raw.frame(part(OpCode::Binary, &mebibyte));
    for _ in 0..3 {
        raw.frame(part(OpCode::Continuation, &mebibyte));
    }
    raw.bytes(&promise(OpCode::Continuation, true, 1));
    assert!(raw.assert_failed(1009).contains("4194304"));

    let mut raw = Raw::server();
    raw.frame(part(OpCode::Binary, &mebibyte));
    for _ in 0..2 {
        raw.frame(part(OpCode::Continuation, &mebibyte));
    }
    raw.frame(whole(OpCode::Continuation, &mebibyte));
    let events = raw.events();
    assert!(matches!(&events[..], [Event::Binary(message)] if message.len() == 4 << 20));
}

#[test]
fn w02_frames_that_are_not_masked_are_refused_whatever_they_are() {
    for opcode in [OpCode::Text, OpCode::Binary, OpCode::Ping, OpCode::Pong, OpCode::Close] {
        let mut raw = Raw::server();
        let mut frame = whole(opcode, b"");
        frame.masked = false;
        raw.frame(frame);
        raw.assert_failed(1002);
    }
}

#[test]
fn w03_more_than_sixteen_empty_fragments_in_a_row_are_too_many() {
    let mut raw = Raw::server();
    raw.frame(part(OpCode::Text, b"x"));
    for _ in 0..16 {
        raw.frame(part(OpCode::Continuation, b""));
    }
    raw.frame(part(OpCode::Continuation, b"y"));
    for _ in 0..16 {
        raw.frame(part(OpCode::Continuation, b""));
    }
    assert_eq!(raw.sent(), []);
    raw.frame(part(OpCode::Continuation, b""));
    raw.assert_failed(1008);
}

#[test]
fn w03_more_than_1024_fragments_are_too_many() {
    let mut raw = Raw::server();
    raw.frame(part(OpCode::Text, b"x"));
    for _ in 0..1022 {
        raw.frame(part(OpCode::Continuation, b"x"));
    }
    raw.frame(whole(OpCode::Continuation, b"x"));
    let events = raw.events();
    assert!(matches!(&events[..], [Event::Text(message)] if message.len() == 1024));
    raw.frame(part(OpCode::Text, b"x"));
    for _ in 0..1024 {
        raw.frame(part(OpCode::Continuation, b"x"));
    }
    raw.assert_failed(1008);
}

#[test]
fn w04_a_flood_of_pings_is_answered_by_a_few_pongs_the_newest_among_them() {
    let mut raw = Raw::server();
    let flood: Vec<u8> =
        (0..100_u8).flat_map(|number| whole(OpCode::Ping, &[number]).bytes()).collect();
    raw.bytes(&flood);
    let sent = raw.sent();
    assert_eq!(sent.len(), 16);
    assert_eq!(sent[15].payload, [99]);
}

#[test]
fn w04_pings_faster_than_ten_a_second_end_the_connection() {
    let mut raw = Raw::server();
    for number in 0..2_000 {
        if number % 20 == 0 {
            raw.pass(Duration::from_secs(1));
        }
        raw.frame(whole(OpCode::Ping, b""));
        if raw.sent().iter().any(|frame| frame.opcode == OpCode::Close) {
            assert!(number > 100);
            return;
        }
    }
    panic!("2000 Pings in 100 seconds were taken");
}

#[test]
fn w04_twin_a_ping_for_each_message_and_one_every_ten_seconds_are_fine() {
    let mut raw = Raw::server();
    for _ in 0..5_000 {
        raw.text("message");
        raw.frame(whole(OpCode::Ping, b""));
        raw.sent();
    }
    for _ in 0..500 {
        raw.pass(Duration::from_secs(10));
        raw.frame(whole(OpCode::Ping, b""));
        raw.frame(whole(OpCode::Pong, b""));
        raw.sent();
    }
    assert!(!raw.engine.is_closed());
}

#[test]
fn w07_text_that_is_not_utf8_in_any_split_is_1007() {
    let wrong: [&[u8]; 6] =
        [b"\xce\xba\xe1\xbd", b"\xf0\x80\x80\x80", b"\xed\xa0\x80", b"\xff", b"a\x80", b"\xc1\xbf"];
    for text in wrong {
        for at in 0..=text.len() {
            let mut raw = Raw::server();
            raw.frame(part(OpCode::Text, &text[..at]));
            raw.frame(whole(OpCode::Continuation, &text[at..]));
            raw.assert_failed(1007);
        }
    }
}

#[test]
fn w07_a_bad_close_is_1002_or_1007() {
    for (payload, code) in [
        (vec![0x03], 1002),
        (close_payload(999, b""), 1002),
        (close_payload(1005, b""), 1002),
        (close_payload(1000, b"\xff"), 1007),
    ] {
        let mut raw = Raw::server();
        raw.frame(whole(OpCode::Close, &payload));
        raw.assert_failed(code);
    }
}

#[test]
fn w08_a_peer_that_reads_nothing_gets_no_more_than_a_mebibyte_and_thirty_seconds() {
    let mut raw = Raw::server();
    let message = vec![0; 100_000];
    let mut taken = 0;
    while raw.engine.send_binary(&message).is_ok() {
        taken += message.len();
    }
    assert!(((1 << 20)..(1 << 20) + 2 * message.len()).contains(&taken));
    assert_eq!(raw.engine.send_binary(b""), Err(SendError::Full));
    assert_eq!(raw.engine.send_room(), 0);
    assert!(!raw.engine.wants_input(), "who does not read is not read from");
    for _ in 0..50 {
        raw.frame(whole(OpCode::Ping, b""));
    }
    raw.engine.fill(raw.now);
    assert!(raw.engine.output().len() < taken + 2_000);
    raw.pass(Duration::from_secs(29));
    assert!(!raw.engine.is_closed());
    raw.pass(Duration::from_secs(1));
    assert!(raw.engine.is_closed());
}

#[test]
fn w08_twin_a_slow_reader_is_told_when_there_is_room_again() {
    let mut raw = Raw::server();
    while raw.engine.send_binary(&vec![0; 100_000]).is_ok() {}
    for _ in 0..20 {
        raw.pass(Duration::from_secs(20));
        let output = raw.engine.output();
        let taken = output.len().min(64_000);
        drop(output.split_to(taken));
        let events = raw.events();
        if !events.is_empty() {
            assert_eq!(events, [Event::Writable]);
            assert!(raw.engine.send_room() >= 1 << 19);
            return;
        }
    }
    panic!("never told");
}

#[test]
fn a_quiet_connection_gives_its_memory_back() {
    let mut raw = Raw::server_with(Config { keepalive_interval: None, ..Config::default() });
    raw.frame(whole(OpCode::Binary, &vec![0; 1 << 20]));
    raw.engine.send_binary(&vec![0; 1 << 19]).unwrap();
    raw.engine.output().clear();
    assert_eq!(raw.events(), [Event::Binary(Bytes::from(vec![0; 1 << 20]))]);
    raw.pass(Duration::from_secs(2));
    assert!(raw.engine.output().capacity() <= 512);
    assert_eq!(raw.engine.next_timeout(), None);
}
