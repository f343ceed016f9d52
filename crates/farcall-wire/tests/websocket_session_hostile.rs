//! Peers that send wrong messages, or too many right ones, to a session.

mod websocket_support;

use std::time::Duration;

use farcall_wire::http2::{ErrorCode, Role};
use farcall_wire::websocket::SessionConfig;
use farcall_wire::websocket::frame::OpCode;
use farcall_wire::{Event, Fields, Side, StreamId};
use websocket_support::pair::response_head;
use websocket_support::raw::whole;
use websocket_support::session::{
    REQUEST, RESPONSE, Raw, credit, data, goaway, head, message, reset, trailers,
};

#[test]
fn text_messages_are_refused_with_1003() {
    let mut raw = Raw::server();
    raw.frame(whole(OpCode::Text, b"{\"hello\":1}"));
    raw.assert_failed(ErrorCode::ProtocolError, 1003);
}

#[test]
fn errors_of_the_websocket_end_the_session() {
    let mut raw = Raw::asked();
    raw.frame(whole(OpCode::Reserved(3), b""));
    let sent = raw.sent();
    assert_eq!(sent[0][..3], [8, 0x03, 0xea]);
    let events = raw.events();
    let [Event::Reset { .. }, Event::Closed { error: Some(error) }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((error.code, error.by), (ErrorCode::ProtocolError, Side::Local));
}

#[test]
fn messages_that_are_too_short_end_the_session() {
    let short: [&[u8]; 8] = [
        b"",
        b"\x01\0\0\0",
        b"\x01\0\0\0\x01",
        b"\x02\0\0\0\x01",
        b"\x04\0\0\0\x01\0\0\0",
        b"\x05\0\0\0\x01\0\0\0",
        b"\x05\0\0\0\x01\0\0\0\x01\0",
        b"\x06\0\0\0\0\0\0\0\x01\0\0\0",
    ];
    for short in short {
        let mut raw = Raw::server();
        raw.message(short);
        raw.assert_failed(ErrorCode::ProtocolError, 1002);
    }
}

#[test]
fn a_message_that_is_too_long_ends_the_session() {
    let mut raw = Raw::asked();
    raw.message(&data(1, false, &vec![0; 65_536]));
    assert_eq!(raw.events().len(), 1);
    raw.message(&data(1, false, &vec![0; 65_537]));
    assert_eq!(raw.sent().last().unwrap()[..3], [8, 0x03, 0xf1]);
}

#[test]
fn stream_numbers_are_odd_and_increase() {
    for (first, second) in [(None, 2), (None, 0), (Some(5), 3), (None, 0x8000_0001)] {
        let mut raw = Raw::server();
        for id in first.into_iter().chain([second]) {
            raw.message(&head(id, true, REQUEST));
        }
        raw.assert_failed(ErrorCode::ProtocolError, 1002);
    }
}

#[test]
fn a_stream_that_was_never_opened_carries_nothing() {
    let messages = [data(1, false, b"x"), trailers(1, ""), reset(1, 8, ""), credit(1, 1)];
    for message in messages {
        for role in [Role::Server, Role::Client] {
            let mut raw = Raw::with(role, SessionConfig::default());
            raw.message(&message);
            raw.assert_failed(ErrorCode::ProtocolError, 1002);
        }
    }
    let mut raw = Raw::client();
    raw.message(&head(1, false, RESPONSE));
    raw.assert_failed(ErrorCode::ProtocolError, 1002);
}

#[test]
fn more_data_than_the_window_ends_the_stream() {
    let mut raw = Raw::asked();
    for _ in 0..4 {
        raw.message(&data(1, false, &[0; 16_384]));
    }
    raw.message(&data(1, false, b"x"));
    raw.assert_reset(1, ErrorCode::FlowControlError);
    // What is on its way meanwhile is nobody's fault.
    raw.message(&data(1, true, b"late"));
    assert_eq!(raw.sent(), [] as [Vec<u8>; 0]);
}

#[test]
fn credit_of_nothing_or_beyond_the_largest_window_ends_the_stream() {
    let mut raw = Raw::asked();
    raw.message(&credit(1, 0));
    raw.assert_reset(1, ErrorCode::ProtocolError);
    let mut raw = Raw::asked();
    raw.message(&credit(1, 0x7fff_ffff - 65_536));
    assert_eq!(raw.sent(), [] as [Vec<u8>; 0]);
    raw.message(&credit(1, 1));
    raw.assert_reset(1, ErrorCode::FlowControlError);
    let mut raw = Raw::asked();
    raw.message(&credit(1, u32::MAX));
    raw.assert_reset(1, ErrorCode::FlowControlError);
}

#[test]
fn nothing_follows_the_end_of_a_stream() {
    for late in [data(1, false, b"x"), trailers(1, ""), head(1, false, REQUEST)] {
        let mut raw = Raw::server();
        raw.message(&head(1, true, REQUEST));
        raw.message(&late);
        raw.assert_reset(1, ErrorCode::StreamClosed);
    }
}

#[test]
fn a_second_head_ends_the_stream() {
    let mut raw = Raw::asked();
    raw.message(&head(1, false, REQUEST));
    raw.assert_reset(1, ErrorCode::ProtocolError);
    let mut raw = Raw::asking();
    raw.message(&head(1, false, RESPONSE));
    raw.message(&head(1, false, RESPONSE));
    raw.assert_reset(1, ErrorCode::ProtocolError);
}

#[test]
fn data_and_trailers_before_the_head_of_a_response_end_the_stream() {
    for message in [data(1, false, b"x"), trailers(1, "grpc-status: 0\n")] {
        let mut raw = Raw::asking();
        raw.message(&message);
        raw.assert_reset(1, ErrorCode::ProtocolError);
    }
}

#[test]
fn malformed_fields_end_their_stream() {
    for fields in [
        "",
        "no colon\n",
        ":method: GET\n:scheme: http\n:path: /",
        ":method: GET\n:scheme: http\n:path: /\nno-space:value\n",
        ":method: GET\n:scheme: http\n:path: /\nX: upper\n",
        ":method: GET\n:scheme: http\n:path: /\n: empty\n",
        ":method: GET\n:scheme: http\n:path: /\nx: c\rr\n",
        ":method: GET\n:scheme: http\n:path: /\nx: n\0l\n",
        ":method: GET\n:scheme: http\n:path: /\nx: y\n\n",
        ":method: GET\n:scheme: http\n:path: \n",
        ":method: GET\n:scheme: http\n",
        ":method: GET\n:method: GET\n:scheme: http\n:path: /\n",
        ":method: GET\n:scheme: http\n:path: /\n:status: 200\n",
        "x: y\n:method: GET\n:scheme: http\n:path: /\n",
        ":method: CONNECT\n:authority: a\n",
        ":method: GET\n:scheme: http\n:path: /\nconnection: close\n",
        ":method: GET\n:scheme: http\n:path: /\ntransfer-encoding: chunked\n",
        ":method: GET\n:scheme: http\n:path: /\nte: gzip\n",
        ":method: GET\n:scheme: http\n:path: /\ncontent-length: 5\n",
        ":method: GET\n:scheme: http\n:path: /\n:authority: a@b\n",
        ":method: GET\n:scheme: http\n:path: /\n:authority: a\nhost: b\n",
    ] {
        let mut raw = Raw::server();
        raw.message(&head(1, true, fields));
        raw.assert_reset(1, ErrorCode::ProtocolError);
        assert_eq!(raw.events(), [], "{fields:?}");
        raw.message(&head(3, true, REQUEST));
        assert_eq!(raw.events().len(), 1, "the session goes on");
    }
}

#[test]
fn content_must_be_as_long_as_content_length_says() {
    for (length, ends) in [(3, true), (9, true), (9, false)] {
        let mut raw = Raw::server();
        raw.message(&head(1, false, &format!("{REQUEST}content-length: 5\n")));
        raw.message(&data(1, ends, &vec![b'x'; length]));
        raw.assert_reset(1, ErrorCode::ProtocolError);
    }
}

#[test]
fn fields_above_the_limit_are_answered_with_431_and_far_above_end_the_session() {
    let many = format!("{REQUEST}{}", "a: b\n".repeat(120));
    let mut raw = Raw::server();
    raw.message(&head(1, false, &many));
    assert_eq!(raw.sent(), [head(1, true, ":status: 431\n"), reset(1, 0, "")]);
    assert_eq!(raw.events(), []);
    raw.message(&head(3, true, &format!("{REQUEST}a: {}\n", "b".repeat(20_000))));
    assert_eq!(raw.sent(), [head(3, true, ":status: 431\n")]);
    raw.message(&head(5, true, &format!("{REQUEST}{}", "a: \n".repeat(1_000))));
    raw.assert_failed(ErrorCode::EnhanceYourCalm, 1008);
}

#[test]
fn more_streams_than_slots_are_refused_and_not_acted_upon() {
    let mut raw = Raw::server();
    for id in (1..=257).step_by(2) {
        raw.message(&head(id, true, REQUEST));
    }
    assert_eq!(raw.events().len(), 128);
    raw.assert_reset(257, ErrorCode::RefusedStream);
}

#[test]
fn h01_streams_that_are_reset_before_they_are_answered_hold_their_slots() {
    let mut raw = Raw::server();
    for id in (1..=2_001).step_by(2) {
        raw.message(&head(id, true, REQUEST));
        raw.message(&reset(id, 8, ""));
    }
    assert_eq!(raw.session.active_streams(), 256);
    let requests =
        raw.events().iter().filter(|event| matches!(event, Event::Request { .. })).count();
    assert_eq!(requests, 256);
}

#[test]
fn h01_a_flood_of_resets_ends_the_session() {
    let mut raw = Raw::server();
    for id in (1..).step_by(2) {
        if id > 4_001 {
            raw.now += Duration::from_secs(2);
        }
        raw.message(&head(id, true, REQUEST));
        raw.message(&reset(id, 8, ""));
        raw.session.done(StreamId(id));
        raw.events();
        if id > 4_001 {
            for id in (id + 1_000_000..).step_by(2).take(2_000) {
                raw.message(&head(id, true, REQUEST));
                raw.message(&reset(id, 8, ""));
                raw.session.done(StreamId(id));
            }
            break;
        }
    }
    raw.assert_failed(ErrorCode::EnhanceYourCalm, 1008);
}

#[test]
fn h21_empty_data_in_a_row_ends_the_session() {
    let mut raw = Raw::asked();
    for _ in 0..16 {
        raw.message(&data(1, false, b""));
    }
    assert_eq!(raw.events(), []);
    raw.message(&data(1, false, b""));
    raw.assert_failed(ErrorCode::EnhanceYourCalm, 1008);
}

#[test]
fn h24_a_flood_of_credit_ends_the_session() {
    let mut raw = Raw::asked();
    for _ in 0..1_000 {
        raw.message(&credit(1, 1));
    }
    assert!(!raw.session.is_closed());
    raw.message(&credit(1, 1));
    raw.assert_failed(ErrorCode::EnhanceYourCalm, 1008);
}

#[test]
fn h25_a_window_that_stands_still_ends_its_stream_after_thirty_seconds() {
    let mut raw = Raw::asked();
    raw.session.send_head(StreamId(1), &response_head(), false).unwrap();
    raw.session.send_data(StreamId(1), vec![0; 100_000].into(), true).unwrap();
    raw.sent();
    // Thirty seconds in which most of it was sent, and thirty in which nothing was.
    raw.now += Duration::from_secs(30);
    raw.session.handle_timeout(raw.now);
    assert_eq!(raw.sent(), [] as [Vec<u8>; 0]);
    raw.now += Duration::from_secs(30);
    raw.session.handle_timeout(raw.now);
    raw.assert_reset(1, ErrorCode::Cancel);
    assert!(matches!(raw.events()[..], [Event::Reset { by: Side::Local, .. }]));
}

#[test]
fn h29_a_goaway_with_a_higher_last_stream_ends_the_session() {
    let mut raw = Raw::client();
    raw.message(&goaway(3, 0, ""));
    raw.message(&goaway(5, 0, ""));
    raw.assert_failed(ErrorCode::ProtocolError, 1002);
}

#[test]
fn h30_a_flood_of_unknown_kinds_ends_the_session() {
    let mut raw = Raw::server();
    for _ in 0..10_000 {
        raw.message(&message(77, 0, b""));
    }
    assert!(!raw.session.is_closed());
    raw.message(&message(77, 0, b""));
    raw.assert_failed(ErrorCode::EnhanceYourCalm, 1008);
}

#[test]
fn h37_interim_responses_are_bounded() {
    let mut raw = Raw::asking();
    for _ in 0..16 {
        raw.message(&head(1, false, ":status: 103\n"));
    }
    assert_eq!(raw.events().len(), 16);
    raw.message(&head(1, false, ":status: 103\n"));
    raw.assert_reset(1, ErrorCode::EnhanceYourCalm);
    let mut raw = Raw::asking();
    raw.message(&head(1, true, ":status: 103\n"));
    raw.assert_reset(1, ErrorCode::ProtocolError);
}

#[test]
fn w08_who_does_not_read_is_not_read_from() {
    let mut raw = Raw::server();
    for id in (1..=257).step_by(2) {
        raw.message(&head(id, false, REQUEST));
        let big = Fields::from_iter([(":status", "200"), ("x", &"y".repeat(12_000))]);
        let _ = raw.session.send_head(StreamId(id), &big, false);
    }
    assert!(!raw.session.wants_input());
    raw.now += Duration::from_secs(31);
    raw.session.handle_timeout(raw.now);
    raw.now += Duration::from_secs(31);
    raw.session.handle_timeout(raw.now);
    assert!(raw.session.is_closed());
}
