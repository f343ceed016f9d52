//! A server's services inside an axum program, which owns the port, and inside nothing but a test.

mod oracle;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use farcall::http::HttpService;
use farcall::{Call, Channel, ChannelConfig, Code, Codec, Peer, Protocol, Server};
use farcall_tests::{Probe, ProbeClient, Request, Subject};
use http::{Response, StatusCode, Version};
use http_body_util::{BodyExt, Channel as Pieces, Full};
use oracle::{Client, full, settled};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tower_service::Service;

const PROTOCOLS: [Protocol; 3] = [Protocol::Grpc, Protocol::GrpcWeb, Protocol::Connect];
const SOON: Duration = Duration::from_millis(30);

/// An axum program with a page of its own; what it does not know goes to the services.
struct Program {
    endpoint: String,
    task: AbortHandle,
}

impl Program {
    async fn start(service: HttpService) -> Self {
        let router = Router::new().route("/page", get(async || "a page")).fallback_service(service);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(axum::serve(listener, router).into_future()).abort_handle();
        Self { endpoint, task }
    }

    async fn client(&self) -> ProbeClient {
        ProbeClient::new(Channel::connect(&self.endpoint).await.unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn service(subject: &Subject) -> HttpService {
    Server::new().add(subject.clone().into_service()).health().into_http_service()
}

async fn over_axum(subject: &Subject) -> (Program, ProbeClient) {
    let program = Program::start(service(subject)).await;
    let client = program.client().await;
    (program, client)
}

fn request(payload: impl Into<Vec<u8>>) -> Request {
    Request { payload: payload.into(), ..Request::default() }
}

fn hang() -> Request {
    Request { hang: true, ..Request::default() }
}

fn failing() -> Request {
    let fail_with = Code::NotFound.as_u32();
    Request { fail_with, fail_message: "no such thing".into(), count: 2, ..Request::default() }
}

async fn all_four_kinds(client: &ProbeClient, full_duplex: bool) {
    let call = client.unary(request("one")).metadata("x-leading", "a").metadata("x-trailing", "b");
    let (reply, beside) = call.with_metadata().await.unwrap();
    assert_eq!(reply.payload, b"one");
    assert_eq!(beside.metadata().get("x-leading"), Some("a"));
    assert_eq!(beside.trailers().get("x-trailing"), Some("b"));

    let mut replies = client.replies(Request { count: 100, ..request("two") }).await.unwrap();
    let mut count = 0;
    while let Some(reply) = replies.receive().await.unwrap() {
        assert_eq!(reply.count, count);
        count += 1;
    }
    assert_eq!(count, 100);

    let (mut requests, reply) = client.requests().await.unwrap();
    for number in 0..100_u8 {
        requests.send(request([number])).await.unwrap();
    }
    requests.finish().await.unwrap();
    let reply = reply.await.unwrap();
    assert_eq!((reply.count, reply.payload), (100, vec![99]));

    let (mut requests, mut replies) = client.both().await.unwrap();
    for number in 0..20_u8 {
        requests.send(request([number])).await.unwrap();
        if full_duplex {
            assert_eq!(replies.receive().await.unwrap().unwrap().payload, [number]);
        }
    }
    requests.finish().await.unwrap();
    let mut rest = 0;
    while replies.receive().await.unwrap().is_some() {
        rest += 1;
    }
    assert_eq!(rest, if full_duplex { 0 } else { 20 });
}

async fn failures(client: &ProbeClient) {
    let status = client.unary(failing()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "no such thing"));
    let mut replies = client.replies(failing()).await.unwrap();
    assert!(replies.receive().await.unwrap().is_some());
    assert!(replies.receive().await.unwrap().is_some());
    let status = replies.receive().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "no such thing"));
    let panics = Request { panic: true, ..Request::default() };
    assert_eq!(client.unary(panics).await.unwrap_err().code(), Code::Internal);
}

#[tokio::test]
async fn every_protocol_takes_all_four_kinds() {
    let subject = Subject::new();
    let program = Program::start(service(&subject)).await;
    for http1 in [false, true] {
        let config = ChannelConfig { http1, ..ChannelConfig::default() };
        let channel = Channel::with_config(&program.endpoint, config).unwrap();
        // hyper lets trailers through over HTTP/1.1 only where the head announces their names: gRPC needs HTTP/2 there.
        for protocol in
            PROTOCOLS.into_iter().filter(|protocol| !http1 || *protocol != Protocol::Grpc)
        {
            for codec in [Codec::Proto, Codec::Json] {
                let client = ProbeClient::new(channel.clone().protocol(protocol).codec(codec));
                all_four_kinds(&client, !http1).await;
                failures(&client).await;
            }
        }
    }
    subject.until(|subject| subject.running() == 0).await;
}

