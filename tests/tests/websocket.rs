//! WebSockets of the HTTP application: the server's side in a handler, the client's side, and what is between them.

mod frames;
mod oracle;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::any;
use bytes::{Buf, Bytes};
use farcall::http::Body;
use farcall::socket::Connection;
use farcall::tls::{ClientTls, Identity, Roots, ServerTls};
use farcall::websocket::{
    Accept, CloseCode, Connect, DeflateOptions, Message, Receiver, Sender, WebSocket, accept,
};
use farcall::{Code, Result, Server};
use farcall_tests::Running;
use farcall_wire::websocket::Event;
use frames::Frames;
use http::{Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use oracle::{Client, full, settled};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

const NEVER: Duration = Duration::from_hours(1);
const LARGE: usize = 3 * 1024 * 1024;

/// Sends everything back.
async fn echo(mut socket: WebSocket) {
    while let Ok(Some(message)) = socket.receive().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

/// A server whose WebSockets go to `handler`.
async fn start<F, Fut>(endpoint: &str, accept: Accept, handler: F) -> Running
where
    F: Fn(WebSocket) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    Running::start(server(accept, handler), endpoint).await
}

fn server<F, Fut>(accept: Accept, handler: F) -> Server
where
    F: Fn(WebSocket) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let answer = move |request: Request| {
        let response = accept.run(&request, handler.clone());
        async move { response }
    };
    Server::new().http(Router::new().route("/socket", any(answer)))
}

async fn start_echo() -> Running {
    start("tcp://127.0.0.1:0", Accept::new(), echo).await
}

fn ws(running: &Running) -> String {
    running.endpoint.replace("tcp:", "ws:")
}

async fn open(running: &Running) -> WebSocket {
    Connect::new().path("/socket").open(ws(running)).await.unwrap()
}

fn binary(size: usize) -> Message {
    Message::Binary((0..size).map(|index| (index % 251) as u8).collect())
}

async fn echoes(socket: &mut WebSocket) {
    let text = Message::from("Grüße");
    for message in [text, Message::from(""), binary(0), binary(1000), binary(LARGE)] {
        socket.send(message.clone()).await.unwrap();
        assert!(socket.receive().await.unwrap() == Some(message));
    }
}

struct Certificate(ServerTls, ClientTls);

impl Certificate {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        let roots = Roots::from_pem(certificate.as_bytes()).unwrap();
        Self(ServerTls::new(identity), ClientTls::new().roots(roots))
    }
}

