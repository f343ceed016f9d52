//! What holds for a whole server or a whole connection, on each transport: with a bound that is set lower where the real
//! one is too large, or with a clock that the test moves.

use std::sync::Arc;
use std::time::Duration;

use farcall::limits::Bound;
use farcall::socket::ACCEPT_PAUSE;
use farcall::tls::{ClientTls, Identity, Roots, ServerTls};
use farcall::{Channel, ChannelConfig, Code, Options, Server};
use farcall_tests::{Probe, ProbeClient, Request, Running, Subject};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::cell::{live, number, time};
use crate::hog::{ALLOWANCE, Hog};
use crate::peer::{Answer, Carrier};

/// How far before and behind a time is looked: meanwhile real time passes too.
const MARGIN: Duration = Duration::from_secs(2);

/// How a client reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Http1,
    Http2,
    WebSocket,
    Tls,
}

/// The certificate of a server, which is its own root.
struct Certificate {
    chain: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = made.signing_key.serialize_pem().into_bytes();
        Self { chain: made.cert.pem().into_bytes(), key }
    }

    fn server(&self) -> ServerTls {
        ServerTls::new(Identity::from_pem(&self.chain, &self.key).unwrap())
    }

    fn client(&self) -> ClientTls {
        ClientTls::new().roots(Roots::from_pem(&self.chain).unwrap())
    }
}

/// A server that takes all ways.
pub(crate) struct Limited {
    running: Running,
    pub(crate) subject: Subject,
    certificate: Arc<Certificate>,
}

impl Limited {
    pub(crate) async fn start(adjust: impl FnOnce(Server) -> Server) -> Self {
        let (subject, certificate) = (Subject::new(), Certificate::new());
        let server = Server::new().add(subject.clone().into_service()).tls(certificate.server());
        let running = Running::start(adjust(server), "tcp://127.0.0.1:0").await;
        Self { running, subject, certificate: Arc::new(certificate) }
    }

    pub(crate) fn server_tls(&self) -> ServerTls {
        self.certificate.server()
    }

    pub(crate) fn client(&self, way: Way) -> ProbeClient {
        let config = ChannelConfig {
            max_connections: 1,
            tls: Some(self.certificate.client()),
            ..ChannelConfig::default()
        };
        client(way, &self.running.endpoint, config)
    }

    fn address(&self) -> &str {
        self.running.endpoint.strip_prefix("tcp://").unwrap()
    }
}

fn client(way: Way, endpoint: &str, config: ChannelConfig) -> ProbeClient {
    let config = ChannelConfig { http1: way == Way::Http1, ..config };
    let endpoint = match way {
        Way::Http1 | Way::Http2 => endpoint.to_owned(),
        Way::WebSocket => endpoint.replace("tcp:", "ws:"),
        Way::Tls => endpoint.replace("tcp:", "https:").replace("127.0.0.1", "localhost"),
    };
    ProbeClient::new(Channel::with_config(endpoint, config).unwrap())
}

/// With a bound of two: two clients are served, a third one waits until one of them has gone.
pub(crate) fn connections(way: Way, bound: Bound) {
    let half = farcall::socket::descriptor_limit() / 2;
    assert_eq!(number(bound), half.min(10_000));
    live(async {
        let limited = Limited::start(|server| server.max_connections(2)).await;
        let (first, second) = (limited.client(way), limited.client(way));
        let third = limited.client(way);
        assert!(first.unary(Request::default()).await.is_ok());
        assert!(second.unary(Request::default()).await.is_ok());
        let waiting = tokio::spawn(third.unary(Request::default()));
        for _ in 0..20 {
            assert!(first.unary(Request::default()).await.is_ok());
            assert!(second.unary(Request::default()).await.is_ok());
        }
        assert!(!waiting.is_finished(), "a third connection was served");
        drop(first);
        assert!(waiting.await.unwrap().is_ok());
        assert!(second.unary(Request::default()).await.is_ok());
    });
}

/// With a bound of half a megabyte: beginnings of messages up to it are held, and one byte more is refused. Small calls
/// are served meanwhile.
pub(crate) fn memory(way: Way, bound: Bound) {
    let most = 256 * 1024 * 1024;
    let given = farcall::socket::memory_limit().map_or(most, |limit| limit / 10 * 6);
    assert_eq!(number(bound), usize::try_from(most.min(given)).unwrap());
    let carrier = match way {
        Way::Http2 => Some(Carrier::Http2),
        Way::WebSocket => Some(Carrier::WebSocket),
        Way::Http1 | Way::Tls => None,
    };
    live(async {
        let limited = Limited::start(|server| server.memory_budget(512 * 1024)).await;
        let (client, bytes) = (limited.client(way), ALLOWANCE + 512 * 1024);
        let mut hog = Hog::hold(carrier, &limited.running.endpoint, bytes).await;
        assert!(hog.is_held(&client).await);
        hog.one_more().await;
        assert_eq!(hog.answer().await, Answer::status(429));
        assert!(client.unary(Request::default()).await.is_ok());
    });
}

