//! One service, one port: every way to reach it.

mod raw;

use std::time::Duration;

use farcall::tls::{ClientTls, Identity, Roots, ServerTls};
use farcall::{Channel, ChannelConfig, Code, Codec, Cors, Protocol, Result, Server};
use farcall_tests::{Probe, ProbeClient, Request, Running, Subject};
use raw::Raw;

const PROTOCOLS: [Protocol; 3] = [Protocol::Grpc, Protocol::GrpcWeb, Protocol::Connect];
const CODECS: [Codec; 2] = [Codec::Proto, Codec::Json];

fn server() -> Server {
    Server::new().add(Subject::new().into_service())
}

fn request(payload: impl Into<Vec<u8>>) -> Request {
    Request { payload: payload.into(), ..Request::default() }
}

/// All four kinds; both ways at once unless the connection can only do one after the other.
async fn all_four_kinds(client: &ProbeClient, full_duplex: bool) -> Result<()> {
    let call = client.unary(request("one")).metadata("x-leading", "a").metadata("x-trailing", "b");
    let (reply, beside) = call.with_metadata().await?;
    assert_eq!(reply.payload, b"one");
    assert_eq!(beside.metadata().get("x-leading"), Some("a"));
    assert_eq!(beside.trailers().get("x-trailing"), Some("b"));

    let mut replies = client.replies(Request { count: 100, ..request("two") }).await?;
    let mut counts = Vec::new();
    while let Some(reply) = replies.receive().await? {
        counts.push(reply.count);
    }
    assert_eq!(counts, (0..100).collect::<Vec<_>>());

    let (mut requests, reply) = client.requests().await?;
    for number in 0..100_u8 {
        requests.send(request([number])).await?;
    }
    requests.finish().await?;
    let reply = reply.await?;
    assert_eq!((reply.count, reply.payload), (100, vec![99]));

    let (mut requests, mut replies) = client.both().await?;
    for number in 0..20_u8 {
        requests.send(request([number])).await?;
        if full_duplex {
            assert_eq!(replies.receive().await?.expect("a reply to each").payload, [number]);
        }
    }
    requests.finish().await?;
    let mut rest = 0;
    while replies.receive().await?.is_some() {
        rest += 1;
    }
    assert_eq!(rest, if full_duplex { 0 } else { 20 });
    Ok(())
}

/// Failures say the same by every way: before the first reply, and after some.
async fn failures(client: &ProbeClient) {
    let failing = |count| Request {
        fail_with: Code::NotFound.as_u32(),
        fail_message: "no such thing: ü%\n".to_owned(),
        count,
        ..Request::default()
    };
    let status = client.unary(failing(0)).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "no such thing: ü%\n"));
    let mut replies = client.replies(failing(2)).await.unwrap();
    assert!(replies.receive().await.unwrap().is_some());
    assert!(replies.receive().await.unwrap().is_some());
    let status = replies.receive().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "no such thing: ü%\n"));
    let call = client.unary(Request { hang: true, ..Request::default() });
    let status = call.timeout(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
}

/// Every protocol and codec on the channel.
async fn every_dialect(channel: &Channel, full_duplex: bool) {
    for protocol in PROTOCOLS {
        for codec in CODECS {
            let client = ProbeClient::new(channel.clone().protocol(protocol).codec(codec));
            let ended = all_four_kinds(&client, full_duplex).await;
            assert!(ended.is_ok(), "{protocol} {codec:?}: {ended:?}");
            failures(&client).await;
        }
    }
}

#[tokio::test]
async fn over_http2_every_protocol_and_codec_takes_all_four_kinds() {
    let running = Running::start(server(), "tcp://127.0.0.1:0").await;
    every_dialect(&Channel::connect(&running.endpoint).await.unwrap(), true).await;
    running.stop().await;
}

#[tokio::test]
async fn over_http1_every_protocol_and_codec_takes_all_four_kinds() {
    let running = Running::start(server(), "tcp://127.0.0.1:0").await;
    let config = ChannelConfig { http1: true, ..ChannelConfig::default() };
    let channel = Channel::with_config(&running.endpoint, config).unwrap();
    every_dialect(&channel, false).await;
    running.stop().await;
}

#[tokio::test]
async fn over_a_websocket_every_protocol_and_codec_takes_all_four_kinds() {
    let running = Running::start(server(), "tcp://127.0.0.1:0").await;
    let endpoint = running.endpoint.replace("tcp:", "ws:");
    every_dialect(&Channel::connect(endpoint).await.unwrap(), true).await;
    running.stop().await;
}