#[tokio::test]
async fn text_and_bytes_come_back_small_and_large() {
    let running = start_echo().await;
    let mut socket = open(&running).await;
    echoes(&mut socket).await;
    socket.close(CloseCode::NORMAL, "").await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn the_same_over_tls() {
    let Certificate(server_tls, client_tls) = Certificate::new();
    let server = server(Accept::new(), echo).tls(server_tls);
    let running = Running::start(server, "tls://127.0.0.1:0").await;
    let endpoint = running.endpoint.replace("tls://127.0.0.1", "wss://localhost");
    let connect = Connect::new().path("/socket").tls(client_tls);
    let mut socket = connect.open(endpoint).await.unwrap();
    echoes(&mut socket).await;
    socket.close(CloseCode::NORMAL, "").await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn what_was_sent_arrives_though_the_sender_does_nothing_more() {
    let Certificate(server_tls, client_tls) = Certificate::new();
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let handler = move |mut socket: WebSocket| {
        let (arrived, opened) = (arrived.clone(), Arc::clone(&opened));
        async move {
            opened.notified().await;
            while let Ok(Some(message)) = socket.receive().await {
                arrived.send(message).unwrap();
            }
        }
    };
    let server = server(Accept::new(), handler).tls(server_tls);
    let running = Running::start(server, "tls://127.0.0.1:0").await;
    let endpoint = running.endpoint.replace("tls://127.0.0.1", "wss://localhost");
    let connect = Connect::new().path("/socket").tls(client_tls);
    let mut socket = connect.open(endpoint).await.unwrap();
    // Until all on the way is full, and TLS itself has to keep something.
    let mut sent = 0;
    loop {
        let mut sending = pin!(tokio::task::unconstrained(socket.send(vec![7; 60_000])));
        match poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await {
            Poll::Ready(done) => done.unwrap(),
            Poll::Pending => break,
        }
        sent += 1;
    }
    gate.notify_one();
    for _ in 0..sent {
        assert!(arrivals.recv().await.is_some());
    }
    drop(socket);
    running.stop().await;
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_with_1009() {
    let running = start_echo().await;
    let mut socket = open(&running).await;
    // The refusal may come while the rest is still being sent.
    let _ = socket.send(binary(5 * 1024 * 1024)).await;
    while let Ok(Some(_)) = socket.receive().await {}
    assert_eq!(socket.close_reason().map(|(code, _)| code), Some(CloseCode::TOO_BIG));
    running.stop().await;
}

#[tokio::test]
async fn the_client_closes_with_code_and_words() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let handler = move |mut socket: WebSocket| {
        let ended = ended.clone();
        async move {
            let last = socket.receive().await;
            let reason = socket.close_reason().map(|(code, text)| (code, text.to_owned()));
            // The end stays the end.
            assert_eq!(socket.receive().await.unwrap(), None);
            let after = socket.send("late").await.unwrap_err();
            ended.send((last, reason, after.code())).unwrap();
        }
    };
    let running = start("tcp://127.0.0.1:0", Accept::new(), handler).await;
    let mut socket = open(&running).await;
    let code = CloseCode::new(4001).unwrap();
    socket.close(code, "enough").await.unwrap();
    assert_eq!(socket.receive().await.unwrap(), None);
    assert_eq!(socket.send("late").await.unwrap_err().code(), Code::FailedPrecondition);
    let (last, reason, after) = ends.recv().await.unwrap();
    assert_eq!(last.unwrap(), None);
    assert_eq!(reason, Some((code, "enough".to_owned())));
    assert_eq!(after, Code::FailedPrecondition);
    running.stop().await;
}

#[tokio::test]
async fn the_server_closes_with_code_and_words_behind_its_messages() {
    let handler = async |mut socket: WebSocket| {
        socket.send("one").await.unwrap();
        socket.send("two").await.unwrap();
        socket.close(CloseCode::POLICY, "no more").await.unwrap();
    };
    let running = start("tcp://127.0.0.1:0", Accept::new(), handler).await;
    let mut socket = open(&running).await;
    assert_eq!(socket.receive().await.unwrap(), Some("one".into()));
    assert_eq!(socket.receive().await.unwrap(), Some("two".into()));
    assert_eq!(socket.receive().await.unwrap(), None);
    assert_eq!(socket.close_reason(), Some((CloseCode::POLICY, "no more")));
    running.stop().await;
}

#[tokio::test]
async fn the_subprotocol_is_the_one_that_the_server_likes_best() {
    let handler = async |mut socket: WebSocket| {
        let name = socket.subprotocol().unwrap_or("none").to_owned();
        socket.send(name).await.unwrap();
        let _ = socket.receive().await;
    };
    let accept = Accept::new().subprotocol("chess").subprotocol("chat");
    let running = start("tcp://127.0.0.1:0", accept, handler).await;
    for (offers, agreed) in
        [(&["chat", "chess"][..], Some("chess")), (&["chat"], Some("chat")), (&["go"], None)]
    {
        let connect = Connect::new().path("/socket");
        let connect = offers.iter().fold(connect, |connect, offer| connect.subprotocol(*offer));
        let mut socket = connect.open(ws(&running)).await.unwrap();
        assert_eq!(socket.subprotocol(), agreed);
        let told = socket.receive().await.unwrap();
        assert_eq!(told, Some(agreed.unwrap_or("none").into()));
    }
    running.stop().await;
}

#[tokio::test]
async fn messages_are_compressed_only_where_both_sides_want_it() {
    let deflate = DeflateOptions::default;
    for (server, client) in [(false, false), (false, true), (true, false), (true, true)] {
        let accept = if server { Accept::new().deflate(deflate()) } else { Accept::new() };
        let running = start("tcp://127.0.0.1:0", accept, echo).await;
        let connect = Connect::new().path("/socket");
        let connect = if client { connect.deflate(deflate()) } else { connect };
        let mut socket = connect.open(ws(&running)).await.unwrap();
        for message in ["", "short", &"long ".repeat(20_000)] {
            socket.send(message).await.unwrap();
            assert!(socket.receive().await.unwrap() == Some(message.into()));
        }
        drop(socket);
        let offer = "sec-websocket-extensions: permessage-deflate\r\n";
        let (head, _) = shake_hands(&running, if client { offer } else { "" }).await;
        assert_eq!(head.contains("permessage-deflate"), server && client, "{head}");
        running.stop().await;
    }
}

/// The handshake by hand: the response's head, and the connection behind it.
async fn shake_hands(running: &Running, line: &str) -> (String, TcpStream) {
    let address = running.endpoint.strip_prefix("tcp://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /socket HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{line}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (String::from_utf8(head).unwrap(), stream)
}

#[tokio::test]
async fn a_ping_is_answered_while_the_handler_waits() {
    let running = start_echo().await;
    let (head, mut stream) = shake_hands(&running, "").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
    // Masked with zeros: a Ping that says "hey".
    stream.write_all(b"\x89\x83\0\0\0\0hey").await.unwrap();
    let mut pong = [0; 5];
    stream.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\x8a\x03hey");
    drop(stream);
    running.stop().await;
}

#[tokio::test]
async fn a_peer_that_breaks_the_protocol_is_told_and_reported() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let handler = move |mut socket: WebSocket| {
        let ended = ended.clone();
        async move { ended.send(socket.receive().await.unwrap_err()).unwrap() }
    };
    let running = start("tcp://127.0.0.1:0", Accept::new(), handler).await;
    let (_, mut stream) = shake_hands(&running, "").await;
    // Not masked.
    stream.write_all(b"\x81\x03hey").await.unwrap();
    let mut last = Vec::new();
    stream.read_to_end(&mut last).await.unwrap();
    assert_eq!(last[0], 0x88, "{last:?}");
    assert_eq!(last[2..4], 1002_u16.to_be_bytes());
    assert_eq!(ends.recv().await.unwrap().code(), Code::Internal);
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_vanishes_is_reported_behind_its_messages() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let handler = move |mut socket: WebSocket| {
        let ended = ended.clone();
        async move {
            let first = socket.receive().await.unwrap();
            ended.send((first, socket.receive().await.unwrap_err().code())).unwrap();
        }
    };
    let running = start("tcp://127.0.0.1:0", Accept::new(), handler).await;
    let mut socket = open(&running).await;
    socket.send("last words").await.unwrap();
    drop(socket);
    assert_eq!(ends.recv().await.unwrap(), (Some("last words".into()), Code::Unavailable));
    running.stop().await;
}

#[tokio::test]
async fn a_server_that_drops_its_end_is_reported() {
    let handler = async |mut socket: WebSocket| {
        let _ = socket.receive().await;
    };
    let running = start("tcp://127.0.0.1:0", Accept::new(), handler).await;
    let mut socket = open(&running).await;
    socket.send("go").await.unwrap();
    assert_eq!(socket.receive().await.unwrap_err().code(), Code::Unavailable);
    running.stop().await;
}

#[tokio::test]
async fn a_receive_that_is_dropped_loses_no_message() {
    let handler = async |mut socket: WebSocket| {
        for number in 0..1000_u32 {
            socket.send(number.to_be_bytes().to_vec()).await.unwrap();
        }
        let _ = socket.close(CloseCode::NORMAL, "").await;
    };
    let running = start("tcp://127.0.0.1:0", Accept::new(), handler).await;
    let mut socket = open(&running).await;
    let mut expected = 0_u32;
    loop {
        let received = tokio::select! {
            biased;
            received = socket.receive() => received.unwrap(),
            () = tokio::task::yield_now() => continue,
        };
        let Some(message) = received else { break };
        assert_eq!(message, Message::from(expected.to_be_bytes().to_vec()));
        expected += 1;
    }
    assert_eq!(expected, 1000);
    running.stop().await;
}

const TALK: u32 = 2000;

async fn talk(mut sender: Sender) -> Result<()> {
    for number in 0..TALK {
        let mut message = number.to_be_bytes().to_vec();
        message.resize(10_000, 7);
        sender.send(message).await?;
    }
    sender.close(CloseCode::NORMAL, "").await
}

async fn listen(mut receiver: Receiver) -> u32 {
    let mut count = 0;
    while let Some(Message::Binary(mut data)) = receiver.receive().await.unwrap() {
        assert_eq!((data.len(), data.get_u32()), (10_000, count));
        count += 1;
    }
    count
}

#[tokio::test]
async fn both_ends_send_much_at_once_and_neither_waits_for_the_other() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let handler = move |socket: WebSocket| {
        let ended = ended.clone();
        async move {
            let (sender, receiver) = socket.split();
            let (heard, talked) = tokio::join!(listen(receiver), tokio::spawn(talk_only(sender)));
            ended.send((heard, talked.unwrap())).unwrap();
        }
    };
    let running = start("tcp://127.0.0.1:0", Accept::new(), handler).await;
    let (sender, receiver) = open(&running).await.split();
    let talking = tokio::spawn(talk(sender));
    let listening = tokio::spawn(listen(receiver));
    talking.await.unwrap().unwrap();
    let (heard, talked) = ends.recv().await.unwrap();
    assert_eq!(heard, TALK);
    assert!(listening.await.unwrap() >= talked);
    running.stop().await;
}

/// Sends until all is sent or the peer has closed. Returns the number of messages.
async fn talk_only(mut sender: Sender) -> u32 {
    for number in 0..TALK {
        let mut message = number.to_be_bytes().to_vec();
        message.resize(10_000, 7);
        if sender.send(message).await.is_err() {
            return number;
        }
    }
    TALK
}

#[tokio::test]
async fn a_request_that_asks_for_no_websocket_is_told_so() {
    let running = start("mem://ws-none", Accept::new(), echo).await;
    let mut client = Client::connect(&running.endpoint, Version::HTTP_11).await;
    let answer = client.get("/socket").await;
    assert_eq!(answer.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(answer.headers()["upgrade"], "websocket");
    for (version, key, status) in
        [("8", "dGhlIHNhbXBsZSBub25jZQ==", 426), ("13", "no key", 400), ("13", "", 400)]
    {
        let request = client.request("GET", "/socket").header("connection", "upgrade");
        let request = request.header("upgrade", "websocket");
        let request = request.header("sec-websocket-version", version);
        let request = request.header("sec-websocket-key", key).body(full("")).unwrap();
        assert_eq!(client.send(request).await.unwrap().status(), status, "{version} {key}");
    }
    let request = client.request("GET", "/socket").header("connection", "upgrade");
    let request = request.header("upgrade", "chess").body(full("")).unwrap();
    assert_eq!(client.send(request).await.unwrap().status(), StatusCode::UPGRADE_REQUIRED);
    let mut client = Client::connect(&running.endpoint, Version::HTTP_2).await;
    let answer = client.get("/socket").await;
    assert_eq!(answer.status(), StatusCode::UPGRADE_REQUIRED);
    assert!(!answer.headers().contains_key("upgrade"), "{answer:?}");
    running.stop().await;
}

/// Counts what still exists of it.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_handler_whose_acceptance_was_withdrawn_is_dropped() {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let answer = move |request: Request| {
        let counted = Counted::new(&counter);
        let accepted: Response<Body> = accept(&request, async move |_| drop(counted));
        async move {
            tokio::task::yield_now().await;
            drop(accepted);
            StatusCode::FORBIDDEN.into_response()
        }
    };
    let server = Server::new().http(Router::new().fallback(answer));
    let running = Running::start(server, "tcp://127.0.0.1:0").await;
    let refused = WebSocket::connect(ws(&running)).await.unwrap_err();
    assert!(refused.message().contains("403"), "{refused}");
    running.stop().await;
    assert_eq!(settled(|| count.load(Ordering::SeqCst)).await, 0);
}