/// A connection that has sent these bytes, and that the server has begun to read.
async fn begun(limited: &Limited, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(limited.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    // Connections are accepted in their order.
    assert!(limited.client(Way::Http2).unary(Request::default()).await.is_ok());
    stream
}

/// Lets so much time pass for all timers.
pub(crate) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Who is slow to begin is heard until the time is over, and let go then.
pub(crate) fn beginning(way: Way, bound: Bound) {
    let before = time(bound).checked_sub(MARGIN).unwrap();
    let opening: &[u8] = match way {
        Way::Http1 => b"GE",
        Way::Http2 => b"PRI * HTT",
        Way::WebSocket => b"G",
        Way::Tls => &[22, 3, 1],
    };
    live(async {
        let limited = Limited::start(|server| server).await;
        let mut slow = begun(&limited, opening).await;
        pass(before).await;
        tokio::task::yield_now().await;
        slow.write_all(rest_of(way)).await.unwrap();
        let mut answer = [0; 1];
        assert_eq!(slow.read(&mut answer).await.unwrap(), 1, "an answer");

        let mut late = begun(&limited, opening).await;
        pass(before).await;
        let other = tokio::spawn(limited.client(way).unary(Request::default()));
        assert!(other.await.unwrap().is_ok());
        assert!(late.try_read(&mut answer).is_err(), "it is still open");
        pass(MARGIN).await;
        let end = tokio::time::timeout(MARGIN, late.read(&mut answer)).await;
        assert_eq!(end.expect("it is over").unwrap_or(0), 0, "closed, without a word");
        assert!(limited.client(way).unary(Request::default()).await.is_ok());
    });
}

/// What makes a slow beginning whole, so that it is answered.
fn rest_of(way: Way) -> &'static [u8] {
    match way {
        Way::Http1 => b"T / HTTP/1.1\r\nhost: localhost\r\n\r\n",
        Way::Http2 => b"P/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        Way::WebSocket => {
            b"ET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
              sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\
              sec-websocket-protocol: farcall.v1\r\n\r\n"
        }
        // A ClientHello without anything in it: the answer is an alert.
        Way::Tls => &[0, 4, 1, 0, 0, 0],
    }
}

/// A server that is there and says nothing, and one that cannot be reached at all: told after the time, which is set to
/// a fifth of a second here. A server that answers is reached.
pub(crate) fn connecting(way: Way, bound: Bound) {
    assert_eq!(time(bound), ChannelConfig::default().connect_timeout);
    assert_eq!(time(bound), Options::default().connect_timeout);
    live(async {
        let limited = Limited::start(|server| server).await;
        assert!(limited.client(way).unary(Request::default()).await.is_ok());
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        // Nobody is accepted: behind the queue's end, HTTP/1.1 does not even get a connection.
        let crowd: Vec<_> = (0..4).map(|_| tokio::spawn(TcpStream::connect(address))).collect();
        let limit = Duration::from_millis(200);
        let config = ChannelConfig {
            connect_timeout: limit,
            tls: Some(limited.certificate.client()),
            ..ChannelConfig::default()
        };
        let lost = client(way, &format!("tcp://{address}"), config);
        let before = std::time::Instant::now();
        let status = lost.unary(Request::default()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.message().contains("no answer within 200ms"), "{status}");
        assert!(before.elapsed() >= limit);
        assert!(limited.client(way).unary(Request::default()).await.is_ok());
        drop(crowd);
    });
}

/// How long nobody is accepted when there are no descriptors left: the crate of the sockets has tests with a clock of its
/// own that the pauses double from the first to the longest.
pub(crate) fn first_pause(bound: Bound) {
    assert_eq!((time(bound), time(bound)), (ACCEPT_PAUSE.0, Duration::from_millis(5)));
}

pub(crate) fn longest_pause(bound: Bound) {
    assert_eq!((time(bound), time(bound)), (ACCEPT_PAUSE.1, Duration::from_secs(1)));
}

/// A server that is told to stop waits so long for calls under way.
pub(crate) fn shutdown(way: Way, bound: Bound) {
    let before = time(bound).checked_sub(MARGIN).unwrap();
    live(async {
        let mut limited = Limited::start(|server| server).await;
        let client = limited.client(way);
        let waiting = Request { wait_at_gate: true, ..Request::default() };
        let call = tokio::spawn(client.unary(waiting.clone()));
        limited.subject.until(|subject| subject.running() == 1).await;
        limited.running.begin_to_stop();
        pass(before).await;
        limited.subject.open_gate();
        assert!(call.await.unwrap().is_ok(), "it was under way");

        let mut limited = Limited::start(|server| server).await;
        let call = tokio::spawn(limited.client(way).unary(waiting));
        limited.subject.until(|subject| subject.running() == 1).await;
        limited.running.begin_to_stop();
        // The server hears of it before the time begins.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        pass(before).await;
        assert!(!call.is_finished());
        pass(MARGIN).await;
        let end = tokio::time::timeout(MARGIN, call).await.expect("it is over");
        assert_eq!(end.unwrap().unwrap_err().code(), Code::Unavailable);
        assert_eq!(limited.subject.running(), 0);
        limited.running.stop().await;
    });
}
