//! What client and server agree on.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use farcall_socket::{
    Address, ClientTls, Connection, Listener, Options, Peer, ServerTls, TlsErrorKind, TlsInfo,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

use crate::authority::{Authority, handshake, in_time, pair, shake};
use crate::stranger;

fn info(connection: &Connection) -> &TlsInfo {
    connection.tls().expect("TLS")
}

/// Sends a word each way, so that session tickets arrive, too.
async fn talk(client: &mut Connection, server: &mut Connection) {
    for (from, to) in [(0, 1), (1, 0)] {
        let ends = [&mut *client, &mut *server];
        ends[from].write_all(b"word").await.unwrap();
        let mut word = [0; 4];
        ends[to].read_exact(&mut word).await.unwrap();
        assert_eq!(&word, b"word");
    }
}

#[tokio::test]
async fn by_default_it_is_tls_1_3_with_a_post_quantum_key_exchange() {
    let (client, server) = pair();
    let (mut client, mut server) = shake(&client, &server).await;
    talk(&mut client, &mut server).await;
    for end in [&client, &server] {
        let info = info(end);
        assert_eq!(info.version(), "TLS 1.3");
        assert_eq!(info.key_exchange(), Some("X25519MLKEM768"));
        assert_eq!(info.alpn(), Some(&b"h2"[..]));
        assert_eq!(info.server_name(), Some("localhost"));
        assert!(!info.is_resumed());
        let text = "TLS 1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768, h2";
        assert_eq!(info.to_string(), text);
        assert!(end.peer().is_encrypted());
    }
    assert!(info(&client).is_verified());
    assert!(!info(&server).is_verified());
}

#[tokio::test]
async fn tls_1_2_is_spoken_with_a_stranger_who_knows_no_other() {
    let authority = Authority::new("Test CA");
    let (left, right) = Connection::pair();
    let tls = ServerTls::new(authority.server(&["localhost"]));
    let client = stranger::client(&authority, &[&rustls::version::TLS12]);
    let (client, server) =
        in_time(async { tokio::join!(client.connect(left), tls.accept(right)) }).await;
    let server = server.unwrap();
    assert_eq!(info(&server).version(), "TLS 1.2");
    assert!(info(&server).cipher_suite().starts_with("TLS_ECDHE_"), "{}", info(&server));
    drop(client);

    let (left, right) = Connection::pair();
    let tls = ClientTls::new().roots(authority.roots());
    let server = stranger::server(&authority, &[&rustls::version::TLS12]);
    let (client, _server) =
        in_time(async { tokio::join!(tls.connect(left, "localhost"), server.accept(right)) }).await;
    assert_eq!(info(&client.unwrap()).version(), "TLS 1.2");
}

#[tokio::test]
async fn the_second_connection_of_a_client_resumes_the_first_ones_session() {
    let (client, server) = pair();
    let (mut first, mut other) = shake(&client, &server).await;
    talk(&mut first, &mut other).await;
    let (mut second, mut other) = shake(&client.clone(), &server.clone()).await;
    talk(&mut second, &mut other).await;
    assert!(info(&second).is_resumed() && info(&other).is_resumed());
    assert_eq!(second.peer().certificates(), first.peer().certificates());
    assert!(second.tls().unwrap().to_string().ends_with(", resumed"));

    server.reload().unwrap();
    let (third, _) = shake(&client, &server).await;
    assert!(!info(&third).is_resumed(), "a reload ends the sessions from before");
}

#[tokio::test]
async fn the_server_chooses_among_the_protocols_that_both_have() {
    let (client, server) = pair();
    let choices: [(&[&str], &[&str], Option<&str>); 4] = [
        (&["http/1.1", "h2"], &["h2", "http/1.1"], Some("h2")),
        (&["farcall/1"], &["h2", "farcall/1"], Some("farcall/1")),
        (&[], &["h2"], None),
        (&["h2"], &[], None),
    ];
    for (offered, spoken, chosen) in choices {
        let client = client.clone().alpn(offered.iter().copied());
        let server = server.clone().alpn(spoken.iter().copied());
        let (client, server) = shake(&client, &server).await;
        assert_eq!(info(&client).alpn(), chosen.map(str::as_bytes));
        assert_eq!(info(&server).alpn(), chosen.map(str::as_bytes));
    }
}

#[tokio::test]
async fn t04_without_a_protocol_in_common_the_client_is_refused() {
    let (client, server) = pair();
    let (client, server) = handshake(&client.alpn(["smtp"]), &server).await;
    let (client, server) = (client.unwrap_err(), server.unwrap_err());
    assert_eq!(client.kind(), TlsErrorKind::NoProtocol);
    assert_eq!(server.kind(), TlsErrorKind::NoProtocol);
    let text = "TLS with in-process: the server speaks none of the protocols that we offered (ALPN) (alert \
                no_application_protocol)";
    assert_eq!(client.to_string(), text);
    let text = "TLS with in-process: the client offers none of the application protocols that are spoken here (ALPN)";
    assert_eq!(server.to_string(), text);
}

#[tokio::test]
async fn a_protocol_name_that_alpn_cannot_carry_is_an_error() {
    let (client, server) = pair();
    for name in [String::new(), "x".repeat(256)] {
        let (left, right) = Connection::pair();
        let client = client.clone().alpn([name.as_str()]).connect(left, "localhost").await;
        let server = server.clone().alpn([name.as_str()]).accept(right).await;
        assert_eq!(client.unwrap_err().kind(), TlsErrorKind::Setting);
        assert_eq!(server.unwrap_err().kind(), TlsErrorKind::Setting);
    }
}