#[tokio::test]
async fn a_server_that_stops_closes_its_websockets() {
    let running =
        Running::start(server(Accept::new(), echo).shutdown_limit(NEVER), "tcp://127.0.0.1:0");
    let mut running = running.await;
    let mut sockets = [open(&running).await, open(&running).await];
    for socket in &mut sockets {
        socket.send("hello").await.unwrap();
        assert_eq!(socket.receive().await.unwrap(), Some("hello".into()));
    }
    running.begin_to_stop();
    for socket in &mut sockets {
        assert_eq!(socket.receive().await.unwrap(), None);
        assert_eq!(socket.close_reason().map(|(code, _)| code), Some(CloseCode::GOING_AWAY));
    }
    running.stop().await;
}

#[tokio::test]
async fn a_websocket_whose_connection_is_too_old_is_closed() {
    let age = Duration::from_millis(200);
    let server = server(Accept::new(), echo).max_connection_age(age).shutdown_limit(NEVER);
    let running = Running::start(server, "tcp://127.0.0.1:0").await;
    let mut socket = open(&running).await;
    assert_eq!(socket.receive().await.unwrap(), None);
    assert_eq!(socket.close_reason().map(|(code, _)| code), Some(CloseCode::GOING_AWAY));
    running.stop().await;
}

