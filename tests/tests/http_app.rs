//! An axum application beside the calls, on the same port, over HTTP/1.1 and HTTP/2.

mod oracle;

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use bytes::Bytes;
use farcall::{Code, Peer, Server};
use farcall_tests::{Probe, ProbeClient, Request, Running, Subject};
use http::{HeaderMap, StatusCode, Version, header};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Channel};
use oracle::{Client, full, settled};
use tokio::sync::watch;

/// Both versions of HTTP that a server takes.
const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];
/// Bytes of the bodies that are called large.
const LARGE: usize = 20 * 1024 * 1024;
/// Bytes that may be on their way in one direction on both sides together: pipe, windows, read buffers.
const UNDER_WAY: usize = 2 * 1024 * 1024;
const PIECE: usize = 16 * 1024;

/// What the handlers share with the test.
#[derive(Clone)]
struct Stage {
    gate: Arc<watch::Sender<bool>>,
    /// Handlers whose futures or bodies exist.
    present: Arc<watch::Sender<usize>>,
    /// Bytes that handlers have made.
    made: Arc<AtomicUsize>,
}

impl Stage {
    fn new() -> Self {
        let (gate, present) = (watch::Sender::new(false), watch::Sender::new(0));
        Self { gate: gate.into(), present: present.into(), made: Arc::default() }
    }

    fn enter(&self) -> Presence {
        self.present.send_modify(|present| *present += 1);
        Presence(self.clone())
    }

    async fn present(&self, wanted: usize) {
        let mut present = self.present.subscribe();
        present.wait_for(|present| *present == wanted).await.expect("the stage is there");
    }

    async fn pass_gate(&self) {
        self.gate.subscribe().wait_for(|open| *open).await.expect("the stage is there");
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }
}

struct Presence(Stage);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.present.send_modify(|present| *present -= 1);
    }
}

/// A body that is made as it is asked for.
struct Flood {
    left: usize,
    fails: bool,
    presence: Presence,
}

impl http_body::Body for Flood {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let size = self.left.min(PIECE);
        if size == 0 {
            let failure = || Err(io::Error::other("the disk is gone"));
            return Poll::Ready(self.fails.then(failure));
        }
        self.left -= size;
        self.presence.0.made.fetch_add(size, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(pattern(size)))))
    }
}

fn pattern(size: usize) -> Bytes {
    (0..size).map(|index| (index % 251) as u8).collect()
}

fn app(stage: Stage) -> Router {
    Router::new()
        .route("/users/{id}", get(user))
        .route(
            "/sum",
            post(async |Json(numbers): Json<Vec<i64>>| Json(numbers.iter().sum::<i64>())),
        )
        .route("/teapot", get(teapot))
        .route("/peer", get(async |Extension(peer): Extension<Arc<Peer>>| peer.to_string()))
        .route("/version", get(async |version: Version| format!("{version:?}")))
        .route("/echo", post(async |body: Body| body))
        .route("/count", post(count))
        .route("/hold", post(hold))
        .route("/flood/{bytes}", get(flood))
        .route("/broken/{bytes}", get(broken))
        .route("/lies", get(async || ([(header::CONTENT_LENGTH, "10")], "four")))
        .route("/interim", get(async || StatusCode::EARLY_HINTS))
        .route("/hang", get(hang))
        .route("/panic", get(panics))
        .route("/drip", get(drip))
        .route("/trailers", post(trailers))
        .route("/probe.v1.Probe/Page", post(async |body: String| format!("page: {body}")))
        .with_state(stage)
}

async fn user(Path(id): Path<u32>, Query(query): Query<HashMap<String, String>>) -> String {
    format!("{id} {}", query["as"])
}

async fn teapot() -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    headers.append("x-tea", "green".parse().expect("a value"));
    headers.append("x-tea", "black".parse().expect("a value"));
    (StatusCode::IM_A_TEAPOT, headers, "short and stout")
}

/// The number of bytes and their sum.
async fn count(body: Body) -> Result<String, StatusCode> {
    let mut body = body;
    let (mut bytes, mut sum) = (0_usize, 0_u64);
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data().unwrap_or_default();
        bytes += data.len();
        sum += data.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    }
    Ok(format!("{bytes} {sum}"))
}

