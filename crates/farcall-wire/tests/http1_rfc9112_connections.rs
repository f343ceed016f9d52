//! A server's connections by RFC 9112 section 9, and the commands that end streams and connections.

mod http1_support;

use bytes::Bytes;
use farcall_wire::http1::{ErrorCode, Gone};
use farcall_wire::{Event, Side, StreamId};
use http1_support::{Echo, GOOD, Raw, fields, ok};

fn data(stream: StreamId, data: &'static str, end: bool) -> Event {
    let credit = u32::try_from(data.len()).unwrap();
    Event::Data { stream, data: Bytes::from_static(data.as_bytes()), credit, end }
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// What is sent of an answer with this head and these pieces of content to this request.
fn answered(request: &str, head: &[(&str, &str)], content: &[&'static str]) -> String {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(request);
    raw.engine.send_head(stream, &fields(head), content.is_empty()).unwrap();
    for (index, piece) in content.iter().enumerate() {
        raw.engine.send_data(stream, bytes(piece), index + 1 == content.len()).unwrap();
    }
    raw.engine.done(stream);
    raw.sent()
}

#[test]
fn s9_3_a_connection_is_used_again() {
    let mut raw = Raw::server();
    for number in 1..=50 {
        let (stream, ..) = raw.request(GOOD);
        assert_eq!(stream.0, number);
        raw.answer(stream, "x");
        assert_eq!(raw.sent(), "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx");
    }
}

#[test]
fn s9_3_2_pipelined_requests_are_answered_in_order() {
    let mut echo = Echo::new();
    echo.feed(GOOD.repeat(3).as_bytes());
    let story = echo.end();
    assert_eq!(story.answered.len(), 3);
    assert_eq!(story.sent, "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nGET / 0".repeat(3));
    assert!(!story.closed);
}

#[test]
fn s9_3_2_the_next_request_begins_when_the_former_is_answered_and_done() {
    let mut raw = Raw::server();
    let (first, ..) = raw.request(&GOOD.repeat(2));
    assert_eq!(raw.events(), []);
    raw.engine.send_head(first, &ok(), true).unwrap();
    raw.sent();
    assert_eq!(raw.events(), []);
    raw.engine.done(first);
    let events = raw.events();
    assert!(matches!(events[..], [Event::Request { stream: StreamId(2), .. }]), "{events:?}");
    assert_eq!(raw.engine.send_head(first, &ok(), true), Err(Gone));
}

#[test]
fn s9_6_connection_close_is_kept_and_said() {
    for who in ["client", "application"] {
        let mut raw = Raw::server();
        let mut head = ok();
        if who == "application" {
            head.push("connection", "close");
        }
        let option = if who == "client" { "connection: Close\r\n" } else { "" };
        let (stream, ..) = raw.request(&format!("GET / HTTP/1.1\r\nhost: a\r\n{option}\r\n{GOOD}"));
        raw.engine.send_head(stream, &head, true).unwrap();
        raw.engine.done(stream);
        let expected = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        assert!(!raw.engine.is_closed(), "not before all is written");
        assert_eq!(raw.sent(), expected);
        assert_eq!(raw.events(), [Event::Closed { error: None }]);
        assert!(raw.engine.is_closed() && raw.engine.is_drained());
    }
}

#[test]
fn s9_3_http_1_0_closes_unless_asked_to_keep_alive() {
    let ok = (":status", "200");
    let sent = answered("GET / HTTP/1.0\r\n\r\n", &[ok], &["x"]);
    assert_eq!(sent, "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx");
    let keep = "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    let sent = answered(keep, &[ok], &["x"]);
    assert_eq!(sent, "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\nx");
}

#[test]
fn s6_3_http_1_0_gets_no_chunks_but_the_connection_s_end() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    raw.engine.send_head(stream, &fields(&[(":status", "103")]), false).unwrap();
    raw.engine.send_head(stream, &ok(), false).unwrap();
    raw.engine.send_data(stream, bytes("hello"), false).unwrap();
    assert_eq!(raw.sent(), "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello");
    raw.engine.send_trailers(stream, &fields(&[("a", "b")])).unwrap();
    raw.engine.done(stream);
    assert_eq!(raw.sent(), "");
    assert!(raw.engine.is_closed());
    let mut raw = Raw::server();
    let (stream, ..) = raw.request("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    raw.engine.send_head(stream, &ok(), false).unwrap();
    raw.engine.send_data(stream, bytes("hello"), false).unwrap();
    raw.engine.send_trailers(stream, &fields(&[("a", "b")])).unwrap();
    raw.engine.done(stream);
    let expected = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\nhello";
    assert_eq!(raw.sent(), expected, "no chunks, no trailers");
}

#[test]
fn s9_3_the_rest_of_a_short_request_is_dropped_after_its_response() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 65536\r\n\r\n");
    raw.answer(stream, "early");
    assert_eq!(raw.sent(), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nearly");
    raw.bytes("x".repeat(65535));
    assert_eq!(raw.events(), []);
    let (stream, ..) = raw.request(&format!("x{GOOD}"));
    assert_eq!(stream.0, 2);
}

#[test]
fn s9_3_the_rest_of_a_long_request_ends_the_connection() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 65537\r\n\r\n");
    raw.answer(stream, "early");
    let expected = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nearly";
    assert_eq!(raw.sent(), expected);
    assert!(raw.engine.is_closed());
    let mut raw = Raw::server();
    let (stream, ..) =
        raw.request("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    raw.answer(stream, "early");
    assert_eq!(raw.sent(), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nearly");
    raw.bytes(format!("10000\r\n{}\r\n", "x".repeat(65536)));
    assert!(!raw.engine.is_closed(), "so much is dropped");
    raw.bytes("1\r\nx");
    raw.sent();
    assert_eq!(raw.events(), [Event::Closed { error: None }]);
}

#[test]
fn a_response_before_the_content_lets_the_content_come() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n");
    raw.engine.send_head(stream, &ok(), true).unwrap();
    raw.sent();
    raw.bytes("hello");
    assert_eq!(raw.events(), [data(stream, "hello", true)]);
    raw.engine.done(stream);
    raw.request(GOOD);
}

#[test]
fn s9_6_drain_finishes_what_is_under_way() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(&GOOD.repeat(2));
    raw.engine.drain(raw.now);
    assert!(!raw.engine.is_drained());
    raw.answer(stream, "last");
    assert!(!raw.engine.is_drained(), "not before all is written");
    let expected = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nlast";
    assert_eq!(raw.sent(), expected);
    assert!(raw.engine.is_drained());
    assert_eq!(raw.events(), [Event::Closed { error: None }]);
}

#[test]
fn s9_6_an_idle_connection_drains_at_once_and_one_with_half_a_head_after_it() {
    let mut raw = Raw::server();
    raw.engine.drain(raw.now);
    assert!(raw.engine.is_drained() && !raw.engine.is_closed());
    raw.engine.close(ErrorCode::NoError, "", raw.now);
    assert_eq!(raw.events(), [Event::Closed { error: None }]);
    let mut raw = Raw::server();
    let (front, back) = GOOD.split_at(9);
    raw.bytes(front);
    raw.engine.drain(raw.now);
    assert!(!raw.engine.is_drained());
    let (stream, ..) = raw.request(back);
    raw.answer(stream, "x");
    assert!(raw.sent().contains("connection: close\r\n"));
    assert!(raw.engine.is_closed());
}

#[test]
fn s9_6_the_end_of_the_connection_ends_a_request() {
    let reset = |stream| Event::Reset {
        stream,
        code: ErrorCode::ConnectError,
        by: Side::Remote,
        reason: "the connection ended under the stream",
        unprocessed: false,
    };
    for request in [GOOD, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n"] {
        let mut raw = Raw::server();
        let (stream, ..) = raw.request(request);
        raw.eof();
        let events = raw.events();
        assert_eq!(events[0], reset(stream));
        assert!(matches!(events[1..], [Event::Closed { error: Some(_) }]), "{events:?}");
        assert_eq!(raw.engine.send_head(stream, &ok(), true), Err(Gone));
    }
    let mut raw = Raw::server();
    raw.eof();
    assert_eq!(raw.events(), [Event::Closed { error: None }]);
    let mut raw = Raw::server();
    raw.bytes("GET ");
    raw.eof();
    let events = raw.events();
    assert!(matches!(events[..], [Event::Closed { error: Some(_) }]), "{events:?}");
}

#[test]
fn s9_6_a_response_that_is_known_is_written_after_the_peer_s_end() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    raw.engine.send_head(stream, &ok(), false).unwrap();
    raw.engine.send_data(stream, bytes("hello"), true).unwrap();
    raw.eof();
    assert_eq!(raw.events(), []);
    raw.engine.done(stream);
    assert!(raw.sent().ends_with("\r\n\r\nhello"));
    assert_eq!(raw.events(), [Event::Closed { error: None }]);
}

