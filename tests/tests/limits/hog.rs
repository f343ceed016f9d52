//! A client that begins messages and never ends them.

use farcall_tests::{ProbeClient, Request};
use farcall_wire::Fields;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::peer::{Answer, Carrier, Peer, Seen};

const UNARY: &str = "/probe.v1.Probe/Unary";
/// Of one message, within a stream's first window.
const BEGINNING: usize = 60 * 1024;
/// What a connection holds without being charged.
pub(crate) const ALLOWANCE: usize = 64 * 1024;

/// One connection that makes the server hold something for it.
pub(crate) enum Hog {
    Http1(TcpStream),
    Streams(Box<Peer>, u32),
}

/// The head of a call whose message is its whole body, so that a failure is a status of HTTP.
pub(crate) fn call() -> Fields {
    Fields::from_iter([
        (":method", "POST"),
        (":scheme", "http"),
        (":path", UNARY),
        (":authority", "localhost"),
        ("content-type", "application/proto"),
    ])
}

impl Hog {
    /// A connection that has sent `bytes` of messages whose ends do not come; without a carrier over HTTP/1.1.
    pub(crate) async fn hold(carrier: Option<Carrier>, endpoint: &str, bytes: usize) -> Self {
        let Some(carrier) = carrier else {
            let address = endpoint.strip_prefix("tcp://").unwrap();
            let mut tcp = TcpStream::connect(address).await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let head = format!(
                "POST {UNARY} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/proto\r\n\
                 content-length: 4000000\r\n\r\n"
            );
            tcp.write_all(head.as_bytes()).await.unwrap();
            let _ = tcp.write_all(&vec![0; bytes]).await;
            return Self::Http1(tcp);
        };
        let mut peer = Box::new(Peer::connect(carrier, endpoint).await);
        let (mut left, mut stream) = (bytes, 1);
        loop {
            peer.request(stream, &call(), false).await;
            for piece in vec![0; left.min(BEGINNING)].chunks(16_384) {
                peer.data(stream, piece, false).await;
            }
            left = left.saturating_sub(BEGINNING);
            if left == 0 {
                return Self::Streams(peer, stream);
            }
            stream += 2;
        }
    }

    /// One byte more of the last message.
    pub(crate) async fn one_more(&mut self) {
        match self {
            Self::Http1(tcp) => tcp.write_all(&[0]).await.unwrap(),
            Self::Streams(peer, stream) => peer.data(*stream, &[0], false).await,
        }
    }

    /// The status that the last message is answered with.
    pub(crate) async fn answer(&mut self) -> Answer {
        match self {
            Self::Http1(tcp) => {
                let mut line = [0; 12];
                tcp.read_exact(&mut line).await.unwrap();
                Answer::Status(String::from_utf8_lossy(&line[9..]).into_owned())
            }
            Self::Streams(peer, stream) => peer.answer(*stream).await,
        }
    }

    /// Whether all is held that was sent: nothing has been answered by the time that the server has read it. Small calls
    /// of `client` are served meanwhile, and they come behind what was written before them.
    pub(crate) async fn is_held(&mut self, client: &ProbeClient) -> bool {
        for _ in 0..30 {
            client.unary(Request::default()).await.unwrap();
        }
        match self {
            Self::Http1(tcp) => {
                let read = tcp.try_read(&mut [0; 1]);
                read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
            }
            Self::Streams(peer, _) => peer.settle().await.iter().all(Seen::is_quiet),
        }
    }
}
