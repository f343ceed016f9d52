//! What all connections of a server may hold together: who comes too late is told, and small calls go on.

#![allow(clippy::unwrap_used)]

#[path = "limits/hog.rs"]
mod hog;
#[path = "limits/peer.rs"]
#[allow(dead_code)]
mod peer;
#[allow(dead_code)]
mod raw;
#[path = "../../crates/farcall-wire/tests/websocket_support/mod.rs"]
mod websocket_support;

use farcall::{Channel, ChannelConfig, Code, Server};
use farcall_tests::{Probe, ProbeClient, Request, Running, Subject};
use farcall_wire::http2::ErrorCode;
use farcall_wire::http2::frame::{Setting, SettingId, Settings, WindowUpdate};
use hog::{ALLOWANCE, Hog, call};
use peer::{Answer, Carrier, Peer, Seen};
use raw::Raw;
use tower_service::Service as _;

const KIB: usize = 1024;
const BUDGET: usize = 512 * KIB;

async fn server(budget: usize) -> Running {
    let server = Server::new().add(Subject::new().into_service()).memory_budget(budget);
    Running::start(server, "tcp://127.0.0.1:0").await
}

fn client(carrier: Option<Carrier>, endpoint: &str) -> ProbeClient {
    let config = ChannelConfig { http1: carrier.is_none(), ..ChannelConfig::default() };
    let endpoint = match carrier {
        Some(Carrier::WebSocket) => endpoint.replace("tcp:", "ws:"),
        _ => endpoint.to_owned(),
    };
    ProbeClient::new(Channel::with_config(endpoint, config).unwrap())
}

fn request(payload: usize) -> Request {
    Request { payload: vec![7; payload], ..Request::default() }
}

/// Waits until what was held is given back: `bytes` can be held again, to the last one.
async fn until_free(
    carrier: Option<Carrier>,
    endpoint: &str,
    bytes: usize,
    client: &ProbeClient,
) -> Hog {
    loop {
        let mut hog = Hog::hold(carrier, endpoint, bytes).await;
        if hog.is_held(client).await {
            return hog;
        }
    }
}