// Commands

#[test]
fn a_reset_before_the_response_is_one_of_status_500_or_503() {
    for (code, status) in
        [(ErrorCode::Cancel, "500 Internal Server Error"), (ErrorCode::RefusedStream, "503 ")]
    {
        let mut raw = Raw::server();
        let (stream, ..) = raw.request(GOOD);
        raw.engine.reset(stream, code);
        raw.engine.done(stream);
        let sent = raw.sent();
        assert!(sent.starts_with(&format!("HTTP/1.1 {status}")), "{sent}");
        let events = raw.events();
        assert!(matches!(events[..], [Event::Closed { error: Some(_) }]), "{events:?}");
    }
}

#[test]
fn done_without_an_answer_is_a_reset_and_within_one_a_cut() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    raw.engine.done(stream);
    assert!(raw.sent().starts_with("HTTP/1.1 500 "));
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    raw.engine.send_head(stream, &ok(), false).unwrap();
    raw.engine.send_data(stream, bytes("hello"), false).unwrap();
    assert!(raw.sent().ends_with("hello\r\n"));
    raw.engine.done(stream);
    assert_eq!(raw.sent(), "", "no last chunk: the client knows that something is missing");
    assert!(raw.engine.is_closed());
}

#[test]
fn commands_of_other_streams_do_nothing() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    let other = StreamId(7);
    assert_eq!(raw.engine.send_head(other, &ok(), true), Err(Gone));
    assert_eq!(raw.engine.send_data(other, bytes("x"), true), Err(Gone));
    assert_eq!(raw.engine.send_trailers(other, &fields(&[("a", "b")])), Err(Gone));
    assert_eq!(raw.engine.send_room(other), 0);
    raw.engine.release(other, 9);
    raw.engine.reset(other, ErrorCode::Cancel);
    raw.engine.done(other);
    assert!(raw.engine.open(&ok(), true).is_err());
    assert_eq!(raw.engine.send_data(stream, bytes("x"), true), Err(Gone), "no head yet");
    raw.answer(stream, "x");
    assert!(raw.sent().ends_with("\r\n\r\nx"));
}

#[test]
fn close_ends_at_once() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    raw.engine.close(ErrorCode::InternalError, "going down", raw.now);
    let events = raw.events();
    let [Event::Reset { stream: lost, code: ErrorCode::ConnectError, by: Side::Local, .. }, closed] =
        &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(*lost, stream);
    let Event::Closed { error: Some(error) } = closed else { panic!("{closed:?}") };
    assert_eq!((error.code, &*error.reason), (ErrorCode::InternalError, "going down"));
    raw.bytes(GOOD);
    assert_eq!(raw.events(), []);
    assert_eq!(raw.engine.next_timeout(), None);
}