#[tokio::test]
async fn a_websocket_whose_handler_does_not_listen_is_cut_when_the_time_to_stop_is_over() {
    let handler = async |socket: WebSocket| {
        std::future::pending::<()>().await;
        drop(socket);
    };
    let server = server(Accept::new(), handler).shutdown_limit(Duration::from_millis(20));
    let running = Running::start(server, "tcp://127.0.0.1:0").await;
    let mut socket = open(&running).await;
    running.stop().await;
    assert_eq!(socket.receive().await.unwrap_err().code(), Code::Unavailable);
}

/// A WebSocket on a stream of HTTP/2 (RFC 8441).
async fn open_in_http2(
    client: &mut Client,
    subprotocol: Option<&str>,
) -> (http::response::Parts, Frames<TokioIo<hyper::upgrade::Upgraded>>) {
    let mut request = client.request("CONNECT", "/socket").header("sec-websocket-version", "13");
    if let Some(name) = subprotocol {
        request = request.header("sec-websocket-protocol", name);
    }
    let protocol = hyper::ext::Protocol::from_static("websocket");
    let request = request.extension(protocol).body(full("")).unwrap();
    let mut response = client.send(request).await.unwrap();
    let upgraded = hyper::upgrade::on(&mut response).await.unwrap();
    (response.into_parts().0, Frames::new(TokioIo::new(upgraded)))
}

