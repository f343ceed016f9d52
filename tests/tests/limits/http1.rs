//! The column of HTTP/1.1.

use std::time::Duration;

use bytes::Bytes;
use farcall::limits::Bound;
use farcall::{Protocol, Server};
use farcall_tests::{Probe, ProbeClient, Request, Running, Subject};
use farcall_wire::http1::ErrorCode;
use farcall_wire::{Event, Side};

use crate::age;
use crate::canned::answering;
use crate::cell::{MOMENT, live, number, time};
use crate::http1_support::{GOOD, Raw as Engine, ok};
use crate::limited::{self, Way};
use crate::raw::Raw;

cells! { Http1:
    connections: "connections of a server" => |bound| limited::connections(Way::Http1, bound);
    calls_at_once: "calls at once on a connection" => calls_at_once;
    pipelined: "pipelined bytes unread" => pipelined;
    metadata_bytes: "metadata in bytes" => metadata_bytes;
    metadata_fields: "metadata in fields" => metadata_fields;
    target: "target in bytes" => target;
    interim_responses: "interim responses" => interim_responses;
    chunk_extensions: "chunk extensions" => chunk_extensions;
    stream_window: "window of a stream" => window;
    unsent_stream: "unsent, of a stream" => unsent;
    unsent_connection: "unsent, of a connection" => unsent;
    memory: "memory held for peers, of the process" => |bound| limited::memory(Way::Http1, bound);
    beginning: "connection's beginning, handshakes" => |bound| limited::beginning(Way::Http1, bound);
    connecting: "connecting" => |bound| limited::connecting(Way::Http1, bound);
    first_pause: "first pause when accept fails" => limited::first_pause;
    longest_pause: "longest pause when accept fails" => limited::longest_pause;
    head_complete: "head complete" => head_complete;
    idle: "idle" => idle;
    no_progress: "no progress" => no_progress;
    progress: "progress in 10 s" => progress;
    shutdown: "shutdown, calls under way" => |bound| limited::shutdown(Way::Http1, bound);
    age: "age of a connection" => |bound| age::age(Way::Http1, bound);
    age_spread: "spread of the age" => |bound| age::spread(Way::Http1, bound);
    age_calls: "age, calls under way" => |bound| age::calls_under_way(Way::Http1, bound);
}

/// A page that nobody has.
const NOWHERE: &str = "/nowhere";

/// A request for a page, the last on its connection.
fn page(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{fields}\r\n")
}

/// Requests to a live server and the statuses they are answered with; another client is answered afterwards.
fn statuses(requests: &[(String, &str)]) {
    live(async {
        let server = Server::new().add(Subject::new().into_service());
        let running = Running::start(server, "tcp://127.0.0.1:0").await;
        for (request, status) in requests {
            let raw = Raw::connect(&running.endpoint).await;
            let line = raw.first_line_after(request.as_bytes()).await;
            assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{line}");
        }
        assert!(running.client().await.unary(Request::default()).await.is_ok());
    });
}

fn metadata_bytes(bound: Bound) {
    let request = |size: usize| {
        // All lines behind the first one.
        let around = page(NOWHERE, "x: \r\n").len() - "GET /nowhere HTTP/1.1\r\n".len();
        page(NOWHERE, &format!("x: {}\r\n", "y".repeat(size - around)))
    };
    statuses(&[(request(number(bound)), "404"), (request(number(bound) + 1), "431")]);
}

fn metadata_fields(bound: Bound) {
    let request = |count: usize| page(NOWHERE, &"x: y\r\n".repeat(count - 2));
    statuses(&[(request(number(bound)), "404"), (request(number(bound) + 1), "431")]);
}

fn target(bound: Bound) {
    let request = |size: usize| page(&format!("/{}", "x".repeat(size - 1)), "");
    statuses(&[(request(number(bound)), "404"), (request(number(bound) + 1), "414")]);
}

/// A call in chunks, of which the first has an extension of so many octets.
fn chunk_extensions(bound: Bound) {
    let request = |octets: usize| {
        let extension = format!(";{}", "x".repeat(octets - 1));
        format!(
            "POST /probe.v1.Probe/Unary HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n\
             2{extension}\r\n{{}}\r\n0\r\n\r\n"
        )
    };
    statuses(&[(request(number(bound)), "200"), (request(number(bound) + 1), "400")]);
}

