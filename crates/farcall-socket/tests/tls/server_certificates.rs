//! Which certificate a server shows, and how it is replaced.

use farcall_socket::{ClientTls, Connection, Identity, Roots, ServerTls, TlsErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::authority::{Authority, Folder, handshake, in_time, named, pair, server, shake};

/// The common name of the certificate that a client of this host is shown.
async fn shown(client: &ClientTls, server: &ServerTls, host: &str) -> String {
    let (left, right) = Connection::pair();
    let (client, server) =
        in_time(async { tokio::join!(client.connect(left, host), server.accept(right)) }).await;
    server.unwrap();
    let client = client.unwrap();
    client.peer().certificates()[0].common_name().unwrap().to_owned()
}

#[tokio::test]
async fn the_name_that_the_client_asks_for_chooses_the_certificate() {
    let authority = Authority::new("Test CA");
    let identity = |name: &str, names: &[&str]| authority.sign(&named(names, name)).identity();
    let server =
        ServerTls::new(identity("first", &["first.example", "127.0.0.1", "unheard.example"]))
            .add(identity("second", &["second.example"]))
            .add(identity("wild", &["*.wild.example"]))
            .add(identity("exact", &["exact.wild.example"]));
    let client = ClientTls::new().roots(authority.roots());
    let cases = [
        ("first.example", "first"),
        ("second.example", "second"),
        ("SECOND.example", "second"),
        ("second.example.", "second"),
        ("any.wild.example", "wild"),
        // The order decides, so that there is one rule.
        ("exact.wild.example", "wild"),
        ("127.0.0.1", "first"),
        ("unheard.example", "first"),
    ];
    for (host, name) in cases {
        assert_eq!(shown(&client, &server, host).await, name, "{host}");
    }
    for host in ["wild.example", "a.b.wild.example"] {
        let (left, right) = Connection::pair();
        let (client, _) =
            in_time(async { tokio::join!(client.connect(left, host), server.accept(right)) }).await;
        assert_eq!(client.unwrap_err().kind(), TlsErrorKind::WrongName, "{host}");
    }
}

#[tokio::test]
async fn another_name_can_be_asked_for_than_the_one_that_was_connected_to() {
    let (client, server) = pair();
    let (left, right) = Connection::pair();
    let client = client.server_name("localhost");
    let (client, server) =
        in_time(async { tokio::join!(client.connect(left, "10.0.0.1"), server.accept(right)) })
            .await;
    assert_eq!(client.unwrap().tls().unwrap().server_name(), Some("localhost"));
    assert_eq!(server.unwrap().tls().unwrap().server_name(), Some("localhost"));
}

#[tokio::test]
async fn an_address_is_verified_and_not_sent() {
    let authority = Authority::new("Test CA");
    let server = ServerTls::new(authority.server(&["::1"]));
    let client = ClientTls::new().roots(authority.roots());
    for host in ["::1", "[::1]", "::1%eth0"] {
        let (left, right) = Connection::pair();
        let (client, server) =
            in_time(async { tokio::join!(client.connect(left, host), server.accept(right)) }).await;
        client.unwrap();
        assert_eq!(server.unwrap().tls().unwrap().server_name(), None);
    }
}

#[tokio::test]
async fn a_reload_shows_the_new_certificate_and_leaves_open_connections_alone() {
    let folder = Folder::new();
    let authority = Authority::new("Test CA");
    let write = |name: &str| authority.sign(&named(&["localhost"], name)).write(&folder, "server");
    let (certificate, key) = write("old");
    let server = ServerTls::new(Identity::from_pem_files(&certificate, &key).unwrap());
    let client = ClientTls::new().roots(authority.roots());

    let (mut open, mut other) = shake(&client, &server).await;
    write("new");
    assert_eq!(shown(&client, &server, "localhost").await, "old");
    let clone = server.clone();
    clone.reload().unwrap();
    assert_eq!(shown(&client, &server, "localhost").await, "new");

    open.write_all(b"still there?").await.unwrap();
    let mut question = [0; 12];
    other.read_exact(&mut question).await.unwrap();

    // Half of a replacement: the new key is there, the new certificate is not.
    std::fs::write(&key, authority.sign(&server_params()).key).unwrap();
    assert_eq!(server.reload().unwrap_err().kind(), TlsErrorKind::KeyMismatch);
    assert_eq!(shown(&client, &server, "localhost").await, "new");
}

fn server_params() -> rcgen::CertificateParams {
    server(&["localhost"])
}

#[tokio::test]
async fn a_client_reloads_its_roots() {
    let folder = Folder::new();
    let (old, new) = (Authority::new("Old CA"), Authority::new("New CA"));
    let roots = folder.file("roots.pem");
    std::fs::write(&roots, old.pem()).unwrap();
    let client = ClientTls::new().roots(Roots::from_pem_file(&roots).unwrap());
    let server = ServerTls::new(new.server(&["localhost"]));
    let (refused, _) = handshake(&client, &server).await;
    assert_eq!(refused.unwrap_err().kind(), TlsErrorKind::UnknownIssuer);
    std::fs::write(&roots, new.pem()).unwrap();
    client.reload().unwrap();
    shake(&client, &server).await;
}

#[tokio::test]
async fn an_insecure_client_takes_any_certificate_and_knows_nobody() {
    let (_, server) = pair();
    let client = ClientTls::new().insecure();
    let (left, right) = Connection::pair();
    let (client, server) =
        in_time(async { tokio::join!(client.connect(left, "anything"), server.accept(right)) })
            .await;
    let client = client.unwrap();
    server.unwrap();
    assert!(client.peer().is_encrypted());
    assert!(client.peer().certificates().is_empty());
    assert!(!client.tls().unwrap().is_verified());
}
