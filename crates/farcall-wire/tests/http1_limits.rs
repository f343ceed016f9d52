//! What a peer can make an HTTP/1.1 engine keep, and how long it may take.

mod http1_support;

use std::time::Duration;

use bytes::Bytes;
use farcall_wire::http1::{Config, ErrorCode, Role};
use farcall_wire::limits::Http1Limits;
use farcall_wire::{Event, Side, StreamId};
use http1_support::{Echo, GOOD, Raw, fields, ok};

/// What is sent of this request, whole and octet by octet.
fn status(request: &str) -> String {
    let whole = Echo::tell([request.as_bytes()]);
    let pieces = Echo::tell(request.as_bytes().chunks(1));
    assert_eq!(whole.sent, pieces.sent);
    assert_eq!(whole.answered, pieces.answered);
    whole.sent.get(9..12).unwrap_or_default().to_owned()
}

#[test]
fn a_target_of_16_kib_is_taken_and_a_longer_one_is_414() {
    let target = |length: usize| {
        status(&format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(length - 1)))
    };
    assert_eq!(target(16 * 1024), "200");
    assert_eq!(target(16 * 1024 + 1), "414");
    assert_eq!(target(40 * 1024), "414");
    assert_eq!(status(&"x".repeat(20_000)), "414", "no end of the line at all");
}

#[test]
fn h06_header_fields_of_16_kib_are_taken_and_more_are_431() {
    let header = |length: usize| {
        // Behind the first line: host, the field's name and the ends of three lines.
        let value = "x".repeat(length - "host: a\r\nx: \r\n\r\n".len());
        status(&format!("GET / HTTP/1.1\r\nhost: a\r\nx: {value}\r\n\r\n"))
    };
    assert_eq!(header(16 * 1024), "200");
    assert_eq!(header(16 * 1024 + 1), "431");
    assert_eq!(header(40 * 1024), "431");
    let endless = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "x".repeat(17 * 1024));
    assert_eq!(status(&endless), "431");
}

#[test]
fn h06_a_hundred_fields_are_taken_and_more_are_431() {
    let header = |count: usize| {
        status(&format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "a: b\r\n".repeat(count - 1)))
    };
    assert_eq!(header(100), "200");
    assert_eq!(header(101), "431");
    assert_eq!(header(1000), "431");
}

#[test]
fn p11_trailers_have_the_limits_of_heads() {
    let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n";
    assert_eq!(status(&format!("{head}{}\r\n", "a: b\r\n".repeat(100))), "200");
    assert_eq!(status(&format!("{head}{}\r\n", "a: b\r\n".repeat(101))), "431");
    assert_eq!(status(&format!("{head}a: {}\r\n\r\n", "x".repeat(16 * 1024 - 7))), "200");
    assert_eq!(status(&format!("{head}a: {}\r\n\r\n", "x".repeat(16 * 1024 - 6))), "431");
    assert_eq!(status(&format!("{head}a: {}", "x".repeat(17 * 1024))), "431");
}