/// Two calls at once that a client sends one behind the other are answered one behind the other.
fn calls_at_once(bound: Bound) {
    assert_eq!(number(bound), 1);
    live(async {
        let subject = Subject::new();
        let server = Server::new().add(subject.clone().into_service());
        let running = Running::start(server, "tcp://127.0.0.1:0").await;
        let call = |close: &str| {
            let body = r#"{"waitAtGate":true}"#;
            format!(
                "POST /probe.v1.Probe/Unary HTTP/1.1\r\nhost: localhost\r\n{close}\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let both = [call(""), call("connection: close\r\n")].concat();
        let raw = Raw::connect(&running.endpoint).await;
        let answers = tokio::spawn(async move { raw.exchange(both.as_bytes()).await });
        subject.until(|subject| subject.running() == 1).await;
        // Other connections are served meanwhile, and the second call is not.
        let client = running.client().await;
        for _ in 0..10 {
            assert!(client.unary(Request::default()).await.is_ok());
        }
        assert_eq!((subject.started(), subject.running()), (11, 1));
        subject.open_gate();
        let answers = answers.await.unwrap();
        assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 2, "{answers}");
    });
}

/// So many interim responses are passed over by a client; one more fails the call.
fn interim_responses(bound: Bound) {
    live(async {
        let answer = |count: usize| {
            let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(count);
            let last =
                "HTTP/1.1 200 OK\r\ncontent-type: application/proto\r\ncontent-length: 0\r\n\r\n";
            format!("{interim}{last}").into_bytes()
        };
        let call = async |count| {
            let (_, channel) = answering(answer(count)).await;
            let client = ProbeClient::new(channel.protocol(Protocol::Connect));
            client.unary(Request::default()).await
        };
        assert!(call(number(bound)).await.is_ok());
        let status = call(number(bound) + 1).await.unwrap_err();
        assert!(status.message().contains("interim"), "{status}");
    });
}

/// What waits behind a request under way: up to the bound it is read.
fn pipelined(bound: Bound) {
    let mut raw = Engine::server();
    let (stream, ..) = raw.request(GOOD);
    raw.bytes("x".repeat(number(bound) - 1));
    assert!(raw.engine.wants_input());
    raw.bytes("x");
    assert!(!raw.engine.wants_input());
    assert_eq!(raw.events(), []);
    raw.answer(stream, "done");
    raw.sent();
    assert!(raw.engine.wants_input());
}

/// A request with content of this length.
fn upload(raw: &mut Engine, length: usize) -> farcall_wire::StreamId {
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n");
    raw.request(&head).0
}

fn window(bound: Bound) {
    let mut raw = Engine::server();
    let stream = upload(&mut raw, 2 * number(bound));
    raw.bytes("x".repeat(number(bound) - 1));
    assert!(raw.engine.wants_input());
    raw.bytes("x");
    assert!(!raw.engine.wants_input());
    raw.engine.release(stream, 1);
    assert!(raw.engine.wants_input());
}

/// What waits to be written: the stream is the connection's only one.
fn unsent(bound: Bound) {
    let most = number(bound);
    let mut raw = Engine::server();
    let (stream, ..) = raw.request(GOOD);
    raw.engine.send_head(stream, &ok(), false).unwrap();
    assert_eq!(raw.engine.send_room(stream), most);
    // The output takes its part first: it is what one write takes.
    while raw.engine.send_room(stream) == most {
        raw.engine.send_data(stream, Bytes::from(vec![b'x'; 1000]), false).unwrap();
    }
    while raw.engine.send_room(stream) > 1 {
        let room = raw.engine.send_room(stream) - 1;
        raw.engine.send_data(stream, Bytes::from(vec![b'x'; room]), false).unwrap();
    }
    assert_eq!(raw.engine.send_room(stream), 1);
    raw.engine.send_data(stream, Bytes::from_static(b"x"), false).unwrap();
    assert_eq!(raw.engine.send_room(stream), 0);
    raw.sent();
    raw.sent();
    assert_eq!(raw.events(), [Event::Writable { stream }]);
}

fn head_complete(bound: Bound) {
    let (front, back) = GOOD.split_at(9);
    let mut raw = Engine::server();
    raw.bytes(front);
    raw.pass(time(bound).checked_sub(MOMENT).unwrap());
    raw.request(back);
    let mut raw = Engine::server();
    raw.bytes(front);
    raw.pass(time(bound));
    assert!(raw.sent().starts_with("HTTP/1.1 408 "));
}

fn idle(bound: Bound) {
    let mut raw = Engine::server();
    raw.pass(time(bound).checked_sub(MOMENT).unwrap());
    assert!(!raw.engine.is_drained());
    raw.pass(MOMENT);
    assert!(raw.engine.is_drained());
}

fn no_progress(bound: Bound) {
    let mut raw = Engine::server();
    let (stream, ..) = raw.request(GOOD);
    raw.answer(stream, "an answer that nobody reads");
    raw.engine.fill(raw.now);
    raw.pass(time(bound).checked_sub(MOMENT).unwrap());
    assert!(!raw.engine.is_closed());
    raw.pass(MOMENT);
    let events = raw.events();
    let [Event::Closed { error: Some(error) }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((error.code, error.by), (ErrorCode::EnhanceYourCalm, Side::Local));
}

fn progress(bound: Bound) {
    const PERIOD: Duration = Duration::from_secs(10);
    let mut raw = Engine::server();
    upload(&mut raw, 1 << 20);
    for _ in 0..5 {
        raw.bytes("x".repeat(number(bound)));
        raw.pass(PERIOD);
    }
    assert_eq!(raw.events().len(), 5);
    raw.bytes("x".repeat(number(bound) - 1));
    raw.pass(PERIOD);
    assert!(raw.sent().starts_with("HTTP/1.1 408 "));
}
