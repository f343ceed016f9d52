//! Clients with certificates: required, accepted, missing, and of somebody else's.

use std::io;

use farcall_socket::{ClientTls, Connection, Identity, Roots, ServerTls, TlsError, TlsErrorKind};
use tokio::io::AsyncReadExt;

use crate::authority::{Authority, Folder, client, expired, handshake, in_time, shake};
use crate::stranger;

struct Setting {
    authority: Authority,
    client: ClientTls,
    server: ServerTls,
}

fn setting() -> Setting {
    let authority = Authority::new("Test CA");
    Setting {
        client: ClientTls::new().roots(authority.roots()),
        server: ServerTls::new(authority.server(&["localhost"])),
        authority,
    }
}

/// What a client that was refused learns from its first read.
async fn reason(client: Result<Connection, TlsError>) -> TlsError {
    let mut client = client.expect("in TLS 1.3 the client is done first");
    let error = in_time(client.read_u8()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(TlsError::of(&error).is_some(), "{error}");
    *error.into_inner().unwrap().downcast().unwrap()
}

#[tokio::test]
async fn a_server_that_requires_a_certificate_knows_who_the_client_is() {
    let Setting { authority, client, server } = setting();
    let server = server.require_client_certificates(authority.roots());
    let client = client.identity(authority.client("ada"));
    for is_resumed in [false, true] {
        let (mut client, mut server) = shake(&client, &server).await;
        let certificates = server.peer().certificates();
        assert_eq!(certificates[0].common_name(), Some("ada"));
        assert_eq!(certificates[0].names()[0].to_string(), "DNS:ada.clients.example");
        assert!(server.peer().to_string().ends_with(" (certificate for ada.clients.example)"));
        let info = server.tls().unwrap();
        assert!(info.is_verified());
        assert_eq!(info.is_resumed(), is_resumed);
        // Lets the session tickets arrive.
        tokio::io::AsyncWriteExt::write_all(&mut server, b"x").await.unwrap();
        client.read_u8().await.unwrap();
    }
}

#[tokio::test]
async fn a_client_without_the_required_certificate_is_refused_and_told_so() {
    let Setting { authority, client, server } = setting();
    let server = server.require_client_certificates(authority.roots());
    let (client, server) = handshake(&client, &server).await;
    let server = server.unwrap_err();
    assert_eq!(server.kind(), TlsErrorKind::NoCertificate);
    let text = "TLS with in-process: the client sent no certificate, and one is required";
    assert_eq!(server.to_string(), text);
    let client = reason(client).await;
    assert_eq!(client.kind(), TlsErrorKind::Alert);
    let text = "TLS with in-process: the server requires a client certificate, and none was sent (alert \
                certificate_required)";
    assert_eq!(client.to_string(), text);
}

#[tokio::test]
async fn a_certificate_of_a_strange_authority_is_refused_whether_it_is_required_or_not() {
    let Setting { authority, client, server } = setting();
    let stranger = Authority::new("Strange CA");
    let client = client.identity(stranger.client("eve"));
    let servers = [
        server.clone().require_client_certificates(authority.roots()),
        server.accept_client_certificates(authority.roots()),
    ];
    for server in servers {
        let (client, server) = handshake(&client, &server).await;
        let server = server.unwrap_err();
        assert_eq!(server.kind(), TlsErrorKind::UnknownIssuer);
        let text = "TLS with in-process: the client's certificate for eve.clients.example was issued by CN=Strange CA, and \
                    no trusted root vouches for that";
        assert_eq!(server.to_string(), text);
        let client = reason(client).await;
        let text = "does not trust whoever issued our certificate (alert unknown_ca)";
        assert!(client.to_string().ends_with(text), "{client}");
    }
}

#[tokio::test]
async fn a_server_that_accepts_certificates_tells_clients_with_and_without_apart() {
    let Setting { authority, client, server } = setting();
    let server = server.accept_client_certificates(authority.roots());
    let (_, without) = shake(&client, &server).await;
    assert!(without.peer().certificates().is_empty());
    assert!(!without.tls().unwrap().is_verified());
    let client = client.identity(authority.client("ada"));
    let (_, with) = shake(&client, &server).await;
    assert_eq!(with.peer().certificates().len(), 1);
}

#[tokio::test]
async fn a_server_that_asks_for_none_is_sent_none() {
    let Setting { authority, client, server } = setting();
    let (_, server) = shake(&client.identity(authority.client("ada")), &server).await;
    assert!(server.peer().certificates().is_empty());
}

#[tokio::test]
async fn a_certificate_that_has_expired_or_is_for_servers_is_refused() {
    let Setting { authority, client: tls, server } = setting();
    let server = server.require_client_certificates(authority.roots());
    let old = authority.sign(&expired(client("ada"))).identity();
    let (_, refused) = handshake(&tls.clone().identity(old), &server).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), TlsErrorKind::Expired);
    let text = refused.to_string();
    assert!(text.contains("the client's certificate for ada.clients.example expired "), "{text}");
    assert!(text.ends_with(" days ago (not after 2020-02-29 00:00:00 UTC)"), "{text}");

    let (_, refused) = handshake(&tls.identity(authority.server(&["ada"])), &server).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), TlsErrorKind::BadCertificate);
    assert!(refused.to_string().contains("is not meant for this use"), "{refused}");
}

#[tokio::test]
async fn after_a_reload_an_authority_that_was_taken_off_the_list_lets_nobody_in_not_even_by_a_ticket()
 {
    let folder = Folder::new();
    let Setting { authority, client, server } = setting();
    let path = folder.file("clients.pem");
    std::fs::write(&path, authority.pem()).unwrap();
    let server = server.require_client_certificates(Roots::from_pem_file(&path).unwrap());
    let client = client.identity(authority.client("ada"));
    let (mut open, mut other) = shake(&client, &server).await;
    tokio::io::AsyncWriteExt::write_all(&mut other, b"x").await.unwrap();
    open.read_u8().await.unwrap();

    std::fs::write(&path, Authority::new("Another CA").pem()).unwrap();
    server.reload().unwrap();
    let (_, refused) = handshake(&client, &server).await;
    assert_eq!(refused.unwrap_err().kind(), TlsErrorKind::UnknownIssuer);
}

#[tokio::test]
async fn a_client_takes_up_its_new_certificate_by_a_reload() {
    let folder = Folder::new();
    let Setting { authority, client: tls, server } = setting();
    let server = server.require_client_certificates(authority.roots());
    let (certificate, key) = authority.sign(&client("old")).write(&folder, "client");
    let tls = tls.identity(Identity::from_pem_files(&certificate, &key).unwrap());
    shake(&tls, &server).await;
    authority.sign(&client("new")).write(&folder, "client");
    tls.reload().unwrap();
    let (_, server) = shake(&tls, &server).await;
    assert_eq!(server.peer().certificates()[0].common_name(), Some("new"));
}

#[tokio::test]
async fn in_tls_1_2_the_client_learns_of_the_refusal_in_the_handshake() {
    let Setting { authority, server, .. } = setting();
    let server = server.require_client_certificates(authority.roots());
    let client = stranger::client(&authority, &[&rustls::version::TLS12]);
    let (left, right) = Connection::pair();
    let (client, server) =
        in_time(async { tokio::join!(client.connect(left), server.accept(right)) }).await;
    assert!(client.unwrap_err().to_string().contains("CertificateRequired"));
    assert_eq!(server.unwrap_err().kind(), TlsErrorKind::NoCertificate);
}