async fn connect_http2(running: &Running) -> Client {
    let mut client = Client::connect(&running.endpoint, Version::HTTP_2).await;
    // Behind an answer it is known that the server takes extended CONNECT.
    client.get("/").await;
    client
}

#[tokio::test]
async fn over_http2_many_websockets_share_a_connection() {
    let accept = Accept::new().subprotocol("chat");
    let running = start("mem://ws-http2", accept, echo).await;
    let mut client = connect_http2(&running).await;
    let mut sockets = Vec::new();
    for _ in 0..10 {
        let (head, frames) = open_in_http2(&mut client, Some("chat")).await;
        assert_eq!(head.status, StatusCode::OK);
        assert_eq!(head.headers["sec-websocket-protocol"], "chat");
        sockets.push(frames);
    }
    for (number, socket) in sockets.iter_mut().enumerate() {
        let message = Bytes::from(vec![7; number * 20_000]);
        socket.send(&message).await.unwrap();
        assert!(socket.next().await == Event::Binary(message));
    }
    for socket in &mut sockets {
        socket.engine.close(CloseCode::NORMAL, "done", Instant::now());
        socket.write().await;
        let code = Some(CloseCode::NORMAL);
        assert_eq!(socket.next().await, Event::Close { code, reason: String::new() });
        assert_eq!(socket.next().await, Event::Closed { error: None });
        assert_eq!(socket.pipe.read(&mut [0]).await.unwrap(), 0);
    }
    running.stop().await;
}

