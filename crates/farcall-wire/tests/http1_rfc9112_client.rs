//! A client by the sections of RFC 9112 and RFC 9110.

mod http1_support;

use bytes::Bytes;
use farcall_wire::http1::{ErrorCode, Gone, OpenError};
use farcall_wire::{Event, ResponseHead, Side, StreamId};
use http1_support::{Raw, all_splits, fields};

const FIRST: StreamId = StreamId(1);

fn request(method: &str, others: &[(&str, &str)]) -> farcall_wire::Fields {
    let mut head = fields(&[
        (":method", method),
        (":scheme", "http"),
        (":authority", "host:80"),
        (":path", "/path?q"),
    ]);
    head.extend(&fields(others));
    head
}

/// A client that has sent a request with this method.
fn asked(method: &str) -> Raw {
    let mut raw = Raw::client();
    assert_eq!(raw.engine.open(&request(method, &[]), true), Ok(FIRST));
    raw.sent();
    raw
}

fn response(status: u16, others: &[(&str, &str)], end: bool) -> Event {
    Event::Response { stream: FIRST, head: ResponseHead::new(status, fields(others)), end }
}

fn data(data: &'static str, end: bool) -> Event {
    let credit = u32::try_from(data.len()).unwrap();
    Event::Data { stream: FIRST, data: Bytes::from_static(data.as_bytes()), credit, end }
}

fn draining() -> Event {
    Event::Draining { code: ErrorCode::NoError, debug: "connection: close".into() }
}

#[test]
fn s3_a_request_has_a_line_a_host_and_its_fields() {
    let mut raw = Raw::client();
    raw.engine
        .open(&request("GET", &[("a", "b"), ("host", "x"), ("connection", "x")]), true)
        .unwrap();
    assert_eq!(raw.sent(), "GET /path?q HTTP/1.1\r\nhost: host:80\r\na: b\r\n\r\n");
}

#[test]
fn s6_a_request_s_content_has_a_length_if_it_is_known_before_fill() {
    let mut raw = Raw::client();
    let stream = raw.engine.open(&request("POST", &[]), false).unwrap();
    raw.engine.send_data(stream, Bytes::from_static(b"hel"), false).unwrap();
    raw.engine.send_data(stream, Bytes::from_static(b"lo"), true).unwrap();
    assert_eq!(
        raw.sent(),
        "POST /path?q HTTP/1.1\r\nhost: host:80\r\ncontent-length: 5\r\n\r\nhello"
    );
    let mut raw = Raw::client();
    let stream = raw.engine.open(&request("POST", &[("te", "trailers")]), false).unwrap();
    assert_eq!(
        raw.sent(),
        "POST /path?q HTTP/1.1\r\nhost: host:80\r\nte: trailers\r\n\
         transfer-encoding: chunked\r\nconnection: te\r\n\r\n"
    );
    raw.engine.send_data(stream, Bytes::from_static(b"hello"), false).unwrap();
    raw.engine.send_trailers(stream, &fields(&[("sum", "5")])).unwrap();
    assert_eq!(raw.sent(), "5\r\nhello\r\n0\r\nsum: 5\r\n\r\n");
    assert_eq!(raw.engine.send_data(stream, Bytes::new(), true), Err(Gone));
}

#[test]
fn rfc9110_s8_6_a_request_without_content_has_a_length_only_where_one_is_expected() {
    for (method, length) in [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "content-length: 0\r\n"),
        ("PUT", "content-length: 0\r\n"),
    ] {
        let mut raw = Raw::client();
        raw.engine.open(&request(method, &[]), true).unwrap();
        assert_eq!(
            raw.sent(),
            format!("{method} /path?q HTTP/1.1\r\nhost: host:80\r\n{length}\r\n")
        );
    }
}

#[test]
fn p06_a_request_that_cannot_be_sent_is_reset_and_nothing_leaves() {
    let pseudo = |name: &'static str, value: &'static str| {
        let mut head = farcall_wire::Fields::new();
        for field in &request("GET", &[]) {
            head.push(
                field.name,
                if field.name == name.as_bytes() { value.as_bytes() } else { field.value },
            );
        }
        head
    };
    let heads = [
        request("GET", &[("x", "a\r\nb: c")]),
        request("GET", &[("x\ny", "a")]),
        request("GET", &[("x y", "a")]),
        request("GET", &[("x", "a\0")]),
        request("GET", &[("content-length", "x")]),
        request("GET", &[("content-length", "5")]),
        pseudo(":method", "G T"),
        pseudo(":method", ""),
        pseudo(":method", "CONNECT"),
        pseudo(":path", "/a b"),
        pseudo(":path", "/\r\nx: y"),
        pseudo(":path", ""),
        pseudo(":path", "*"),
        pseudo(":path", "x"),
        pseudo(":authority", "a\r\nb: c"),
        pseudo(":authority", "user@a"),
    ];
    for head in heads {
        let mut raw = Raw::client();
        let stream = raw.engine.open(&head, true).unwrap();
        let events = raw.events();
        assert!(
            matches!(
                events[..],
                [Event::Reset {
                    code: ErrorCode::InternalError,
                    by: Side::Local,
                    unprocessed: false,
                    ..
                }]
            ),
            "{head:?}: {events:?}"
        );
        raw.engine.done(stream);
        assert_eq!(raw.sent(), "");
        assert_eq!(raw.engine.open(&request("GET", &[]), true), Ok(StreamId(2)));
        assert!(raw.sent().starts_with("GET /path?q HTTP/1.1\r\n"));
    }
}

