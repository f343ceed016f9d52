//! A server by the sections of RFC 9112 and RFC 9110.

mod http1_support;

use bytes::Bytes;
use farcall_wire::Event;
use http1_support::{Echo, GOOD, Raw, fields, ok};

#[test]
fn s3_a_request_without_content_is_one_event() {
    let mut raw = Raw::server();
    let (stream, head, end) =
        raw.request("GET /path?q=1 HTTP/1.1\r\nHost: a:80\r\nX-Name:  value \r\n\r\n");
    assert_eq!((stream.0, end), (1, true));
    assert_eq!((head.method(), head.path()), (&b"GET"[..], &b"/path?q=1"[..]));
    assert_eq!((head.scheme(), head.authority()), (&b"http"[..], Some(&b"a:80"[..])));
    assert_eq!(head.fields(), &fields(&[("x-name", "value")]));
    raw.answer(stream, "hello");
    assert_eq!(raw.sent(), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    assert_eq!(raw.engine.active_streams(), 0);
}

#[test]
fn s6_2_content_of_a_known_length() {
    let mut raw = Raw::server();
    let (stream, head, end) =
        raw.request("POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel");
    assert!(!end);
    assert_eq!(head.fields().get("content-length"), Some(&b"5"[..]));
    raw.bytes("loGET");
    let events = raw.events();
    let data = |data: &'static str, end| Event::Data {
        stream,
        data: Bytes::from_static(data.as_bytes()),
        credit: data.len() as u32,
        end,
    };
    assert_eq!(events, [data("hel", false), data("lo", true)]);
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
fn a_head_leaves_with_fill() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    raw.engine.send_head(stream, &ok(), false).unwrap();
    assert_eq!(raw.sent(), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    raw.engine.send_data(stream, Bytes::from_static(b"hello, world, hello"), false).unwrap();
    raw.engine.send_trailers(stream, &fields(&[("sum", "19")])).unwrap();
    raw.engine.done(stream);
    assert_eq!(raw.sent(), "13\r\nhello, world, hello\r\n0\r\nsum: 19\r\n\r\n");
}
