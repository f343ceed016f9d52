//! What every connection does, whatever its transport.

mod folder;

use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;

use bytes::Bytes;
use farcall_socket::{Address, Connection, Endpoint, Listener, Options, Peer};
use folder::{Folder, endpoint};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Calls `test` with the two ends of a connection of each transport.
async fn with_each_transport<F: AsyncFn(Connection, Connection)>(name: &str, test: F) {
    let folder = Folder::new();
    let endpoints: [Endpoint; 3] = [
        "tcp://127.0.0.1:0".parse().unwrap(),
        endpoint(&folder.file(name)),
        format!("mem://{name}").parse().unwrap(),
    ];
    for endpoint in endpoints {
        let options = Options::default();
        let listener = Listener::bind(&endpoint, &options).await.unwrap();
        let client = Connection::connect(listener.endpoint(), &options).await.unwrap();
        let server = listener.accept().await.unwrap();
        test(client, server).await;
    }
    let (left, right) = Connection::pair();
    test(left, right).await;
}

#[test]
fn connections_and_listeners_go_to_any_thread() {
    fn is_sent<T: Send + Sync + Unpin + 'static>() {}
    fn is_pipe<T: AsyncRead + AsyncWrite>() {}
    is_sent::<Connection>();
    is_sent::<Listener>();
    is_pipe::<Connection>();
}

#[tokio::test]
async fn many_bytes_arrive_whole_and_in_order_while_others_go_back() {
    with_each_transport("many", async |client, server| {
        let sent: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        let (mut client_in, mut client_out) = tokio::io::split(client);
        let (mut server_in, mut server_out) = tokio::io::split(server);
        let mut received = Vec::new();
        let echo = async {
            tokio::io::copy(&mut server_in, &mut server_out).await.unwrap();
            server_out.shutdown().await.unwrap();
        };
        let send = async {
            client_out.write_all(&sent).await.unwrap();
            client_out.shutdown().await.unwrap();
        };
        let receive = client_in.read_to_end(&mut received);
        let ((), (), result) = tokio::join!(echo, send, receive);
        result.unwrap();
        assert!(received == sent);
    })
    .await;
}

#[tokio::test]
async fn after_a_half_close_the_other_end_can_still_answer() {
    with_each_transport("half", async |mut client, mut server| {
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = String::new();
        server.read_to_string(&mut question).await.unwrap();
        assert_eq!(question, "question");
        server.write_all(b"answer").await.unwrap();
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "answer");
    })
    .await;
}

#[tokio::test]
async fn many_slices_go_out_with_few_writes() {
    with_each_transport("slices", async |mut client, mut server| {
        assert!(client.is_write_vectored());
        let slices = vec![IoSlice::new(b"abc"); 2000];
        let written = client.write_vectored(&slices).await.unwrap();
        assert!((3..=6000).contains(&written));
        client.shutdown().await.unwrap();
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        assert_eq!(received.len(), written);
        assert!(received.chunks(3).all(|chunk| b"abc".starts_with(chunk)));
    })
    .await;
}

#[tokio::test]
async fn a_writer_waits_for_a_reader_that_does_not_read() {
    with_each_transport("waits", async |mut client, mut server| {
        let chunk = vec![7; 64 * 1024];
        let mut written = 0_u64;
        let send = async {
            loop {
                written += client.write(&chunk).await.unwrap() as u64;
            }
        };
        let waited = std::time::Duration::from_millis(30);
        assert!(tokio::time::timeout(waited, send).await.is_err());
        drop(client);
        let read = tokio::io::copy(&mut server, &mut tokio::io::sink()).await.unwrap();
        assert_eq!(read, written);
    })
    .await;
}

#[tokio::test]
async fn l16_writing_to_an_end_that_is_gone_is_an_error_and_not_a_signal() {
    with_each_transport("gone", async |mut client, server| {
        drop(server);
        let error = loop {
            // TCP learns of it with the answer to the first write.
            if let Err(error) = client.write_vectored(&[IoSlice::new(b"x")]).await {
                break error;
            }
            tokio::task::yield_now().await;
        };
        let kinds = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
        assert!(kinds.contains(&error.kind()), "{error}");
        let error = client.write(b"x").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    })
    .await;
}

#[tokio::test]
async fn a_stream_of_somebody_elses_making_is_a_connection_like_any_other() {
    let (left, right) = tokio::io::duplex(1024);
    let peer = Arc::new(Peer::from(Address::Unnamed));
    let [mut client, mut server] = [
        Connection::from_stream(left, peer.clone()),
        Connection::from_stream(tokio::io::BufWriter::new(right), peer.clone()),
    ];
    assert_eq!(client.peer(), &peer);
    assert!(client.descriptor().is_none());
    assert_eq!(client.local().unwrap(), Address::Unnamed);
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let mut question = String::new();
    server.read_to_string(&mut question).await.unwrap();
    assert_eq!(question, "question");
    // This one keeps what was written until it is flushed.
    server.write_all(b"answer").await.unwrap();
    server.flush().await.unwrap();
    let mut answer = [0; 6];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"answer");
    assert_eq!(client.into_blocking().unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn bytes_that_were_put_back_are_read_before_all_others() {
    with_each_transport("unread", async |mut client, mut server| {
        client.write_all(b"method and path, and a body").await.unwrap();
        client.shutdown().await.unwrap();
        let mut first = [0; 10];
        server.read_exact(&mut first).await.unwrap();
        server.unread(Bytes::copy_from_slice(&first[7..]));
        server.unread(Bytes::copy_from_slice(&first[..7]));
        server.unread(Bytes::new());
        let mut small = [0; 2];
        assert_eq!(server.read(&mut small).await.unwrap(), 2);
        assert_eq!(&small, b"me");
        let mut rest = String::new();
        server.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "thod and path, and a body");
    })
    .await;
}

#[tokio::test]
async fn a_socket_does_not_leave_bytes_behind_that_were_put_back() {
    let folder = Folder::new();
    for endpoint in ["tcp://127.0.0.1:0".parse().unwrap(), endpoint(&folder.file("unread"))] {
        let options = Options::default();
        let listener = Listener::bind(&endpoint, &options).await.unwrap();
        let _client = Connection::connect(listener.endpoint(), &options).await.unwrap();
        let mut server = listener.accept().await.unwrap();
        server.unread(Bytes::from_static(b"x"));
        let mut buffer = [0; 8];
        let error = server.receive_descriptors(&mut buffer, 0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let error = server.into_blocking().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("put back"), "{error}");
    }
}