#[tokio::test]
async fn over_one_websocket_many_calls_go_at_once() {
    let running = Running::start(server(), "tcp://127.0.0.1:0").await;
    let endpoint = running.endpoint.replace("tcp:", "ws:");
    let config = ChannelConfig { max_connections: 1, ..ChannelConfig::default() };
    let client = ProbeClient::new(Channel::with_config(endpoint, config).unwrap());
    let mut talks = Vec::new();
    for _ in 0..100 {
        talks.push(client.both().await.unwrap());
    }
    for (number, (requests, replies)) in talks.iter_mut().enumerate() {
        requests.send(request(vec![7; number * 1000])).await.unwrap();
        assert_eq!(replies.receive().await.unwrap().unwrap().payload.len(), number * 1000);
    }
    drop(talks);
    running.stop().await;
}

/// Certificates of this test: a server's for localhost and a client's, each its own root.
struct Certificates {
    server: (Vec<u8>, Vec<u8>),
    client: (Vec<u8>, Vec<u8>),
}

impl Certificates {
    fn new() -> Self {
        let make = |name: &str| {
            let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
            (made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes())
        };
        Self { server: make("localhost"), client: make("client.example") }
    }

    fn server_tls(&self) -> ServerTls {
        ServerTls::new(Identity::from_pem(&self.server.0, &self.server.1).unwrap())
    }

    fn client_tls(&self) -> ClientTls {
        ClientTls::new().roots(Roots::from_pem(&self.server.0).unwrap())
    }
}

fn https(running: &Running, scheme: &str) -> String {
    let (_, address) = running.endpoint.split_once("://").unwrap();
    format!("{scheme}://{}", address.replace("127.0.0.1", "localhost"))
}

#[tokio::test]
async fn over_tls_every_protocol_speaks_on_the_port_of_plaintext() {
    let certificates = Certificates::new();
    let running =
        Running::start(server().tls(certificates.server_tls()), "tcp://127.0.0.1:0").await;
    every_dialect(&Channel::connect(&running.endpoint).await.unwrap(), true).await;
    for (scheme, http1) in [("https", false), ("https", true), ("wss", false), ("tls", false)] {
        let tls = Some(certificates.client_tls());
        let config = ChannelConfig { http1, tls, ..ChannelConfig::default() };
        let channel = Channel::with_config(https(&running, scheme), config).unwrap();
        every_dialect(&channel, !http1).await;
    }
    running.stop().await;
}