#[test]
fn a_client_bounds_heads_too() {
    for (head, fine) in [
        (format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(100)), true),
        (format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101)), false),
        (format!("HTTP/1.1 200 OK\r\na: {}", "x".repeat(17_000)), false),
        (format!("HTTP/1.1 200 {}", "x".repeat(20_000)), false),
    ] {
        let mut raw = Raw::client();
        let request = fields(&[(":method", "GET"), (":path", "/"), (":authority", "a")]);
        raw.engine.open(&request, true).unwrap();
        raw.sent();
        raw.bytes(head);
        let events = raw.events();
        let code = ErrorCode::EnhanceYourCalm;
        match &events[0] {
            Event::Response { .. } => assert!(fine),
            Event::Reset { code: seen, .. } => assert!(!fine && *seen == code, "{events:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn p09_pipelined_requests_wait_and_then_reading_stops() {
    let mut raw = Raw::server();
    let (mut stream, ..) = raw.request(GOOD);
    let mut arrived = 1;
    while raw.engine.wants_input() {
        raw.bytes(GOOD);
        arrived += 1;
        assert!(arrived < 10_000);
    }
    assert!(arrived * GOOD.len() <= 17 * 1024, "{arrived}");
    assert_eq!(raw.events(), []);
    for number in 2..=arrived {
        raw.answer(stream, "x");
        let events = raw.events();
        let [Event::Request { stream: next, .. }] = &events[..] else { panic!("{events:?}") };
        stream = *next;
        assert_eq!(stream.0 as usize, number);
    }
    assert!(raw.engine.wants_input());
}

#[test]
fn requests_are_not_read_while_their_responses_are_not() {
    let mut raw = Raw::server();
    let (mut stream, ..) = raw.request(&GOOD.repeat(50));
    let body = Bytes::from(vec![b'x'; 50_000]);
    for _ in 0..3 {
        raw.engine.send_head(stream, &ok(), false).unwrap();
        raw.engine.send_data(stream, body.clone(), true).unwrap();
        raw.engine.done(stream);
        match raw.engine.poll_event() {
            Some(Event::Request { stream: next, .. }) => stream = next,
            other => assert!(other.is_none() && raw.engine.output().len() >= 128 * 1024),
        }
    }
    assert_eq!(raw.events(), []);
    assert!(raw.sent().len() >= 128 * 1024);
    let events = raw.events();
    assert!(matches!(events[..], [Event::Request { stream: StreamId(4), .. }]), "{events:?}");
}

#[test]
fn small_requests_with_large_responses_are_not_read_while_those_are_not() {
    let mut raw = Raw::server();
    let (mut stream, ..) = raw.request(&GOOD.repeat(100));
    let mut head = ok();
    head.push("x", "y".repeat(10_000));
    let mut answered = 0;
    loop {
        raw.engine.send_head(stream, &head, true).unwrap();
        raw.engine.done(stream);
        answered += 1;
        match raw.engine.poll_event() {
            Some(Event::Request { stream: next, .. }) => stream = next,
            other => break assert_eq!(other, None),
        }
    }
    assert_eq!(answered, 14, "up to the mark of 128 KiB");
    raw.sent();
    assert!(matches!(raw.events()[..], [Event::Request { stream: StreamId(15), .. }]));
}

#[test]
fn content_is_taken_as_far_as_the_window_and_again_after_release() {
    let limits = Http1Limits { window: 1000, ..Http1Limits::default() };
    let mut raw = Raw::new(Role::Server, Config { limits, ..Config::default() });
    let (stream, ..) = raw.request("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5000\r\n\r\n");
    raw.bytes("x".repeat(999));
    assert!(raw.engine.wants_input());
    raw.bytes("x".repeat(500));
    assert!(!raw.engine.wants_input());
    raw.engine.release(stream, 499);
    assert!(!raw.engine.wants_input());
    raw.engine.release(stream, 1);
    assert!(raw.engine.wants_input());
    raw.engine.release(stream, u32::MAX);
    assert!(raw.engine.wants_input());
}

#[test]
fn what_is_sent_waits_for_room_and_the_application_is_told() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    raw.engine.send_head(stream, &ok(), false).unwrap();
    assert_eq!(raw.engine.send_room(stream), 256 * 1024);
    let piece = Bytes::from(vec![b'x'; 100_000]);
    let mut given = 0;
    while raw.engine.send_room(stream) > 0 {
        raw.engine.send_data(stream, piece.clone(), false).unwrap();
        given += piece.len();
    }
    assert_eq!(given, 400_000, "output and queue");
    assert!(raw.engine.output().len() <= 129 * 1024);
    let first = raw.sent().len();
    assert!(first <= 129 * 1024, "one write");
    assert_eq!(raw.events(), []);
    raw.sent();
    assert_eq!(raw.events(), [Event::Writable { stream }]);
    assert!(raw.engine.send_room(stream) > 0);
    raw.engine.send_data(stream, Bytes::new(), true).unwrap();
    raw.engine.done(stream);
    let mut rest = String::new();
    while !rest.ends_with("\r\n0\r\n\r\n") {
        rest.push_str(&raw.sent());
    }
    assert_eq!(raw.engine.active_streams(), 0);
}

#[test]
fn small_chunks_do_not_make_many_events() {
    let mut raw = Raw::server();
    let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    raw.bytes(format!("{head}{}", "1\r\nx\r\n".repeat(10_000)));
    let events = raw.events();
    assert_eq!(events.len(), 2);
    assert!(matches!(&events[1], Event::Data { data, end: false, .. } if data.len() == 10_000));
}

fn slow() -> (Raw, StreamId) {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999\r\n\r\n");
    (raw, stream)
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn p08_a_head_is_complete_within_ten_seconds_of_its_first_octet() {
    let mut raw = Raw::server();
    raw.pass(60 * SECOND);
    for octet in GOOD.bytes().take(9) {
        raw.bytes([octet]);
        raw.pass(SECOND);
    }
    assert_eq!(raw.sent(), "");
    raw.pass(SECOND);
    let sent = raw.sent();
    assert!(sent.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{sent}");
    let events = raw.events();
    assert!(matches!(events[..], [Event::Closed { error: Some(_) }]), "{events:?}");
}

#[test]
fn p08_each_head_has_its_own_ten_seconds() {
    let mut raw = Raw::server();
    for _ in 0..5 {
        let (front, back) = GOOD.split_at(5);
        raw.bytes(front);
        raw.pass(9 * SECOND);
        let (stream, ..) = raw.request(back);
        raw.pass(60 * SECOND);
        raw.answer(stream, "x");
        // An empty line in front of a head is not its first octet.
        raw.bytes("\r");
        raw.bytes("\n");
        raw.sent();
        raw.pass(60 * SECOND);
    }
    assert!(!raw.engine.is_closed());
}

#[test]
fn p08_content_that_stalls_is_408() {
    let (mut raw, stream) = slow();
    raw.bytes("x".repeat(2000));
    raw.events();
    raw.pass(10 * SECOND);
    raw.bytes("x".repeat(1023));
    raw.pass(10 * SECOND);
    let events = raw.events();
    let [Event::Data { .. }, Event::Reset { stream: lost, code, by: Side::Local, .. }] =
        &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((*lost, *code), (stream, ErrorCode::EnhanceYourCalm));
    assert!(raw.sent().starts_with("HTTP/1.1 408 "));
    assert!(raw.engine.is_closed());
}

#[test]
fn p08_content_that_comes_on_may_take_its_time() {
    let (mut raw, _) = slow();
    for _ in 0..30 {
        raw.bytes("x".repeat(1024));
        raw.pass(10 * SECOND);
    }
    assert_eq!(raw.events().len(), 30);
    assert!(!raw.engine.is_closed());
}

#[test]
fn p08_content_that_the_application_holds_back_is_not_slow() {
    let (mut raw, stream) = slow();
    let limit = 256 * 1024;
    let mut given = 0;
    // More than announced would be the next request: the content is long enough for the window only.
    let (mut held, held_stream) = {
        let mut raw = Raw::server();
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999\r\n\r\n";
        let (stream, ..) = raw.request(head);
        (raw, stream)
    };
    while held.engine.wants_input() {
        held.bytes("x".repeat(50_000));
        given += 50_000;
    }
    assert!(given >= limit);
    held.pass(60 * SECOND);
    assert!(!held.engine.is_closed());
    held.engine.release(held_stream, given);
    held.pass(9 * SECOND);
    assert!(!held.engine.is_closed(), "a new period begins");
    held.pass(11 * SECOND);
    assert!(held.sent().starts_with("HTTP/1.1 408 "));
    raw.engine.allow_stall(stream);
    raw.pass(3600 * SECOND);
    assert!(!raw.engine.is_closed(), "it may stall");
}

#[test]
fn p08_content_that_nobody_wants_must_come_on_too() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9999\r\n\r\n");
    raw.engine.allow_stall(stream);
    raw.pass(60 * SECOND);
    raw.answer(stream, "early");
    raw.sent();
    raw.pass(10 * SECOND);
    raw.sent();
    let events = raw.events();
    assert!(matches!(events[..], [Event::Closed { error: Some(_) }]), "{events:?}");
}

#[test]
fn p11_a_client_that_waits_for_continue_and_then_stalls_is_408() {
    let mut raw = Raw::server();
    raw.request("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    assert_eq!(raw.sent(), "HTTP/1.1 100 Continue\r\n\r\n");
    raw.pass(10 * SECOND);
    assert!(raw.sent().starts_with("HTTP/1.1 408 "));
}

#[test]
fn an_idle_connection_drains_after_fifteen_minutes() {
    let mut raw = Raw::server();
    raw.pass(14 * 60 * SECOND);
    let (stream, ..) = raw.request(GOOD);
    raw.pass(3600 * SECOND);
    raw.answer(stream, "x");
    raw.sent();
    raw.pass((15 * 60 - 1) * SECOND);
    assert!(!raw.engine.is_drained());
    raw.pass(SECOND);
    assert!(raw.engine.is_drained());
    let mut raw = Raw::client();
    raw.pass(15 * 60 * SECOND);
    assert!(raw.engine.is_drained() && raw.engine.open_room() == 0);
}

#[test]
fn output_that_nobody_reads_ends_the_connection_after_thirty_seconds() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    raw.engine.send_head(stream, &ok(), false).unwrap();
    raw.engine.send_data(stream, Bytes::from(vec![b'x'; 9000]), false).unwrap();
    for _ in 0..10 {
        raw.engine.fill(raw.now);
        let _ = raw.engine.output().split_to(100);
        raw.pass(29 * SECOND);
        assert!(!raw.engine.is_closed(), "it reads a little");
    }
    raw.pass(30 * SECOND);
    let events = raw.events();
    let [Event::Reset { code: ErrorCode::ConnectError, .. }, Event::Closed { error: Some(error) }] =
        &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(error.code, ErrorCode::EnhanceYourCalm);
    assert_eq!(raw.engine.next_timeout(), None);
}

#[test]
fn what_is_left_of_a_refused_peer_is_thrown_away() {
    let mut raw = Raw::server();
    raw.bytes("bad\r\n\r\n");
    for _ in 0..100 {
        raw.bytes(GOOD.repeat(100));
        assert!(raw.engine.wants_input(), "or it would never read our answer");
    }
    assert!(raw.engine.output().len() < 300);
    assert_eq!(raw.events(), []);
}