#[tokio::test]
async fn every_transport_carries_tls() {
    let (client, server) = pair();
    let options = Options::default();
    for url in ["tls://127.0.0.1:0", "mem://tls"] {
        let listener = Listener::bind(&url.parse().unwrap(), &options).await.unwrap();
        let left = Connection::connect(listener.endpoint(), &options).await.unwrap();
        let right = listener.accept().await.unwrap();
        let (left_peer, local) = (left.peer().clone(), left.local().unwrap());
        let (left, right) = in_time(async {
            tokio::join!(client.connect(left, "localhost"), server.accept(right))
        })
        .await;
        let (mut left, mut right) = (left.unwrap(), right.unwrap());
        talk(&mut left, &mut right).await;
        assert_eq!(left.peer().address(), left_peer.address());
        assert_eq!(left.local().unwrap(), local);
        assert_eq!(left.descriptor().is_some(), url.starts_with("tls"));
        let text = format!("{left_peer} (certificate for localhost)");
        assert_eq!(left.peer().to_string(), text);
        let error = left.into_blocking().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }
}

/// Gives and takes one byte at a time, and lets the task yield in between.
struct Dripping {
    stream: DuplexStream,
    is_turn_to_wait: bool,
}

impl Dripping {
    fn connection(stream: DuplexStream) -> Connection {
        let peer = Arc::new(Peer::from(Address::Unnamed));
        Connection::from_stream(Self { stream, is_turn_to_wait: false }, peer)
    }
}

impl AsyncRead for Dripping {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.is_turn_to_wait = !self.is_turn_to_wait;
        if self.is_turn_to_wait {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut one);
        buffer.put_slice(one.filled());
        polled
    }
}

impl AsyncWrite for Dripping {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, &bytes[..bytes.len().min(1)])
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn t03_a_handshake_that_comes_byte_by_byte_is_a_handshake() {
    let (client, server) = pair();
    // Pipes of one byte, so that no two bytes are ever read or written together.
    for capacity in [1, 7, 4096] {
        let (left, right) = tokio::io::duplex(capacity);
        let (left, right) = (Dripping::connection(left), Dripping::connection(right));
        let (left, right) = in_time(async {
            tokio::join!(client.connect(left, "localhost"), server.accept(right))
        })
        .await;
        let (mut left, mut right) = (left.unwrap(), right.unwrap());
        let sent = vec![5; 10_000];
        let send = async {
            left.write_all(&sent).await.unwrap();
            left.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let receive = right.read_to_end(&mut received);
        let ((), result) = in_time(async { tokio::join!(send, receive) }).await;
        result.unwrap();
        assert!(received == sent);
    }
}

#[tokio::test]
async fn t03_a_client_hello_may_be_cut_in_two_anywhere() {
    let (client, server) = pair();
    let hello = {
        let (left, mut right) = Connection::pair();
        let mut hello = vec![0; 16 * 1024];
        let connect = client.connect(left, "localhost");
        tokio::select! {
            _ = connect => unreachable!("nobody answers"),
            length = right.read(&mut hello) => hello.truncate(length.unwrap()),
        }
        hello
    };
    assert!(hello.len() > 1200, "a post-quantum share has 1,216 bytes");
    for cut in 1..hello.len() {
        let (mut left, right) = tokio::io::duplex(64 * 1024);
        let peer = Arc::new(Peer::from(Address::Unnamed));
        let mut right = Connection::from_stream(right, peer);
        right.unread(Bytes::copy_from_slice(&hello[..cut]));
        left.write_all(&hello[cut..]).await.unwrap();
        let accept = server.accept(right);
        let mut flight = [0; 5];
        tokio::select! {
            result = accept => panic!("cut at {cut}: {result:?}"),
            read = left.read_exact(&mut flight) => read.unwrap(),
        };
        // A handshake record, and not an alert: the server took the hello.
        assert_eq!(flight[0], 22, "cut at {cut}");
    }
}

#[tokio::test]
async fn what_was_read_to_know_that_it_is_tls_can_be_put_back() {
    let (client, server) = pair();
    for count in [1, 5, 100] {
        let (left, mut right) = Connection::pair();
        let accept = async {
            let mut first = vec![0; count];
            right.read_exact(&mut first).await.unwrap();
            assert_eq!(first[0], 22);
            right.unread(first.into());
            server.accept(right).await
        };
        let (left, right) =
            in_time(async { tokio::join!(client.connect(left, "localhost"), accept) }).await;
        talk(&mut left.unwrap(), &mut right.unwrap()).await;
    }
}

#[tokio::test]
async fn t05_a_session_takes_no_early_data() {
    let authority = Authority::new("Test CA");
    let tls = ServerTls::new(authority.server(&["localhost"]));
    let mut config = stranger::client_config(&authority, rustls::ALL_VERSIONS);
    config.enable_early_data = true;
    let config = Arc::new(config);
    for _ in 0..2 {
        let (left, right) = Connection::pair();
        let client = stranger::Client(config.clone());
        let (client, server) =
            in_time(async { tokio::join!(client.connect(left), tls.accept(right)) }).await;
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        assert!(!client.get_ref().1.is_early_data_accepted());
        client.write_all(b"word").await.unwrap();
        server.write_all(b"word").await.unwrap();
        let mut word = [0; 4];
        client.read_exact(&mut word).await.unwrap();
    }
}

#[test]
fn a_handshake_is_a_small_future() {
    let (client, server) = pair();
    let (left, right) = Connection::pair();
    assert!(size_of_val(&client.connect(left, "localhost")) < 1024);
    assert!(size_of_val(&server.accept(right)) < 1024);
}