async fn hold(State(stage): State<Stage>, body: Body) -> Result<String, StatusCode> {
    let _presence = stage.enter();
    stage.pass_gate().await;
    count(body).await
}

async fn flood(State(stage): State<Stage>, Path(bytes): Path<usize>) -> Body {
    Body::new(Flood { left: bytes, fails: false, presence: stage.enter() })
}

async fn broken(State(stage): State<Stage>, Path(bytes): Path<usize>) -> Body {
    Body::new(Flood { left: bytes, fails: true, presence: stage.enter() })
}

async fn hang(State(stage): State<Stage>) {
    let _presence = stage.enter();
    std::future::pending::<()>().await;
}

async fn panics() {
    panic!("asked to panic");
}

/// A first piece at once, the second when the gate is open.
async fn drip(State(stage): State<Stage>) -> Body {
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(1);
    tokio::spawn(async move {
        sender.send_data(Bytes::from_static(b"one ")).await.expect("the client reads");
        stage.pass_gate().await;
        sender.send_data(Bytes::from_static(b"two")).await.expect("the client reads");
    });
    Body::new(body)
}

/// Sends the body back, and behind it the trailers that came behind it.
async fn trailers(body: Body) -> Body {
    let body = body.collect().await.expect("a whole body");
    let trailers = body.trailers().cloned().expect("trailers");
    // Its length is not known beforehand: HTTP/1.1 has trailers behind chunks only.
    let (mut sender, echo) = Channel::<Bytes, io::Error>::new(2);
    sender.send_data(body.to_bytes()).await.expect("room for two");
    sender.send_trailers(trailers).await.expect("room for two");
    Body::new(echo)
}

/// Status and text of a response.
fn told(response: &http::Response<Bytes>) -> (StatusCode, &str) {
    (response.status(), std::str::from_utf8(response.body()).expect("text"))
}

async fn start(name: &str) -> (Running, Stage) {
    let stage = Stage::new();
    let server = Server::new().add(Subject::new().into_service()).http(app(stage.clone()));
    (Running::start(server, &format!("mem://{name}")).await, stage)
}

#[tokio::test]
async fn routes_extractors_and_status_codes_are_the_applications() {
    let (running, _) = start("app-routes").await;
    for version in VERSIONS {
        let mut client = Client::connect(&running.endpoint, version).await;
        assert_eq!(told(&client.get("/users/7?as=Ada%20L").await), (StatusCode::OK, "7 Ada L"));
        let request = client.request("POST", "/sum").header("content-type", "application/json");
        let response = client.send(request.body(full("[1,2,39]")).unwrap()).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "42");
        let tea = client.get("/teapot").await;
        assert_eq!(told(&tea), (StatusCode::IM_A_TEAPOT, "short and stout"));
        assert_eq!(tea.headers().get_all("x-tea").iter().collect::<Vec<_>>(), ["green", "black"]);
        assert_eq!(tea.headers()[header::CONTENT_LENGTH], "15");
        assert_eq!(client.get("/nowhere").await.status(), StatusCode::NOT_FOUND);
        let wrong = client.ask("POST", "/teapot", "").await;
        assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(client.get("/users/ada?as=x").await.status(), StatusCode::BAD_REQUEST);
        assert_eq!(client.get("/version").await.body(), &format!("{version:?}"));
    }
    running.stop().await;
}

#[tokio::test]
async fn a_handler_is_told_who_asks() {
    let server = Server::new().http(app(Stage::new()));
    let running = Running::start(server, "tcp://127.0.0.1:0").await;
    let mut client = Client::connect(&running.endpoint, Version::HTTP_11).await;
    let peer = client.get("/peer").await;
    assert!(told(&peer).1.contains("127.0.0.1:"), "{peer:?}");
    drop(client);
    running.stop().await;
}

