//! What is said about a handshake that fails: which certificate or peer, and why.

use std::error::Error;
use std::io;

use farcall_socket::{ClientTls, Connection, Identity, Listener, Options, ServerTls, TlsErrorKind};
use rcgen::{BasicConstraints, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::authority::{
    Authority, Pem, expired, handshake, in_time, named, of_the_future, pair, server, shake,
};

/// The client's error when a server shows this certificate, and the server's when it is told.
async fn refused(authority: &Authority, identity: Identity) -> (TlsErrorKind, String, String) {
    let client = ClientTls::new().roots(authority.roots());
    let (client, server) = handshake(&client, &ServerTls::new(identity)).await;
    let (client, server) = (client.unwrap_err(), server.unwrap_err());
    assert_eq!(server.kind(), TlsErrorKind::Alert);
    assert!(client.source().is_some() && server.source().is_some());
    (client.kind(), client.to_string(), server.to_string())
}

#[tokio::test]
async fn an_expired_certificate_is_named_with_the_day_it_expired() {
    let authority = Authority::new("Test CA");
    let old = authority.sign(&expired(server(&["localhost", "example.com"]))).identity();
    let (kind, client, server) = refused(&authority, old).await;
    assert_eq!(kind, TlsErrorKind::Expired);
    let start = "TLS with in-process: certificate for localhost, example.com expired ";
    assert!(client.starts_with(start), "{client}");
    assert!(client.ends_with(" days ago (not after 2020-02-29 00:00:00 UTC)"), "{client}");
    let text = "TLS with in-process: the client says that our certificate is not valid now (alert certificate_expired)";
    assert_eq!(server, text);
}

#[tokio::test]
async fn a_certificate_of_the_future_is_named_with_the_day_it_begins() {
    let authority = Authority::new("Test CA");
    let early = authority.sign(&of_the_future(server(&["localhost"]))).identity();
    let (kind, client, _) = refused(&authority, early).await;
    assert_eq!(kind, TlsErrorKind::NotYetValid);
    let start = "TLS with in-process: certificate for localhost is not valid for another ";
    assert!(client.starts_with(start), "{client}");
    let end = " days (not before 3000-01-01 00:00:00 UTC); one of the two clocks may be wrong";
    assert!(client.ends_with(end), "{client}");
}

#[tokio::test]
async fn an_unknown_issuer_is_named() {
    let stranger = Authority::new("Strange CA");
    let identity = stranger.server(&["localhost"]);
    let (kind, client, server) = refused(&Authority::new("Test CA"), identity).await;
    assert_eq!(kind, TlsErrorKind::UnknownIssuer);
    let text = "TLS with in-process: certificate for localhost was issued by CN=Strange CA, and no trusted root vouches \
                for that";
    assert_eq!(client, text);
    let text = "TLS with in-process: the client does not trust whoever issued our certificate (alert unknown_ca)";
    assert_eq!(server, text);
}

fn self_signed(params: &rcgen::CertificateParams) -> Pem {
    let key = KeyPair::generate().unwrap();
    Pem { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

#[tokio::test]
async fn a_self_signed_certificate_is_called_so() {
    let identity = self_signed(&server(&["localhost"])).identity();
    let (kind, client, _) = refused(&Authority::new("Test CA"), identity).await;
    assert_eq!(kind, TlsErrorKind::UnknownIssuer);
    let text = "TLS with in-process: certificate for localhost is self-signed, and not among the trusted roots";
    assert_eq!(client, text);
}

#[tokio::test]
async fn a_self_signed_certificate_among_the_roots_is_believed_unless_it_is_an_authoritys() {
    let pem = self_signed(&server(&["localhost"]));
    let roots = |pem: &Pem| farcall_socket::Roots::from_pem(pem.certificate.as_bytes()).unwrap();
    let client = ClientTls::new().roots(roots(&pem));
    shake(&client, &ServerTls::new(pem.identity())).await;

    let mut params = server(&["localhost"]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = self_signed(&params);
    let client = ClientTls::new().roots(roots(&pem));
    let (client, _) = handshake(&client, &ServerTls::new(pem.identity())).await;
    let client = client.unwrap_err();
    assert_eq!(client.kind(), TlsErrorKind::BadCertificate);
    assert!(client.to_string().contains("make one with basicConstraints=CA:FALSE"), "{client}");
}

#[tokio::test]
async fn a_wrong_name_is_told_with_the_names_that_are_there() {
    let authority = Authority::new("Test CA");
    let names = ["a.example", "b.example", "10.0.0.1", "d.example", "e.example", "f.example"];
    let (kind, client, server) = refused(&authority, authority.server(&names)).await;
    assert_eq!(kind, TlsErrorKind::WrongName);
    let text = "TLS with in-process: expected a certificate for localhost, got one for a.example, b.example, 10.0.0.1, \
                d.example and 2 more";
    assert_eq!(client, text);
    let text = "TLS with in-process: the client does not accept our certificate; it may be for another name (alert \
                bad_certificate)";
    assert_eq!(server, text);

    let nameless = authority.sign(&named(&[], "localhost")).identity();
    let (kind, client, _) = refused(&authority, nameless).await;
    assert_eq!(kind, TlsErrorKind::WrongName, "a common name is no host name");
    assert!(client.ends_with("got one for CN=localhost"), "{client}");
}

#[tokio::test]
async fn a_name_that_is_none_is_an_error_before_a_byte_is_sent() {
    let (client, _) = pair();
    for name in ["", "a b", "-", "a..b", "http://a", "a:80"] {
        let (left, _right) = Connection::pair();
        let error = client.connect(left, name).await.unwrap_err();
        assert_eq!(error.kind(), TlsErrorKind::ServerName, "{name}");
        assert!(error.to_string().ends_with(&format!("got `{name}`")), "{error}");
    }
}

/// What a TLS server says of a client that begins with these bytes.
async fn spoken_to_the_server(bytes: &[u8]) -> (TlsErrorKind, String) {
    let (_, server) = pair();
    let (mut left, right) = Connection::pair();
    left.write_all(bytes).await.unwrap();
    left.shutdown().await.unwrap();
    let error = in_time(server.accept(right)).await.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn a_client_that_speaks_plaintext_to_a_tls_port_is_told_from_one_that_breaks_the_rules() {
    let cases: [(&[u8], &str); 5] = [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "plaintext HTTP/1 (`GET / HTTP/1.1\\r\\n...`)"),
        (b"POST /greet.v1.Greeter HTTP/1.1\r\n", "plaintext HTTP/1 (`POST /greet.v1.G...`)"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "plaintext HTTP/2"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "something else (`SSH-2.0-OpenSSH_...`)"),
        (b"\x80\x2e\x01\x00\x02", "something else"),
    ];
    for (bytes, spoken) in cases {
        let (kind, text) = spoken_to_the_server(bytes).await;
        assert_eq!(kind, TlsErrorKind::NotTls, "{text}");
        let expected = format!(
            "TLS with in-process: the client does not speak TLS, but {spoken}, and this port takes TLS only"
        );
        assert_eq!(text, expected);
    }
    let (kind, text) = spoken_to_the_server(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff").await;
    assert_eq!(kind, TlsErrorKind::Protocol, "{text}");
    let (kind, text) = spoken_to_the_server(b"\x16\x03\x01\x00\x05").await;
    assert_eq!(kind, TlsErrorKind::Closed, "{text}");
    let (kind, text) = spoken_to_the_server(b"\x15\x03\x03\x00\x02\x01\x00").await;
    assert_eq!(kind, TlsErrorKind::Closed, "a close_notify in the middle of a handshake: {text}");
}

/// What a client says of a server that answers its hello with these bytes and closes.
async fn answered_by(bytes: &[u8]) -> (TlsErrorKind, String) {
    let (client, _) = pair();
    let (left, mut right) = Connection::pair();
    let answer = async {
        right.read_u8().await.unwrap();
        right.write_all(bytes).await.unwrap();
        right.shutdown().await.unwrap();
    };
    let connect = client.connect(left, "localhost");
    let (error, ()) = in_time(async { tokio::join!(connect, answer) }).await;
    let error = error.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn a_server_that_answers_in_plaintext_is_told_from_one_that_only_closes() {
    let cases: [(&[u8], &str); 2] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "plaintext HTTP/1 (`HTTP/1.1 400 Bad...`)"),
        (b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80", "plaintext HTTP/2"),
    ];
    for (bytes, spoken) in cases {
        let (kind, text) = answered_by(bytes).await;
        assert_eq!(kind, TlsErrorKind::NotTls, "{text}");
        let expected = format!("TLS with in-process: the server does not speak TLS, but {spoken}");
        assert_eq!(text, expected);
    }
    let (kind, text) = answered_by(b"").await;
    assert_eq!(kind, TlsErrorKind::Closed);
    let expected = "TLS with in-process: the server closed the connection instead of answering; it may not speak TLS";
    assert_eq!(text, expected);
    let (kind, text) = answered_by(b"\x15\x03\x03\x00\x02\x02\x28").await;
    assert_eq!(kind, TlsErrorKind::Alert);
    let expected = "TLS with in-process: the server found no parameters that suit both sides (alert handshake_failure)";
    assert_eq!(text, expected);
    let (kind, text) = answered_by(b"\x15\x03\x03\x00\x02\x02\x46").await;
    assert_eq!(kind, TlsErrorKind::Incompatible);
    let expected = "TLS with in-process: the server speaks no version of TLS that we do (1.2 and 1.3) (alert \
                    protocol_version)";
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_client_of_tls_1_1_is_refused() {
    // A ClientHello of TLS 1.1 with one cipher suite and no extensions (RFC 4346, section 7.4.1.2).
    let mut hello = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    let (kind, text) = spoken_to_the_server(&hello).await;
    assert_eq!(kind, TlsErrorKind::Incompatible, "{text}");
    assert!(text.contains("the client speaks no version of TLS that we do"), "{text}");
}

#[tokio::test]
async fn the_alert_reaches_a_client_over_tcp_though_the_server_has_not_read_all_it_sent() {
    let authority = Authority::new("Test CA");
    let server = ServerTls::new(authority.server(&["localhost"]))
        .require_client_certificates(authority.roots());
    let client = ClientTls::new().roots(authority.roots());
    let options = Options::default();
    let listener = Listener::bind(&"tls://127.0.0.1:0".parse().unwrap(), &options).await.unwrap();
    let accept = async { server.accept(listener.accept().await.unwrap()).await };
    let call = async {
        let transport = Connection::connect(listener.endpoint(), &options).await.unwrap();
        let mut client = client.connect(transport, "localhost").await.unwrap();
        // More than a server that closes has read.
        let _ = client.write_all(&vec![7; 30_000]).await;
        client.read_u8().await.unwrap_err()
    };
    let (refused, error) = in_time(async { tokio::join!(accept, call) }).await;
    assert_eq!(refused.unwrap_err().kind(), TlsErrorKind::NoCertificate);
    assert!(error.to_string().ends_with("(alert certificate_required)"), "{error}");
}

#[tokio::test]
async fn an_error_is_one_that_io_knows() {
    let (client, _) = pair();
    let (left, right) = Connection::pair();
    drop(right);
    let error = io::Error::from(client.connect(left, "localhost").await.unwrap_err());
    let kinds = [io::ErrorKind::BrokenPipe, io::ErrorKind::UnexpectedEof];
    assert!(kinds.contains(&error.kind()), "{error:?}");
}