/// Many connections hold the beginnings of messages, until no more is left.
async fn beginnings(carrier: Option<Carrier>) {
    let running = server(BUDGET).await;
    let client = client(carrier, &running.endpoint);
    let mut hogs = Vec::new();
    for _ in 0..8 {
        let mut hog = Hog::hold(carrier, &running.endpoint, ALLOWANCE + BUDGET / 8).await;
        assert!(hog.is_held(&client).await);
        hogs.push(hog);
    }
    let status = client.unary(request(300 * KIB)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert!(status.message().contains("memory budget"), "{status}");
    assert!(status.message().contains(&BUDGET.to_string()), "{status}");
    hogs[7].one_more().await;
    assert_eq!(hogs[7].answer().await, Answer::status(429));
    for hog in &mut hogs[..7] {
        assert!(hog.is_held(&client).await, "others are not harmed");
    }
    drop(hogs);
    let mut all = until_free(carrier, &running.endpoint, ALLOWANCE + BUDGET, &client).await;
    all.one_more().await;
    assert_eq!(all.answer().await, Answer::status(429), "to the last byte");
    drop(all);
    running.stop().await;
}

#[tokio::test]
async fn beginnings_of_messages_over_http1_end_where_the_budget_does() {
    beginnings(None).await;
}

#[tokio::test]
async fn beginnings_of_messages_over_http2_end_where_the_budget_does() {
    beginnings(Some(Carrier::Http2)).await;
}

#[tokio::test]
async fn beginnings_of_messages_over_websockets_end_where_the_budget_does() {
    beginnings(Some(Carrier::WebSocket)).await;
}

/// A client that takes no reply: its windows are closed.
async fn slow_reader(endpoint: &str) -> Peer {
    let mut peer = Peer::connect(Carrier::Http2, endpoint).await;
    let settings = [Setting { id: SettingId::InitialWindowSize, value: 0 }];
    peer.frame(|out| Settings::emit(&settings, out)).await;
    peer.settle().await;
    peer
}

/// The count of replies in the requests that are made here.
const REPLIES: u8 = 24;

/// A request with so many bytes of payload.
fn message(payload: usize) -> Vec<u8> {
    let low = u8::try_from(payload % 128).unwrap() | 0x80;
    let middle = u8::try_from(payload / 128 % 128).unwrap() | 0x80;
    let high = u8::try_from(payload / 128 / 128).unwrap();
    let mut message = vec![0x10, REPLIES, 0x0a, low, middle, high];
    message.resize(6 + payload, 7);
    message
}

/// The same in an envelope.
fn enveloped(payload: usize) -> Vec<u8> {
    let message = message(payload);
    let length = u32::try_from(message.len()).unwrap();
    [&[0][..], &length.to_be_bytes(), &message].concat()
}

/// Calls the method that sends the payload back.
async fn echo(peer: &mut Peer, stream: u32, payload: usize) -> Answer {
    peer.request(stream, &call(), false).await;
    let message = message(payload);
    let last = message.chunks(16_384).count();
    for (number, piece) in message.chunks(16_384).enumerate() {
        peer.data(stream, piece, number + 1 == last).await;
    }
    peer.answer(stream).await
}

#[tokio::test]
async fn replies_that_nobody_takes_are_counted_and_small_calls_go_on() {
    let running = server(BUDGET).await;
    let client = client(Some(Carrier::Http2), &running.endpoint);
    let mut slow = slow_reader(&running.endpoint).await;
    // Each request comes whole, in one frame; 36 of the replies fit.
    let mut stream = 1;
    while echo(&mut slow, stream, 16_000).await == Answer::status(200) {
        stream += 2;
    }
    assert_eq!(stream / 2, (ALLOWANCE + BUDGET) as u32 / 16_000);
    let status = client.unary(request(200 * KIB)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    // Small replies go beyond the bound; then the connection gets no new calls, and others do.
    let refused = loop {
        stream += 2;
        match echo(&mut slow, stream, 3 * KIB).await {
            Answer::Status(status) => assert_eq!(status, "200"),
            other => break other,
        }
    };
    assert_eq!(refused, Answer::Reset(ErrorCode::RefusedStream));
    for _ in 0..100 {
        client.unary(request(16)).await.unwrap();
    }
    drop(slow);
    let free = ALLOWANCE + BUDGET;
    until_free(Some(Carrier::Http2), &running.endpoint, free, &client).await;
    running.stop().await;
}

#[tokio::test]
async fn above_the_bound_a_stream_that_nobody_takes_waits_within_the_allowance() {
    // Within the budget the stream's queue takes all of the replies, and the handler has ended.
    for (budget, taken) in [(BUDGET, true), (0, false)] {
        let subject = Subject::new();
        let server = Server::new().add(subject.clone().into_service()).memory_budget(budget);
        let running = Running::start(server, "tcp://127.0.0.1:0").await;
        let mut slow = slow_reader(&running.endpoint).await;
        slow.request(1, &peer::call("/probe.v1.Probe/Replies"), false).await;
        slow.data(1, &enveloped(10 * KIB), true).await;
        if taken {
            subject.until(|subject| subject.started() == 1 && subject.running() == 0).await;
            continue;
        }
        assert_eq!(slow.answer(1).await, Answer::status(200));
        // Each is answered in a batch of its own, between which the handler gets its turns.
        for _ in 0..3 {
            slow.settle().await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(subject.running(), 1, "the handler waits");
        for stream in [0, 1] {
            slow.frame(|out| WindowUpdate { stream, increment: 1 << 20 }.emit(out)).await;
        }
        let mut length = 0;
        while length < usize::from(REPLIES) * 10 * KIB {
            if let Seen::Data { length: piece, .. } = slow.next().await.unwrap() {
                length += piece;
            }
        }
        subject.until(|subject| subject.running() == 0).await;
    }
}

#[tokio::test]
async fn far_above_the_bound_nobody_gets_new_calls_until_it_is_given_back() {
    let running = server(64 * KIB).await;
    let client = client(Some(Carrier::Http2), &running.endpoint);
    client.unary(request(16)).await.unwrap();
    let mut slow = slow_reader(&running.endpoint).await;
    // The replies to it go on until the stream's own queue is full.
    slow.request(1, &peer::call("/probe.v1.Probe/Replies"), false).await;
    slow.data(1, &enveloped(10 * KIB), true).await;
    assert_eq!(slow.answer(1).await, Answer::status(200));
    let (mut other, mut stream) = (slow_reader(&running.endpoint).await, 1);
    let refused = loop {
        match echo(&mut other, stream, 16).await {
            Answer::Status(status) => assert_eq!(status, "200"),
            other => break other,
        }
        stream += 2;
    };
    assert_eq!(refused, Answer::Reset(ErrorCode::RefusedStream));
    let request_line = "POST /probe.v1.Probe/Unary HTTP/1.1\r\nhost: localhost\r\n";
    let call =
        format!("{request_line}content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}");
    let line = Raw::connect(&running.endpoint).await.first_line_after(call.as_bytes()).await;
    assert!(line.starts_with("HTTP/1.1 503 "), "{line}");
    assert_eq!(client.unary(request(16)).await.unwrap_err().code(), Code::Unavailable);
    drop((slow, other));
    while client.unary(request(16)).await.is_err() {}
    let free = ALLOWANCE + 64 * KIB;
    until_free(Some(Carrier::Http2), &running.endpoint, free, &client).await;
    running.stop().await;
}

#[tokio::test]
async fn inside_of_another_server_the_same_holds() {
    let subject = Subject::new();
    let server = Server::new().add(subject.clone().into_service()).memory_budget(0);
    let mut service = server.into_http_service();
    let mut call = |method: &str, kind: &str, body: Vec<u8>| {
        let request = http::Request::post(format!("http://localhost/probe.v1.Probe/{method}"))
            .header("content-type", kind)
            .body(http_body_util::Full::new(bytes::Bytes::from(body)))
            .unwrap();
        service.call(request)
    };
    let small = call("Unary", "application/proto", message(16)).await.unwrap();
    assert_eq!(small.status(), 200);
    let large = call("Unary", "application/proto", message(100 * KIB)).await.unwrap();
    assert_eq!(large.status(), 429);
    let replies = call("Replies", "application/grpc", enveloped(40 * KIB)).await.unwrap();
    assert_eq!(replies.status(), 200);
    // Nobody reads them: the handler has to wait, and what there is of them is above the bound.
    let refused = call("Unary", "application/proto", message(16)).await.unwrap();
    assert_eq!(refused.status(), 503);
    let read = http_body_util::BodyExt::collect(replies.into_body()).await.unwrap();
    assert!(read.to_bytes().len() > usize::from(REPLIES) * 40 * KIB);
    let small = call("Unary", "application/proto", message(16)).await.unwrap();
    assert_eq!(small.status(), 200);
}

/// With no budget at all, streams of replies wait for their connection's output and go on when it has drained.
async fn streams(carrier: Option<Carrier>) {
    let running = server(0).await;
    let client = client(carrier, &running.endpoint);
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let request = Request { count: 300, ..request(10 * KIB) };
                let mut replies = client.replies(request).await.unwrap();
                let mut count = 0;
                while let Some(reply) = replies.receive().await.unwrap() {
                    assert_eq!((reply.count, reply.payload.len()), (count, 10 * KIB));
                    count += 1;
                }
                assert_eq!(count, 300);
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    client.unary(request(16)).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn streams_of_replies_over_http1_need_no_budget() {
    streams(None).await;
}

#[tokio::test]
async fn streams_of_replies_over_http2_need_no_budget() {
    streams(Some(Carrier::Http2)).await;
}

#[tokio::test]
async fn streams_of_replies_over_websockets_need_no_budget() {
    streams(Some(Carrier::WebSocket)).await;
}
