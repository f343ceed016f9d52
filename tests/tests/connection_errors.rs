//! What an error says of a connection that ended: what was spoken, who ended it, and the peer.

use farcall::{Channel, ChannelConfig, Code, Server};
use farcall_tests::{Probe, ProbeClient, Request, Running, Subject};
use tokio::io::{AsyncWriteExt, copy, copy_bidirectional, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A way to the server that carries one connection and can be cut: the client sees its end.
async fn way_to(server: &str) -> (String, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = server.strip_prefix("tcp://").expect("a server on TCP").to_owned();
    let (cut, is_cut) = oneshot::channel();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(server).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => {}
            _ = is_cut => {}
        }
        client.shutdown().await.unwrap();
        // Unread bytes would make a reset of the orderly end.
        let _ = copy(&mut client, &mut sink()).await;
    });
    (address, cut)
}

/// What the caller is told when the connection ends under the call.
async fn cut_under_a_call(scheme: &str, config: ChannelConfig) -> String {
    let subject = Subject::new();
    let server = Server::new().add(subject.clone().into_service());
    let running = Running::start(server, "tcp://127.0.0.1:0").await;
    let (address, cut) = way_to(&running.endpoint).await;
    let channel = Channel::with_config(format!("{scheme}://{address}"), config).unwrap();
    let hang = Request { hang: true, ..Request::default() };
    let call = tokio::spawn(ProbeClient::new(channel).unary(hang));
    subject.until(|subject| subject.running() == 1).await;
    cut.send(()).unwrap();
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(status.message().contains(&address), "{status}");
    running.stop().await;
    status.message().to_owned()
}

#[tokio::test]
async fn a_lost_call_tells_what_was_spoken_on_its_connection() {
    let http1 = ChannelConfig { http1: true, ..ChannelConfig::default() };
    for (scheme, config, ended) in [
        ("tcp", ChannelConfig::default(), "HTTP/2 connection ended by the peer"),
        ("tcp", http1, "HTTP/1.1 connection ended by the peer"),
        ("ws", ChannelConfig::default(), "WebSocket connection ended by the peer"),
    ] {
        let told = cut_under_a_call(scheme, config).await;
        assert!(told.contains(ended), "{told}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        client.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await.unwrap();
        let _ = copy(&mut client, &mut sink()).await;
    });
    let Err(status) = Channel::connect(&endpoint).await else { panic!("that is no HTTP/2") };
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(status.message().contains("HTTP/2 connection ended here"), "{status}");
    assert!(status.message().contains("SSH"), "{status}");
}