#[test]
fn one_request_at_a_time() {
    let mut raw = Raw::client();
    assert_eq!(raw.engine.open_room(), 1);
    let stream = raw.engine.open(&request("GET", &[]), true).unwrap();
    assert_eq!(raw.engine.open_room(), 0);
    assert_eq!(raw.engine.open(&request("GET", &[]), true), Err(OpenError::Concurrency));
    raw.bytes("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    raw.events();
    assert_eq!(raw.engine.open_room(), 0, "not before done");
    raw.engine.done(stream);
    assert_eq!(raw.events(), [Event::Capacity { streams: 1 }]);
    assert_eq!(raw.engine.open(&request("GET", &[]), true), Ok(StreamId(2)));
}

#[test]
fn s6_3_content_by_length_by_chunks_and_by_the_connection_s_end() {
    let mut raw = asked("GET");
    raw.bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\nhello");
    let head = [("content-length", "5"), ("a", "b")];
    assert_eq!(raw.events(), [response(200, &head, false), data("hello", true)]);
    let mut raw = asked("GET");
    raw.bytes("HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nx: y\r\n\r\n");
    let trailers = Event::Trailers { stream: FIRST, fields: fields(&[("x", "y")]) };
    assert_eq!(raw.events(), [response(200, &[], false), data("hello", false), trailers]);
    let mut raw = asked("GET");
    raw.bytes("HTTP/1.1 200\r\n\r\nhel");
    raw.bytes("lo");
    raw.eof();
    let expected = [
        response(200, &[], false),
        draining(),
        data("hel", false),
        data("lo", false),
        data("", true),
    ];
    assert_eq!(raw.events(), expected);
    raw.engine.done(FIRST);
    assert_eq!(raw.sent(), "");
    assert_eq!(raw.events(), [Event::Closed { error: None }]);
}

#[test]
fn rfc9110_s6_4_1_responses_without_content() {
    for (method, head) in [
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"),
        ("GET", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ] {
        let mut raw = asked(method);
        raw.bytes(head);
        let events = raw.events();
        assert!(matches!(events[..], [Event::Response { end: true, .. }]), "{head}: {events:?}");
        raw.engine.done(FIRST);
        assert_eq!(raw.engine.open_room(), 1, "{method} {head}");
    }
}

#[test]
fn rfc9110_s15_2_interim_responses_are_told_of_and_bounded() {
    let mut raw = asked("GET");
    raw.bytes("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n");
    raw.bytes("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let interim = |status, others: &[(&str, &str)]| Event::Informational {
        stream: FIRST,
        head: ResponseHead::new(status, fields(others)),
    };
    let expected = [
        interim(100, &[]),
        interim(103, &[("link", "x")]),
        response(200, &[("content-length", "0")], true),
    ];
    assert_eq!(raw.events(), expected);
    let mut raw = asked("GET");
    raw.bytes("HTTP/1.1 102 P\r\n\r\n".repeat(16));
    assert_eq!(raw.events().len(), 16);
    raw.bytes("HTTP/1.1 102 P\r\n\r\n");
    let events = raw.events();
    assert!(
        matches!(
            events[..],
            [
                Event::Reset { code: ErrorCode::EnhanceYourCalm, .. },
                Event::Closed { error: Some(_) }
            ]
        ),
        "{events:?}"
    );
}

#[test]
fn s9_6_a_last_response_drains_the_connection() {
    for head in [
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n",
    ] {
        let mut raw = asked("GET");
        raw.bytes(head.to_owned() + "ok");
        let events = raw.events();
        assert_eq!(events[1..], [draining(), data("ok", true)]);
        assert_eq!(raw.engine.open(&request("GET", &[]), true), Err(OpenError::Draining));
        assert!(!raw.engine.is_drained());
        raw.engine.done(FIRST);
        assert!(raw.engine.is_drained());
        raw.sent();
        assert_eq!(raw.events(), [Event::Closed { error: None }]);
    }
    let mut raw = asked("GET");
    raw.bytes("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok");
    raw.engine.done(FIRST);
    assert_eq!(raw.engine.open_room(), 1);
}

#[test]
fn a_malformed_response_ends_the_connection() {
    let heads = [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\nx: y\n\n",
        "HTTP/1.1 200 OK\r\nx : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: y\r\n z\r\n\r\n",
        "HTTP/1.1 200 OK\r\n x: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: y\rz\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: \0\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "<html>\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 5\r\n\r\n",
    ];
    for head in heads {
        all_splits(head.as_bytes(), |pieces| {
            let mut raw = asked("GET");
            for piece in pieces {
                raw.bytes(piece);
            }
            let events = raw.events();
            let [.., Event::Reset { code, by: Side::Local, unprocessed: false, .. }, closed] =
                &events[..]
            else {
                panic!("{head:?}: {events:?}");
            };
            assert_eq!(*code, ErrorCode::ProtocolError);
            assert!(matches!(closed, Event::Closed { error: Some(_) }), "{head:?}: {events:?}");
            assert!(raw.engine.is_closed());
        });
    }
}

#[test]
fn octets_that_answer_nothing_end_the_connection() {
    let mut raw = Raw::client();
    raw.bytes("HTTP/1.1 408 Request Timeout\r\n\r\n");
    let events = raw.events();
    assert!(matches!(events[..], [Event::Closed { error: Some(_) }]), "{events:?}");
    let mut raw = asked("GET");
    raw.bytes("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n");
    let events = raw.events();
    assert!(
        matches!(
            events[..],
            [Event::Response { .. }, Event::Data { end: true, .. }, Event::Draining { .. }]
        ),
        "{events:?}"
    );
    assert_eq!(raw.engine.open_room(), 0);
    raw.engine.done(FIRST);
    raw.sent();
    assert_eq!(raw.events(), [Event::Closed { error: None }]);
}

fn lost(unprocessed: bool) -> Event {
    Event::Reset {
        stream: FIRST,
        code: ErrorCode::ConnectError,
        by: Side::Remote,
        reason: "the connection ended under the stream",
        unprocessed,
    }
}

#[test]
fn s9_6_a_connection_that_ends_under_a_request_resets_it() {
    for came in ["", "HTTP/1.1 200 OK\r\ncontent-len"] {
        let mut raw = asked("GET");
        raw.bytes(came);
        raw.eof();
        let events = raw.events();
        assert_eq!(events[0], lost(false), "{came}");
        assert!(matches!(events[1..], [Event::Closed { error: Some(_) }]), "{events:?}");
    }
    for came in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        let mut raw = asked("GET");
        raw.bytes(came);
        raw.eof();
        assert_eq!(raw.events()[2], lost(false), "{came}");
    }
}

#[test]
fn a_request_of_which_nothing_was_written_is_unprocessed() {
    let mut raw = Raw::client();
    raw.engine.open(&request("GET", &[]), true).unwrap();
    raw.engine.fill(raw.now);
    assert!(!raw.engine.output().is_empty());
    raw.eof();
    assert_eq!(raw.events()[0], lost(true));
    let mut raw = asked("GET");
    raw.bytes("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    raw.engine.done(FIRST);
    raw.events();
    let stream = raw.engine.open(&request("GET", &[]), true).unwrap();
    raw.eof();
    let events = raw.events();
    assert!(
        matches!(events[0], Event::Reset { stream: lost, unprocessed: true, .. } if lost == stream),
        "{events:?}"
    );
}

#[test]
fn a_reset_or_an_early_done_ends_the_connection() {
    for reset in [true, false] {
        let mut raw = asked("GET");
        raw.bytes("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel");
        raw.events();
        if reset {
            raw.engine.reset(FIRST, ErrorCode::Cancel);
        }
        raw.engine.done(FIRST);
        let events = raw.events();
        assert!(matches!(events[..], [Event::Closed { error: Some(_) }]), "{events:?}");
        assert_eq!(raw.engine.active_streams(), 0);
    }
}

#[test]
fn a_response_may_come_before_all_of_the_request_is_sent() {
    let mut raw = Raw::client();
    let stream = raw.engine.open(&request("POST", &[]), false).unwrap();
    raw.sent();
    raw.bytes("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    assert_eq!(raw.events().len(), 2);
    raw.engine.send_data(stream, Bytes::from_static(b"rest"), true).unwrap();
    raw.engine.done(stream);
    assert_eq!(raw.sent(), "4\r\nrest\r\n0\r\n\r\n");
    assert_eq!(raw.engine.open_room(), 1);
}

#[test]
fn drain_finishes_what_is_under_way() {
    let mut raw = asked("GET");
    raw.engine.drain(raw.now);
    assert!(!raw.engine.is_drained());
    raw.bytes("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    raw.engine.done(FIRST);
    assert!(raw.engine.is_drained());
    assert_eq!(raw.engine.open(&request("GET", &[]), true), Err(OpenError::Draining));
}