#[tokio::test]
async fn over_http2_a_websocket_that_vanishes_is_reported_and_the_others_go_on() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let handler = move |mut socket: WebSocket| {
        let ended = ended.clone();
        async move {
            let last = loop {
                match socket.receive().await {
                    Ok(Some(message)) => socket.send(message).await.unwrap(),
                    last => break last,
                }
            };
            ended.send(last.unwrap_err().code()).unwrap();
        }
    };
    let running = start("mem://ws-http2-gone", Accept::new(), handler).await;
    let mut client = connect_http2(&running).await;
    let (_, stays) = open_in_http2(&mut client, None).await;
    let (_, goes) = open_in_http2(&mut client, None).await;
    drop(goes);
    assert_eq!(ends.recv().await, Some(Code::Unavailable));
    let mut stays = stays;
    stays.send(b"still here").await.unwrap();
    assert_eq!(stays.next().await, Event::Binary(Bytes::from_static(b"still here")));
    client.vanish();
    assert_eq!(ends.recv().await, Some(Code::Unavailable));
    running.stop().await;
}

#[tokio::test]
async fn over_http2_a_server_that_stops_closes_its_websockets() {
    let server = server(Accept::new(), echo).shutdown_limit(NEVER);
    let mut running = Running::start(server, "mem://ws-http2-stop").await;
    let mut client = connect_http2(&running).await;
    let (_, mut socket) = open_in_http2(&mut client, None).await;
    running.begin_to_stop();
    let going = socket.next().await;
    assert!(matches!(going, Event::Close { code: Some(CloseCode::GOING_AWAY), .. }), "{going:?}");
    socket.write().await;
    running.stop().await;
}

#[tokio::test]
async fn over_http2_a_websocket_whose_connection_is_too_old_is_closed() {
    let age = Duration::from_millis(200);
    let server = server(Accept::new(), echo).max_connection_age(age).shutdown_limit(NEVER);
    let running = Running::start(server, "mem://ws-http2-age").await;
    let mut client = connect_http2(&running).await;
    let (_, mut socket) = open_in_http2(&mut client, None).await;
    let going = socket.next().await;
    assert!(matches!(going, Event::Close { code: Some(CloseCode::GOING_AWAY), .. }), "{going:?}");
    socket.write().await;
    running.stop().await;
}

/// Sends 16 MiB to a client that reads nothing at first.
async fn the_sender_waits(name: &str, version: Version) {
    const PIECES: usize = 16;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let handler = move |mut socket: WebSocket| {
        let counter = Arc::clone(&counter);
        async move {
            for _ in 0..PIECES {
                socket.send(binary(1024 * 1024)).await.unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
            }
            let _ = socket.close(CloseCode::NORMAL, "").await;
        }
    };
    let running = start(name, Accept::new(), handler).await;
    if version == Version::HTTP_2 {
        let mut client = connect_http2(&running).await;
        let (_, socket) = open_in_http2(&mut client, None).await;
        read_late(socket, &sent, PIECES).await;
    } else {
        let endpoint = running.endpoint.parse().unwrap();
        let mut pipe = Connection::connect(&endpoint, &farcall::Options::default()).await.unwrap();
        let request = "GET /socket HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        pipe.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(pipe.read_u8().await.unwrap());
        }
        read_late(Frames::new(pipe), &sent, PIECES).await;
    }
    running.stop().await;
}

async fn read_late<T>(mut socket: Frames<T>, sent: &AtomicUsize, pieces: usize)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let stalled = settled(|| sent.load(Ordering::SeqCst)).await;
    assert!(stalled <= 3, "{stalled} MiB were sent to nobody");
    for _ in 0..pieces {
        let Event::Binary(data) = socket.next().await else { panic!("a message") };
        assert_eq!(data.len(), 1024 * 1024);
    }
    assert!(matches!(socket.next().await, Event::Close { .. }));
    socket.write().await;
}

#[tokio::test]
async fn a_slow_reader_lets_the_sender_wait() {
    the_sender_waits("mem://ws-slow", Version::HTTP_11).await;
}

#[tokio::test]
async fn over_http2_a_slow_reader_lets_the_sender_wait() {
    the_sender_waits("mem://ws-http2-slow", Version::HTTP_2).await;
}
