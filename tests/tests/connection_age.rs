//! Connections end once they are old enough, and no call is lost by it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farcall::{Call, Channel, ChannelConfig, Code, Next, Reply, Result, Server};
use farcall_tests::{Probe, ProbeClient, Request, Running, Subject};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How old a connection becomes here.
const AGE: Duration = Duration::from_millis(40);
/// Calls that are made while connections are waited for to be renewed: many times as many as it takes.
const PATIENCE: usize = 1_000_000;

/// Who has called: a connection has a port of its own.
#[derive(Clone, Default)]
struct Callers(Arc<Mutex<BTreeSet<String>>>);

impl Callers {
    async fn note(self: Arc<Self>, call: Call, next: Next) -> Result<Reply> {
        if let Some(peer) = call.peer() {
            self.0.lock().unwrap().insert(peer.to_string());
        }
        next.run(call).await
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// A server whose connections do not become older.
struct Aging {
    subject: Subject,
    callers: Callers,
    running: Running,
}

impl Aging {
    async fn start(adjust: impl FnOnce(Server) -> Server) -> Self {
        let (subject, callers) = (Subject::new(), Callers::default());
        let server = Server::new()
            .add(subject.clone().into_service())
            .intercept_with(callers.clone(), Callers::note)
            .max_connection_age(AGE);
        let running = Running::start(adjust(server), "tcp://127.0.0.1:0").await;
        Self { subject, callers, running }
    }

    fn client(&self, way: Way) -> ProbeClient {
        let config = ChannelConfig { http1: way == Way::Http1, ..ChannelConfig::default() };
        let endpoint = match way {
            Way::Http1 | Way::Http2 => self.running.endpoint.clone(),
            Way::WebSocket => self.running.endpoint.replace("tcp:", "ws:"),
        };
        ProbeClient::new(Channel::with_config(endpoint, config).unwrap())
    }

    /// Calls until the calls have come over so many more connections, one behind the other.
    async fn renew(&self, client: &ProbeClient, times: usize) {
        let wanted = self.callers.count() + times;
        for number in 0..PATIENCE {
            if self.callers.count() >= wanted {
                return;
            }
            let payload = number.to_be_bytes().to_vec();
            let reply = client.unary(Request { payload: payload.clone(), ..Request::default() });
            assert_eq!(reply.await.expect("no call is lost").payload, payload);
        }
        panic!("connections stay");
    }

    /// Calls until every connection that was open before is older than it may become.
    async fn pass(&self) {
        // The first began no earlier than now and ended after nine tenths, at least; so did the second.
        self.renew(&self.client(Way::Http2), 3).await;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Http1,
    Http2,
    WebSocket,
}

fn at_the_gate() -> Request {
    Request { wait_at_gate: true, ..Request::default() }
}

/// Several callers at once, who never rest, and a stream beside them that is older than all connections.
async fn no_call_is_lost(way: Way) {
    let aging = Aging::start(|server| server).await;
    let client = aging.client(way);
    let old = tokio::spawn(client.unary(at_the_gate()));
    aging.subject.until(|subject| subject.running() == 1).await;
    let (mut requests, reply) = client.requests().await.unwrap();
    requests.send(Request::default()).await.unwrap();
    tokio::join!(
        aging.renew(&client, 15),
        aging.renew(&client, 15),
        aging.renew(&client, 15),
        aging.renew(&client, 15),
    );
    requests.send(Request::default()).await.unwrap();
    requests.finish().await.unwrap();
    assert_eq!(reply.await.expect("the stream goes on").count, 2);
    aging.subject.open_gate();
    assert!(old.await.unwrap().is_ok(), "the call was under way");
    aging.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http2_no_call_is_lost() {
    no_call_is_lost(Way::Http2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http1_no_call_is_lost() {
    no_call_is_lost(Way::Http1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_websocket_no_call_is_lost() {
    no_call_is_lost(Way::WebSocket).await;
}

#[tokio::test]
async fn without_an_age_connections_stay() {
    let aging = Aging::start(|server| server).await;
    let (subject, callers) = (Subject::new(), Callers::default());
    let server =
        Server::new().add(subject.into_service()).intercept_with(callers.clone(), Callers::note);
    let running = Running::start(server, "tcp://127.0.0.1:0").await;
    let client = running.client().await;
    for _ in 0..3 {
        aging.pass().await;
        assert!(client.unary(Request::default()).await.is_ok());
    }
    assert_eq!(callers.count(), 1);
    running.stop().await;
    aging.running.stop().await;
}

async fn a_call_that_outlasts_the_grace_is_ended(way: Way) {
    let aging = Aging::start(|server| server.shutdown_limit(AGE)).await;
    let status = aging.client(way).unary(at_the_gate()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    aging.subject.until(|subject| subject.running() == 0).await;
    assert_eq!(aging.subject.started(), 1, "it is not sent again");
    aging.running.stop().await;
}

#[tokio::test]
async fn over_http2_a_call_that_outlasts_the_grace_is_ended() {
    a_call_that_outlasts_the_grace_is_ended(Way::Http2).await;
}

#[tokio::test]
async fn over_http1_a_call_that_outlasts_the_grace_is_ended() {
    a_call_that_outlasts_the_grace_is_ended(Way::Http1).await;
}

#[tokio::test]
async fn over_a_websocket_a_call_that_outlasts_the_grace_is_ended() {
    a_call_that_outlasts_the_grace_is_ended(Way::WebSocket).await;
}

/// A connection of HTTP/1.1 whose every byte is the test's.
struct Http1(TcpStream, Vec<u8>);

impl Http1 {
    async fn connect(aging: &Aging) -> Self {
        let address = aging.running.endpoint.strip_prefix("tcp://").unwrap();
        Self(TcpStream::connect(address).await.unwrap(), Vec::new())
    }

    async fn post(&mut self, method: &str, content_type: &str, body: &[u8]) {
        let length = body.len();
        let head = format!(
            "POST /probe.v1.Probe/{method} HTTP/1.1\r\nhost: localhost\r\n\
             content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
        );
        self.0.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    }

    async fn unary(&mut self, body: &str) {
        self.post("Unary", "application/json", body.as_bytes()).await;
    }

    /// Reads on until these bytes have come; returns everything up to them.
    async fn until(&mut self, end: &str) -> String {
        loop {
            let found = self.1.windows(end.len()).position(|window| window == end.as_bytes());
            if let Some(at) = found {
                let answer: Vec<_> = self.1.drain(..at + end.len()).collect();
                return String::from_utf8_lossy(&answer).into_owned();
            }
            assert_ne!(self.0.read_buf(&mut self.1).await.unwrap(), 0, "closed before {end:?}");
        }
    }

    /// The server closes, and nothing comes before that.
    async fn assert_ended(mut self) {
        assert_eq!(self.0.read_buf(&mut self.1).await.unwrap(), 0);
        assert!(self.1.is_empty(), "{}", self.1.escape_ascii());
    }
}

#[tokio::test]
async fn http1_says_in_the_answer_to_the_request_under_way_that_it_is_the_last() {
    let aging = Aging::start(|server| server).await;
    let mut raw = Http1::connect(&aging).await;
    raw.unary("{}").await;
    let answer = raw.until(r#"{"count":"1"}"#).await;
    assert!(!answer.contains("connection: close"), "{answer}");
    raw.unary(r#"{"waitAtGate":true}"#).await;
    aging.subject.until(|subject| subject.running() == 1).await;
    aging.pass().await;
    aging.subject.open_gate();
    let answer = raw.until(r#"{"count":"1"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    raw.assert_ended().await;
    aging.running.stop().await;
}

#[tokio::test]
async fn http1_that_rests_answers_one_more_request() {
    let aging = Aging::start(|server| server).await;
    let mut raw = Http1::connect(&aging).await;
    raw.unary("{}").await;
    raw.until(r#"{"count":"1"}"#).await;
    aging.pass().await;
    raw.unary("{}").await;
    let answer = raw.until(r#"{"count":"1"}"#).await;
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    raw.assert_ended().await;
    aging.running.stop().await;
}

#[tokio::test]
async fn http1_whose_answer_has_begun_without_saying_so_answers_one_more_request() {
    let aging = Aging::start(|server| server).await;
    let mut raw = Http1::connect(&aging).await;
    let request = br#"{"count":"1","waitAtGate":true}"#;
    let mut envelope = vec![0, 0, 0, 0, u8::try_from(request.len()).unwrap()];
    envelope.extend_from_slice(request);
    raw.post("Replies", "application/connect+json", &envelope).await;
    let answer = raw.until("\r\n\r\n").await;
    assert!(!answer.contains("connection: close"), "{answer}");
    aging.pass().await;
    aging.subject.open_gate();
    raw.until("\r\n0\r\n\r\n").await;
    raw.unary("{}").await;
    let answer = raw.until(r#"{"count":"1"}"#).await;
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    raw.assert_ended().await;
    aging.running.stop().await;
}

#[tokio::test]
async fn a_connection_that_rests_is_closed_when_the_grace_is_over() {
    let aging = Aging::start(|server| server.shutdown_limit(AGE)).await;
    let mut raw = Http1::connect(&aging).await;
    raw.unary("{}").await;
    raw.until(r#"{"count":"1"}"#).await;
    raw.assert_ended().await;
    aging.running.stop().await;
}