#[tokio::test]
async fn json_is_answered_beside_the_pages() {
    let program = Program::start(service(&Subject::new())).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let mut client = Client::connect(&program.endpoint, version).await;
        assert_eq!(client.get("/page").await.body(), "a page");
        let ask = client.request("POST", "/probe.v1.Probe/Unary");
        let ask = ask.header("content-type", "application/json");
        let answer = client.send(ask.body(full(r#"{"payload":"AQI="}"#)).unwrap()).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        let answer = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(answer, r#"{"payload":"AQI=","count":"1"}"#);
        let query = "connect=v1&encoding=json&message=%7B%7D";
        let health = client.get(&format!("/grpc.health.v1.Health/Check?{query}")).await;
        assert_eq!(health.body(), r#"{"status":"SERVING"}"#);
        assert_eq!(client.get("/nowhere").await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_deadline_ends_the_call_on_both_sides() {
    let subject = Subject::new();
    let (_program, client) = over_axum(&subject).await;
    let status = client.unary(hang()).timeout(SOON).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let mut replies = client.replies(hang()).timeout(SOON).await.unwrap();
    assert_eq!(replies.receive().await.unwrap_err().code(), Code::DeadlineExceeded);
    subject.until(|subject| subject.started() == 2 && subject.running() == 0).await;
}

#[tokio::test]
async fn a_deadline_holds_though_only_the_server_knows_it() {
    let subject = Subject::new();
    let program = Program::start(service(&subject)).await;
    let mut client = Client::connect(&program.endpoint, Version::HTTP_2).await;
    let ask = client.request("POST", "/probe.v1.Probe/Unary");
    let ask = ask.header("content-type", "application/json").header("connect-timeout-ms", "20");
    let answer = client.send(ask.body(full(r#"{"hang":true}"#)).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    subject.until(|subject| subject.started() == 1 && subject.running() == 0).await;
}

#[tokio::test]
async fn dropping_a_call_drops_its_handler() {
    let subject = Subject::new();
    let (_program, client) = over_axum(&subject).await;
    let call = tokio::spawn(client.unary(hang()));
    subject.until(|subject| subject.running() == 1).await;
    call.abort();
    subject.until(|subject| subject.running() == 0).await;

    let replies = client.replies(Request { count: 1, ..hang() }).await.unwrap();
    subject.until(|subject| subject.running() == 1).await;
    drop(replies);
    subject.until(|subject| subject.running() == 0).await;

    let (mut requests, mut replies) = client.both().await.unwrap();
    requests.send(request("x")).await.unwrap();
    assert!(replies.receive().await.unwrap().is_some());
    drop((requests, replies));
    subject.until(|subject| subject.running() == 0).await;
    assert_eq!(client.unary(request("y")).await.unwrap().payload, b"y");
}

#[tokio::test]
async fn a_handler_whose_client_has_gone_is_dropped() {
    let subject = Subject::new();
    let program = Program::start(service(&subject)).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let mut client = Client::connect(&program.endpoint, version).await;
        let ask = client.request("POST", "/probe.v1.Probe/Unary");
        let ask = ask.header("content-type", "application/json");
        let ask = ask.body(full(r#"{"hang":true}"#)).unwrap();
        tokio::select! {
            _ = client.send(ask) => unreachable!("it hangs"),
            () = subject.until(|subject| subject.running() == 1) => {}
        }
        client.vanish();
        subject.until(|subject| subject.running() == 0).await;
    }
}

#[tokio::test]
async fn messages_to_a_caller_that_does_not_read_all_arrive() {
    let (_program, client) = over_axum(&Subject::new()).await;
    let all = Request { payload: vec![7; 1000], count: 5000, ..Request::default() };
    let mut replies = client.replies(all).await.unwrap();
    for number in 0..10 {
        assert_eq!(client.unary(request([number])).await.unwrap().payload, [number]);
    }
    let mut count = 0;
    while let Some(reply) = replies.receive().await.unwrap() {
        assert_eq!((reply.count, reply.payload.len()), (count, 1000));
        count += 1;
    }
    assert_eq!(count, 5000);
}

/// A call as the hosting server makes it, with no server there.
fn call<B>(
    service: &mut HttpService,
    path: &str,
    content_type: &str,
    body: B,
) -> farcall::http::Replying
where
    B: http_body::Body<Data = Bytes, Error = io::Error> + Send + 'static,
{
    let request = http::Request::post(path).version(Version::HTTP_2);
    let request = request.header("content-type", content_type);
    Service::call(service, request.body(body).unwrap())
}

/// An envelope around a request as JSON.
fn envelope(json: &str) -> Bytes {
    let mut bytes = vec![0];
    bytes.extend((json.len() as u32).to_be_bytes());
    bytes.extend(json.as_bytes());
    bytes.into()
}

async fn whole(response: Response<farcall::http::ReplyBody>) -> io::Result<Bytes> {
    Ok(response.into_body().collect().await?.to_bytes())
}

#[tokio::test]
async fn a_request_that_nobody_reads_is_not_read_on() {
    let subject = Subject::new();
    let mut service = service(&subject);
    let (mut sender, body) = Pieces::<Bytes, io::Error>::new(1);
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let sending = tokio::spawn(async move {
        sender.send_data(envelope(r#"{"waitAtGate":true}"#)).await.unwrap();
        let payload = "QUJD".repeat(4000);
        let piece = envelope(&format!(r#"{{"payload":"{payload}"}}"#));
        for _ in 0..500 {
            sender.send_data(piece.clone()).await.unwrap();
            counter.fetch_add(piece.len(), Ordering::SeqCst);
        }
    });
    let path = "/probe.v1.Probe/Requests";
    let replying = tokio::spawn(call(&mut service, path, "application/grpc+json", body));
    subject.until(|subject| subject.running() == 1).await;
    let stalled = settled(|| sent.load(Ordering::SeqCst)).await;
    assert!((1..256 * 1024).contains(&stalled), "{stalled} bytes were read for nobody");
    subject.open_gate();
    let response = replying.await.unwrap().unwrap();
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    assert!(body.to_bytes().ends_with(br#""count":"501"}"#));
    sending.await.unwrap();
}

#[tokio::test]
async fn a_response_that_nobody_reads_is_not_made() {
    let subject = Subject::new();
    let mut service = service(&subject);
    let payload = "QUJD".repeat(4000);
    let json = format!(r#"{{"payload":"{payload}","count":"1000"}}"#);
    let body = Full::new(envelope(&json)).map_err(|never| match never {});
    let path = "/probe.v1.Probe/Replies";
    let replying = call(&mut service, path, "application/connect+json", body);
    let response = replying.await.unwrap();
    assert_eq!(settled(|| subject.running()).await, 1);
    let replies = whole(response).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&replies).matches(&payload).count(), 1000);
    subject.until(|subject| subject.running() == 0).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_fails_its_request_and_ends_the_handler() {
    let subject = Subject::new();
    let mut service = service(&subject);
    let (sender, body) = Pieces::<Bytes, io::Error>::new(1);
    sender.abort(io::Error::other("the client is gone"));
    let path = "/probe.v1.Probe/Unary";
    let response = call(&mut service, path, "application/json", body).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(subject.started(), 0);

    let (mut sender, body) = Pieces::<Bytes, io::Error>::new(1);
    sender.send_data(envelope("{}")).await.unwrap();
    let path = "/probe.v1.Probe/Both";
    let response = call(&mut service, path, "application/connect+json", body).await.unwrap();
    assert_eq!(subject.running(), 1);
    sender.abort(io::Error::other("the client is gone"));
    assert!(whole(response).await.is_err());
    subject.until(|subject| subject.running() == 0).await;
}

#[tokio::test]
async fn a_response_that_is_dropped_cancels_the_call() {
    let subject = Subject::new();
    let mut service = service(&subject);
    let body = |json: &str| {
        Full::new(Bytes::copy_from_slice(json.as_bytes())).map_err(|never| match never {})
    };
    let mut replying = Box::pin(call(
        &mut service,
        "/probe.v1.Probe/Unary",
        "application/json",
        body(r#"{"hang":true}"#),
    ));
    let waits = poll_fn(|cx| Poll::Ready(replying.as_mut().poll(cx).is_pending())).await;
    assert!(waits);
    assert_eq!(subject.running(), 1);
    drop(replying);
    subject.until(|subject| subject.running() == 0).await;
}

#[tokio::test]
async fn a_handler_is_told_who_calls_where_the_program_says_it() {
    async fn name(call: Call, next: farcall::Next) -> farcall::Result<farcall::Reply> {
        let peer = call.peer().map(ToString::to_string).unwrap_or_default();
        let mut reply = next.run(call).await?;
        reply.metadata_mut().append("x-peer", peer)?;
        Ok(reply)
    }
    let server = Server::new().intercept(name).add(Subject::new().into_service());
    let mut service = server.into_http_service();
    let address: SocketAddr = "192.0.2.7:7".parse().unwrap();
    let request = http::Request::post("/probe.v1.Probe/Unary")
        .header("content-type", "application/json")
        .extension(Arc::new(Peer::from(farcall::Address::Tcp(address))))
        .body(Full::new(Bytes::from("{}")))
        .unwrap();
    let response = service.call(request).await.unwrap();
    assert_eq!(response.headers()["x-peer"], "tcp://192.0.2.7:7");
}

#[tokio::test]
async fn a_websocket_needs_a_server_of_its_own_and_is_told_so() {
    let mut service = service(&Subject::new());
    for subprotocol in ["farcall.v1", "chat"] {
        let request = http::Request::get("/")
            .header("upgrade", "websocket")
            .header("connection", "upgrade")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", subprotocol)
            .body(Full::new(Bytes::new()))
            .unwrap();
        let response = service.call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
        assert!(whole(response).await.unwrap().starts_with(b"a WebSocket needs"));
    }
}

#[tokio::test]
async fn an_application_beside_the_services_sees_the_version_that_the_program_saw() {
    let app = Router::new().fallback(async |version: Version| format!("{version:?}"));
    let mut service = Server::new().http(app).into_http_service();
    for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
        let request = http::Request::get("/").version(version).body(Full::new(Bytes::new()));
        let mut replying = pin!(service.call(request.unwrap()));
        let response = replying.as_mut().await.unwrap();
        assert_eq!(whole(response).await.unwrap(), format!("{version:?}"));
    }
}