#[tokio::test]
async fn a_tls_endpoint_takes_nothing_else_and_says_so() {
    let certificates = Certificates::new();
    let running =
        Running::start(server().tls(certificates.server_tls()), "tls://127.0.0.1:0").await;
    let raw = Raw::connect(&running.endpoint.replace("tls:", "tcp:")).await;
    let answer = raw.exchange(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("takes TLS"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_server_without_certificate_does_not_listen_for_tls() {
    let status = server().listen("tls://127.0.0.1:0").bind().await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("needs a certificate"), "{status}");
}

#[tokio::test]
async fn a_handler_sees_the_certificate_of_its_caller() {
    async fn name(call: farcall::Call, next: farcall::Next) -> Result<farcall::Reply> {
        let certificates = call.peer().map(farcall::Peer::certificates).unwrap_or_default();
        let names: Vec<_> =
            certificates.iter().flat_map(farcall::tls::Certificate::names).collect();
        let name = names.first().map_or_else(|| "nobody".to_owned(), |name| name.value());
        let mut reply = next.run(call).await?;
        reply.metadata_mut().append("x-caller", name)?;
        Ok(reply)
    }
    let certificates = Certificates::new();
    let roots = Roots::from_pem(&certificates.client.0).unwrap();
    let tls = certificates.server_tls().require_client_certificates(roots);
    let running = Running::start(server().intercept(name).tls(tls), "tls://127.0.0.1:0").await;
    let (certificate, key) = &certificates.client;
    let identity = Identity::from_pem(certificate, key).unwrap();
    let tls = Some(certificates.client_tls().identity(identity));
    let config = ChannelConfig { tls, ..ChannelConfig::default() };
    let client = ProbeClient::new(Channel::with_config(https(&running, "https"), config).unwrap());
    let (_, beside) = client.unary(request("x")).with_metadata().await.unwrap();
    assert_eq!(beside.metadata().get("x-caller"), Some("client.example"));

    let config = ChannelConfig { tls: Some(certificates.client_tls()), ..ChannelConfig::default() };
    let stranger = Channel::with_config(https(&running, "https"), config).unwrap();
    let status = ProbeClient::new(stranger).unary(request("x")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("certificate"), "{status}");
    running.stop().await;
}

#[tokio::test]
async fn a_connection_is_recognised_byte_by_byte() {
    let running = Running::start(server(), "tcp://127.0.0.1:0").await;
    let raw = Raw::connect(&running.endpoint).await;
    let body = r#"{"payload":"AQI="}"#;
    let request = format!(
        "POST /probe.v1.Probe/Unary HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = raw.exchange_in_pieces(request.as_bytes(), 1).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(r#"{"payload":"AQI=","count":"1"}"#), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn what_is_nothing_is_refused_in_words() {
    let running = Running::start(server(), "tcp://127.0.0.1:0").await;
    for garbage in [&b"SSH-2.0-OpenSSH\r\n"[..], b"\x00\x01\x02\x03", b"EHLO mail\r\n\r\n"] {
        let raw = Raw::connect(&running.endpoint).await;
        let answer = raw.exchange(garbage).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{garbage:?}: {answer}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_port_on_loopback_answers_for_no_other_name() {
    let running = Running::start(server().allow_host("greet.example"), "tcp://127.0.0.1:0").await;
    let ask = async |host: &str| {
        let raw = Raw::connect(&running.endpoint).await;
        let text = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        raw.exchange(text.as_bytes()).await
    };
    assert!(ask("localhost:1").await.starts_with("HTTP/1.1 200 "));
    assert!(ask("greet.example").await.starts_with("HTTP/1.1 200 "));
    assert!(ask("evil.example").await.starts_with("HTTP/1.1 421 "));
    running.stop().await;
}

#[tokio::test]
async fn pages_of_other_origins_may_call_only_when_they_are_listed() {
    let cors = Cors::new().allow_origin("https://good.example");
    let running = Running::start(server().cors(cors), "tcp://127.0.0.1:0").await;
    let preflight = "OPTIONS /probe.v1.Probe/Unary HTTP/1.1\r\naccess-control-request-method: POST\r\naccess-control-request-headers: content-type";
    let leave = "access-control-allow-origin: https://good.example\r\n";
    let ask = async |origin: &str, line: &str, body: &str| {
        let raw = Raw::connect(&running.endpoint).await;
        let text = format!(
            "{line}\r\nhost: localhost\r\norigin: {origin}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        raw.exchange(text.as_bytes()).await
    };
    let good = ask("https://good.example", preflight, "").await;
    assert!(good.starts_with("HTTP/1.1 204 ") && good.contains(leave), "{good}");
    let bad = ask("https://evil.example", preflight, "").await;
    assert!(!bad.contains("access-control-allow-origin"), "{bad}");
    let line = "POST /probe.v1.Probe/Unary HTTP/1.1";
    let good = ask("https://good.example", line, "{}").await;
    assert!(good.starts_with("HTTP/1.1 200 ") && good.contains(leave), "{good}");
    let bad = ask("https://evil.example", line, "{}").await;
    assert!(!bad.contains("access-control-allow-origin"), "{bad}");
    running.stop().await;
}

#[tokio::test]
async fn a_websocket_opens_only_for_this_servers_pages_and_listed_ones() {
    let cors = Cors::new().allow_origin("https://good.example");
    let running = Running::start(server().cors(cors), "tcp://127.0.0.1:0").await;
    for (line, status) in [
        ("", "101"),
        ("origin: http://localhost\r\n", "101"),
        ("origin: https://good.example\r\n", "101"),
        ("origin: https://evil.example\r\n", "403"),
        ("origin: null\r\n", "403"),
        ("sec-fetch-site: cross-site\r\n", "403"),
    ] {
        let raw = Raw::connect(&running.endpoint).await;
        let text = format!(
            "GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: farcall.v1\r\n{line}\r\n"
        );
        let answer = raw.first_line_after(text.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {answer}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_method_with_side_effects_is_not_called_by_get() {
    let running = Running::start(server(), "tcp://127.0.0.1:0").await;
    let raw = Raw::connect(&running.endpoint).await;
    let text = "GET /probe.v1.Probe/Unary?connect=v1&encoding=json&message=%7B%7D HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = raw.exchange(text.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn health_is_asked_by_every_protocol_and_by_get() {
    let server = server().health().reflection();
    let running = Running::start(server, "tcp://127.0.0.1:0").await;
    let channel = Channel::connect(&running.endpoint).await.unwrap();
    for protocol in PROTOCOLS {
        let health = farcall::health::HealthClient::new(channel.clone().protocol(protocol).get());
        let request = farcall::health::HealthCheckRequest { service: "probe.v1.Probe".to_owned() };
        let reply = health.check(request).await.unwrap();
        assert_eq!(reply.status.as_known(), Some(farcall::health::ServingStatus::SERVING));
    }
    let raw = Raw::connect(&running.endpoint).await;
    let text = "GET /grpc.health.v1.Health/Check?connect=v1&encoding=json&message=%7B%7D HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = raw.exchange(text.as_bytes()).await;
    assert!(answer.ends_with(r#"{"status":"SERVING"}"#), "{answer}");
    running.stop().await;
}
