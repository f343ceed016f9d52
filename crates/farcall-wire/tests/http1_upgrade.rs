//! Another protocol on the same connection (RFC 9110 section 7.8).

mod http1_support;

use bytes::Bytes;
use farcall_wire::http1::Gone;
use farcall_wire::{Event, StreamId};
use http1_support::{GOOD, Raw, fields};

const ASKS: &str = "GET /chat HTTP/1.1\r\nhost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";

fn agree() -> farcall_wire::Fields {
    fields(&[("upgrade", "websocket"), ("sec-websocket-accept", "x")])
}

fn data(stream: StreamId, data: &'static str, end: bool) -> Event {
    let credit = u32::try_from(data.len()).unwrap();
    Event::Data { stream, data: Bytes::from_static(data.as_bytes()), credit, end }
}

#[test]
fn a_server_agrees_and_all_bytes_are_the_stream_s() {
    let mut raw = Raw::server();
    let (stream, head, end) = raw.request(ASKS);
    assert!(end);
    assert_eq!(head.fields(), &fields(&[("upgrade", "websocket")]));
    raw.engine.upgrade(stream, &agree()).unwrap();
    assert_eq!(
        raw.sent(),
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n\
         connection: upgrade\r\n\r\n"
    );
    raw.bytes(GOOD);
    assert_eq!(raw.events(), [data(stream, GOOD, false)]);
    raw.engine.send_data(stream, Bytes::from_static(b"frame"), false).unwrap();
    assert_eq!(raw.sent(), "frame");
    raw.engine.send_data(stream, Bytes::from_static(b"last"), true).unwrap();
    assert_eq!(raw.sent(), "last");
    raw.bytes("more");
    assert_eq!(raw.events(), [data(stream, "more", false)]);
    raw.engine.done(stream);
    raw.sent();
    assert_eq!(raw.events(), [Event::Closed { error: None }]);
}

#[test]
fn the_peer_s_end_ends_its_half() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(ASKS);
    raw.engine.upgrade(stream, &agree()).unwrap();
    raw.sent();
    raw.eof();
    assert_eq!(raw.events(), [data(stream, "", true)]);
    raw.engine.send_data(stream, Bytes::from_static(b"bye"), true).unwrap();
    raw.engine.done(stream);
    assert_eq!(raw.sent(), "bye");
    assert_eq!(raw.events(), [Event::Closed { error: None }]);
}

#[test]
fn only_what_was_asked_for_can_be_agreed_to() {
    for request in [
        GOOD,
        "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: H2C\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\ncontent-length: 1\r\n\r\n",
        "GET / HTTP/1.0\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    ] {
        let mut raw = Raw::server();
        let (stream, ..) = raw.request(request);
        assert_eq!(raw.engine.upgrade(stream, &agree()), Err(Gone), "{request}");
        raw.answer(stream, "x");
        assert!(raw.sent().contains("HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn an_upgrade_may_be_declined() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(&format!("{ASKS}{GOOD}"));
    raw.answer(stream, "no");
    assert!(raw.sent().starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(raw.events().len(), 1, "the next request");
}

#[test]
fn w09_nothing_may_come_before_the_server_agrees() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(&format!("{ASKS}{GOOD}"));
    assert_eq!(raw.engine.upgrade(stream, &agree()), Err(Gone));
    raw.engine.done(stream);
    let sent = raw.sent();
    assert!(sent.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{sent}");
    let events = raw.events();
    assert!(matches!(events[..], [Event::Closed { error: Some(_) }]), "{events:?}");
}

#[test]
fn p06_an_illegal_agreement_is_none() {
    for head in [fields(&[]), fields(&[("upgrade", "x\r\ny: z")])] {
        let mut raw = Raw::server();
        let (stream, ..) = raw.request(ASKS);
        assert_eq!(raw.engine.upgrade(stream, &head), Err(Gone));
        assert!(raw.sent().starts_with("HTTP/1.1 500 "));
    }
}

fn client() -> (Raw, StreamId) {
    let mut raw = Raw::client();
    let head = fields(&[
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/chat"),
        ("upgrade", "websocket"),
    ]);
    let stream = raw.engine.open(&head, true).unwrap();
    assert_eq!(
        raw.sent(),
        "GET /chat HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
    );
    (raw, stream)
}

#[test]
fn a_client_that_asked_gets_all_bytes() {
    let (mut raw, stream) = client();
    raw.bytes("HTTP/1.1 101 Go\r\nconnection: Upgrade\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 ");
    let events = raw.events();
    let [Event::Response { head, end: false, .. }, came] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(head.status(), 101);
    assert_eq!(head.fields(), &fields(&[("upgrade", "websocket")]));
    assert_eq!(came, &data(stream, "HTTP/1.1 ", false));
    raw.engine.send_data(stream, Bytes::from_static(b"frame"), true).unwrap();
    assert_eq!(raw.sent(), "frame");
    raw.engine.done(stream);
    raw.sent();
    assert!(raw.engine.is_closed());
}

#[test]
fn a_client_that_is_declined_gets_a_response() {
    let (mut raw, stream) = client();
    raw.bytes("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    assert!(matches!(raw.events()[..], [Event::Response { end: true, .. }]));
    raw.engine.done(stream);
    assert_eq!(raw.engine.open_room(), 1);
}

#[test]
fn an_upgrade_without_its_fields_is_malformed() {
    let (mut raw, _) = client();
    raw.bytes("HTTP/1.1 101 Go\r\nupgrade: websocket\r\n\r\n");
    let events = raw.events();
    assert!(matches!(events[..], [Event::Reset { .. }, Event::Closed { .. }]), "{events:?}");
}