#[tokio::test]
async fn head_has_the_fields_of_get_and_no_content() {
    let (running, _) = start("app-head").await;
    for version in VERSIONS {
        let mut client = Client::connect(&running.endpoint, version).await;
        for _ in 0..2 {
            let tea = client.ask("HEAD", "/teapot", "").await;
            assert_eq!(told(&tea), (StatusCode::IM_A_TEAPOT, ""));
            assert_eq!(tea.headers()[header::CONTENT_LENGTH], "15");
        }
        assert_eq!(client.get("/users/7?as=Ada").await.body(), "7 Ada");
    }
    running.stop().await;
}

#[tokio::test]
async fn json_to_a_path_of_the_application_is_no_call() {
    let (running, _) = start("app-json").await;
    for version in VERSIONS {
        let mut client = Client::connect(&running.endpoint, version).await;
        let ask = async |client: &mut Client, path: &str| {
            let request = client.request("POST", path).header("content-type", "application/json");
            let response = client.send(request.body(full("{}")).unwrap()).await.unwrap();
            let (parts, body) = response.into_parts();
            (parts.status, body.collect().await.unwrap().to_bytes())
        };
        let page = ask(&mut client, "/probe.v1.Probe/Page").await;
        assert_eq!(page, (StatusCode::OK, Bytes::from("page: {}")));
        let call = ask(&mut client, "/probe.v1.Probe/Unary").await;
        assert_eq!(call, (StatusCode::OK, Bytes::from(r#"{"count":"1"}"#)));
        assert_eq!(ask(&mut client, "/probe.v1.Probe/None").await.0, StatusCode::NOT_FOUND);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_call_to_an_unknown_path_is_unimplemented_also_beside_an_application() {
    let server = Server::new().http(app(Stage::new()));
    let running = Running::start(server, "mem://app-unknown").await;
    let channel = farcall::Channel::connect(&running.endpoint).await.unwrap();
    let status = ProbeClient::new(channel).unary(Request::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "{status}");
    running.stop().await;
}

#[tokio::test]
async fn large_bodies_come_through_both_ways() {
    let (running, _) = start("app-large").await;
    let body: Bytes = std::iter::repeat_n(pattern(PIECE), LARGE / PIECE).flatten().collect();
    for version in VERSIONS {
        let mut client = Client::connect(&running.endpoint, version).await;
        let echo = client.ask("POST", "/echo", body.clone()).await;
        assert_eq!(echo.status(), StatusCode::OK);
        assert!(echo.body() == &body, "{} bytes", echo.body().len());
    }
    running.stop().await;
}

#[tokio::test]
async fn a_body_of_unknown_length_comes_through_both_ways() {
    let (running, _) = start("app-unknown-length").await;
    for version in VERSIONS {
        let mut client = Client::connect(&running.endpoint, version).await;
        let (mut sender, body) = Channel::<Bytes, io::Error>::new(1);
        let sending = tokio::spawn(async move {
            for _ in 0..100 {
                sender.send_data(pattern(1000)).await.unwrap();
            }
        });
        let request = client.request("POST", "/echo").body(body.boxed()).unwrap();
        let response = client.send(request).await.unwrap();
        assert_eq!(response.headers().get(header::CONTENT_LENGTH), None);
        let echo = response.into_body().collect().await.unwrap().to_bytes();
        assert!(echo == vec![pattern(1000); 100].concat());
        sending.await.unwrap();
    }
    running.stop().await;
}

#[tokio::test]
async fn a_handler_that_does_not_read_stops_the_sender() {
    let (running, stage) = start("app-held").await;
    for version in VERSIONS {
        stage.gate.send_replace(false);
        let mut client = Client::connect(&running.endpoint, version).await;
        let (mut sender, body) = Channel::<Bytes, io::Error>::new(1);
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&sent);
        let sending = tokio::spawn(async move {
            while counter.load(Ordering::SeqCst) < LARGE {
                sender.send_data(pattern(PIECE)).await.unwrap();
                counter.fetch_add(PIECE, Ordering::SeqCst);
            }
        });
        let request = client.request("POST", "/hold").body(body.boxed()).unwrap();
        let answer = tokio::spawn(async move { client.send(request).await });
        stage.present(1).await;
        let stalled = settled(|| sent.load(Ordering::SeqCst)).await;
        assert!((1..UNDER_WAY).contains(&stalled), "{version:?}: {stalled} bytes went nowhere");
        stage.gate.send_replace(true);
        let response = answer.await.unwrap().unwrap();
        sending.await.unwrap();
        let text = response.into_body().collect().await.unwrap().to_bytes();
        let sum: u64 = pattern(PIECE).iter().map(|byte| u64::from(*byte)).sum();
        assert_eq!(text, format!("{LARGE} {}", sum * (LARGE / PIECE) as u64));
    }
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_handler() {
    let (running, stage) = start("app-flood").await;
    for version in VERSIONS {
        let before = stage.made();
        let mut client = Client::connect(&running.endpoint, version).await;
        let request = client.request("GET", &format!("/flood/{LARGE}")).body(full("")).unwrap();
        let response = client.send(request).await.unwrap();
        let made = settled(|| stage.made()).await - before;
        assert!((1..UNDER_WAY).contains(&made), "{version:?}: {made} bytes were made for nobody");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), LARGE);
        assert!(body.chunks(PIECE).all(|piece| piece == pattern(PIECE)));
        stage.present(0).await;
    }
    running.stop().await;
}

#[tokio::test]
async fn a_piece_of_a_response_leaves_before_the_next_is_made() {
    let (running, stage) = start("app-drip").await;
    for version in VERSIONS {
        stage.gate.send_replace(false);
        let mut client = Client::connect(&running.endpoint, version).await;
        let request = client.request("GET", "/drip").body(full("")).unwrap();
        let mut body = client.send(request).await.unwrap().into_body();
        let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(piece, "one ");
        stage.gate.send_replace(true);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "two");
    }
    running.stop().await;
}

#[tokio::test]
async fn trailers_go_both_ways() {
    let (running, _) = start("app-trailers").await;
    for version in VERSIONS {
        let mut client = Client::connect(&running.endpoint, version).await;
        let (mut sender, body) = Channel::<Bytes, io::Error>::new(2);
        let mut fields = HeaderMap::new();
        fields.insert("x-sum", "42".parse().unwrap());
        sender.send_data(Bytes::from_static(b"body")).await.unwrap();
        sender.send_trailers(fields.clone()).await.unwrap();
        drop(sender);
        let request = client.request("POST", "/trailers").header("te", "trailers");
        let request = request.header("trailer", "x-sum").body(body.boxed()).unwrap();
        let response = client.send(request).await.unwrap().into_body().collect().await.unwrap();
        assert_eq!(response.trailers(), Some(&fields), "{version:?}");
        assert_eq!(response.to_bytes(), "body");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_handler_whose_client_has_gone_is_dropped() {
    let (running, stage) = start("app-gone").await;
    for version in VERSIONS {
        for path in ["/hang", "/flood/20000000"] {
            let mut client = Client::connect(&running.endpoint, version).await;
            let request = client.request("GET", path).body(full("")).unwrap();
            let asking = client.send(request);
            tokio::select! {
                response = asking => drop(response),
                () = stage.present(1) => {}
            }
            stage.present(1).await;
            client.vanish();
            stage.present(0).await;
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn a_handler_whose_request_was_reset_is_dropped_and_its_connection_lives() {
    let (running, stage) = start("app-reset").await;
    let mut client = Client::connect(&running.endpoint, Version::HTTP_2).await;
    let request = client.request("GET", "/hang").body(full("")).unwrap();
    tokio::select! {
        _ = client.send(request) => unreachable!("it hangs"),
        () = stage.present(1) => {}
    }
    stage.present(0).await;
    let request = client.request("GET", "/flood/20000000").body(full("")).unwrap();
    drop(client.send(request).await.unwrap());
    stage.present(0).await;
    assert_eq!(client.get("/users/7?as=Ada").await.body(), "7 Ada");
    running.stop().await;
}

#[tokio::test]
async fn a_panic_is_answered_with_500_and_ends_no_other_request() {
    let (running, stage) = start("app-panic").await;
    for version in VERSIONS {
        let mut client = Client::connect(&running.endpoint, version).await;
        assert_eq!(told(&client.get("/panic").await), (StatusCode::INTERNAL_SERVER_ERROR, ""));
        assert_eq!(client.get("/users/7?as=Ada").await.body(), "7 Ada");
    }
    let mut client = Client::connect(&running.endpoint, Version::HTTP_2).await;
    let request = client.request("GET", "/drip").body(full("")).unwrap();
    let beside = client.send(request).await.unwrap();
    assert_eq!(client.get("/panic").await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    stage.gate.send_replace(true);
    assert_eq!(beside.into_body().collect().await.unwrap().to_bytes(), "one two");
    running.stop().await;
}

#[tokio::test]
async fn a_response_that_breaks_off_never_looks_complete() {
    let (running, _) = start("app-broken").await;
    for version in VERSIONS {
        for bytes in [0, 10, 100_000, 1_000_000] {
            let mut client = Client::connect(&running.endpoint, version).await;
            let request =
                client.request("GET", &format!("/broken/{bytes}")).body(full("")).unwrap();
            // Where nothing had left yet, the whole response may be a failure.
            match client.send(request).await {
                Ok(response) if response.status() == StatusCode::OK => {
                    let ended = response.into_body().collect().await;
                    assert!(ended.is_err(), "{version:?}, {bytes}: {ended:?}");
                }
                Ok(response) => {
                    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{bytes}");
                }
                Err(error) => assert!(!error.is_user(), "{error}"),
            }
            let again = client.request("GET", "/teapot").body(full("")).unwrap();
            let lives = client.send(again).await.is_ok();
            assert_eq!(lives, version == Version::HTTP_2, "{version:?}, {bytes}");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn a_response_that_is_shorter_than_it_says_never_looks_complete() {
    let (running, _) = start("app-lies").await;
    for version in VERSIONS {
        let mut client = Client::connect(&running.endpoint, version).await;
        let request = client.request("GET", "/lies").body(full("")).unwrap();
        if let Ok(response) = client.send(request).await
            && response.status() == StatusCode::OK
        {
            assert!(response.into_body().collect().await.is_err(), "{version:?}");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn an_interim_response_is_no_answer() {
    let (running, _) = start("app-interim").await;
    for version in VERSIONS {
        let mut client = Client::connect(&running.endpoint, version).await;
        let answer = client.get("/interim").await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(client.get("/users/7?as=Ada").await.body(), "7 Ada");
    }
    running.stop().await;
}

#[tokio::test]
async fn an_offer_of_another_protocol_takes_nothing_from_the_body() {
    let (running, _) = start("app-offer").await;
    let mut client = Client::connect(&running.endpoint, Version::HTTP_11).await;
    let request = client.request("POST", "/count");
    let request = request.header("connection", "upgrade").header("upgrade", "h2c");
    let response = client.send(request.body(full("\u{1}\u{2}")).unwrap()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "2 3");
    running.stop().await;
}

#[tokio::test]
async fn what_a_handler_leaves_unread_is_no_part_of_the_next_request() {
    let (running, _) = start("app-unread").await;
    for version in VERSIONS {
        let mut client = Client::connect(&running.endpoint, version).await;
        for _ in 0..3 {
            let rest = "GET /teapot HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
            let wrong = client.ask("POST", "/users/7?as=x", rest).await;
            assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
            assert_eq!(client.get("/users/7?as=Ada").await.body(), "7 Ada");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn a_switch_to_a_protocol_that_nobody_speaks_is_a_failure() {
    let switch = || async { (StatusCode::SWITCHING_PROTOCOLS, [(header::UPGRADE, "chess")]) };
    let server = Server::new().http(Router::new().fallback(switch));
    let running = Running::start(server, "mem://app-switch").await;
    for offer in ["chess", ""] {
        let mut client = Client::connect(&running.endpoint, Version::HTTP_11).await;
        let mut request = client.request("GET", "/");
        if !offer.is_empty() {
            request = request.header("connection", "upgrade").header("upgrade", offer);
        }
        let response = client.send(request.body(full("")).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{offer}");
    }
    running.stop().await;
}

#[test]
fn a_body_says_how_long_it_is() {
    let body = farcall::http::Body::from("four");
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(4), false));
    assert!(farcall::http::Body::empty().is_end_stream());
}
