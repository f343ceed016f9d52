//! What goes through once the handshake is done, and how it ends.

use std::io::{ErrorKind, IoSlice};
use std::time::Duration;

use farcall_socket::{ClientTls, Connection, Listener, Options, ServerTls, TlsError, TlsErrorKind};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::authority::{Authority, in_time, pair, shake};
use crate::stranger;

/// A client and a server over TCP.
async fn over_tcp() -> (Connection, Connection) {
    let (client, server) = pair();
    let options = Options::default();
    let listener = Listener::bind(&"tls://127.0.0.1:0".parse().unwrap(), &options).await.unwrap();
    let left = Connection::connect(listener.endpoint(), &options).await.unwrap();
    let right = listener.accept().await.unwrap();
    let (left, right) =
        in_time(async { tokio::join!(client.connect(left, "localhost"), server.accept(right)) })
            .await;
    (left.unwrap(), right.unwrap())
}

async fn over_memory() -> (Connection, Connection) {
    let (client, server) = pair();
    shake(&client, &server).await
}

/// A number of bytes that a shift by one would change.
fn pattern(count: u32) -> Vec<u8> {
    (0..count).map(|n| (n % 251) as u8).collect()
}

#[test]
fn a_tls_connection_goes_to_any_thread() {
    fn is_sent<T: Send + Sync + Unpin + 'static>() {}
    is_sent::<ClientTls>();
    is_sent::<ServerTls>();
    is_sent::<Connection>();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_bytes_arrive_whole_and_in_order_both_ways_at_once() {
    for (left, right) in [over_tcp().await, over_memory().await] {
        let sent = pattern(3_000_000);
        let mut tasks = Vec::new();
        for end in [left, right] {
            // Four tasks: reading and writing halves wake one another across threads.
            let (mut reader, mut writer) = tokio::io::split(end);
            let bytes = sent.clone();
            let expected = sent.clone();
            tasks.push(tokio::spawn(async move {
                writer.write_all(&bytes).await.unwrap();
                writer.shutdown().await.unwrap();
            }));
            tasks.push(tokio::spawn(async move {
                let mut received = Vec::new();
                reader.read_to_end(&mut received).await.unwrap();
                assert!(received == expected);
            }));
        }
        for task in tasks {
            in_time(task).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_buffer_of_any_size_reads_the_same_bytes() {
    let sent = pattern(50_000);
    for size in [1, 2, 100, 16_384, 100_000] {
        let (mut client, mut server) = over_memory().await;
        let send = async {
            client.write_all(&sent).await.unwrap();
            client.shutdown().await.unwrap();
        };
        let receive = async {
            let (mut received, mut buffer) = (Vec::new(), vec![0; size]);
            loop {
                match server.read(&mut buffer).await.unwrap() {
                    0 => return received,
                    count => received.extend_from_slice(&buffer[..count]),
                }
            }
        };
        let ((), received) = in_time(async { tokio::join!(send, receive) }).await;
        assert!(received == sent, "{size}");
        // An end stays an end.
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn one_read_gives_all_that_has_come() {
    let (mut client, mut server) = over_tcp().await;
    client.write_all(&pattern(40_000)).await.unwrap();
    // The kernel has all of it when this returns: a reader of the socket itself would see it at once.
    let mut buffer = vec![0; 64 * 1024];
    let mut reads = 0;
    let mut count = 0;
    while count < 40_000 {
        count += server.read(&mut buffer).await.unwrap();
        reads += 1;
    }
    assert!(reads <= 3, "{reads} reads for three records");
}

#[tokio::test]
async fn slices_are_joined_into_records() {
    let (mut client, mut server) = over_memory().await;
    assert!(client.is_write_vectored());
    let slices: Vec<_> = [&b"far"[..], b"", b" ", b"call"].map(IoSlice::new).to_vec();
    assert_eq!(client.write_vectored(&slices).await.unwrap(), 8);
    let many = vec![IoSlice::new(b"abc"); 2000];
    let written = client.write_vectored(&many).await.unwrap();
    assert!((3..=6000).contains(&written));
    assert_eq!(client.write(b"").await.unwrap(), 0);
    client.shutdown().await.unwrap();
    let mut received = Vec::new();
    server.read_to_end(&mut received).await.unwrap();
    assert_eq!(&received[..8], b"far call");
    assert_eq!(received.len(), 8 + written);
}

#[tokio::test]
async fn after_a_half_close_the_other_end_can_still_answer() {
    for (mut client, mut server) in [over_tcp().await, over_memory().await] {
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let error = client.write(b"more").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        let mut question = String::new();
        server.read_to_string(&mut question).await.unwrap();
        assert_eq!(question, "question");
        server.write_all(b"answer").await.unwrap();
        server.shutdown().await.unwrap();
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "answer");
    }
}

#[tokio::test]
async fn in_tls_1_2_a_half_close_is_one_too() {
    let authority = Authority::new("Test CA");
    let server = ServerTls::new(authority.server(&["localhost"]));
    let client = stranger::client(&authority, &[&rustls::version::TLS12]);
    let (left, right) = Connection::pair();
    let (client, server) =
        in_time(async { tokio::join!(client.connect(left), server.accept(right)) }).await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let mut question = String::new();
    server.read_to_string(&mut question).await.unwrap();
    server.write_all(b"answer").await.unwrap();
    server.shutdown().await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!((&*question, &*answer), ("question", "answer"));
}

#[tokio::test]
async fn t07_an_end_without_a_close_notify_is_no_end() {
    for (mut client, server) in [over_tcp().await, over_memory().await] {
        let mut server = server;
        server.write_all(b"half an ans").await.unwrap();
        drop(server);
        let mut answer = Vec::new();
        let error = in_time(client.read_to_end(&mut answer)).await.unwrap_err();
        assert_eq!(answer, b"half an ans");
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(TlsError::of(&error).unwrap().kind(), TlsErrorKind::Closed);
        assert!(error.to_string().contains("ended without a close_notify"), "{error}");
        // And stays none.
        assert_eq!(client.read_u8().await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}

#[tokio::test]
async fn a_writer_waits_for_a_reader_that_does_not_read() {
    let (mut client, mut server) = over_memory().await;
    let chunk = vec![7; 64 * 1024];
    let mut written = 0_u64;
    let send = async {
        loop {
            written += client.write(&chunk).await.unwrap() as u64;
        }
    };
    assert!(tokio::time::timeout(Duration::from_millis(30), send).await.is_err());
    // What the pipe holds and what one write may leave behind, encrypted.
    assert!(written <= 3 * 64 * 1024, "{written}");
    let finish = async {
        client.shutdown().await.unwrap();
    };
    let mut sink = tokio::io::sink();
    let read = tokio::io::copy(&mut server, &mut sink);
    let ((), read) = in_time(async { tokio::join!(finish, read) }).await;
    assert_eq!(read.unwrap(), written);
}

#[tokio::test]
async fn what_a_write_left_behind_is_sent_by_a_read() {
    let (mut client, mut server) = over_memory().await;
    // More ciphertext than the pipe holds: the write returns, and a rest stays.
    let count = client.write(&pattern(64 * 1024)).await.unwrap();
    let receive = async {
        let mut received = vec![0; count];
        server.read_exact(&mut received).await.unwrap();
        server.write_u8(1).await.unwrap();
        received
    };
    // Neither a write nor a flush follows.
    let (received, answer) = in_time(async { tokio::join!(receive, client.read_u8()) }).await;
    assert!(received == pattern(64 * 1024));
    assert_eq!(answer.unwrap(), 1);
}

#[tokio::test]
async fn a_writer_is_woken_though_a_reader_asked_the_transport_last() {
    let (client, mut server) = over_memory().await;
    let (mut reader, mut writer) = tokio::io::split(client);
    let sent = pattern(1_000_000);
    let bytes = sent.clone();
    let write = tokio::spawn(async move {
        writer.write_all(&bytes).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    tokio::task::yield_now().await;
    // Reads that are given up again and again, each of which polls the transport with a waker of its own.
    for _ in 0..3 {
        let read = tokio::time::timeout(Duration::from_millis(1), reader.read_u8()).await;
        assert!(read.is_err());
    }
    let mut received = Vec::new();
    in_time(server.read_to_end(&mut received)).await.unwrap();
    in_time(write).await.unwrap();
    assert!(received == sent);
}

#[tokio::test]
async fn new_keys_on_the_way_change_nothing() {
    let authority = Authority::new("Test CA");
    let server = ServerTls::new(authority.server(&["localhost"]));
    let client = stranger::client(&authority, rustls::ALL_VERSIONS);
    let (left, right) = Connection::pair();
    let (client, server) =
        in_time(async { tokio::join!(client.connect(left), server.accept(right)) }).await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    for round in 0..20_u8 {
        client.get_mut().1.refresh_traffic_keys().unwrap();
        client.write_all(&[round]).await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), round);
        server.write_u8(round).await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), round);
    }
}

#[tokio::test]
async fn t08_a_flood_of_new_keys_ends_the_connection() {
    let authority = Authority::new("Test CA");
    let server = ServerTls::new(authority.server(&["localhost"]));
    let client = stranger::client(&authority, rustls::ALL_VERSIONS);
    let (left, right) = Connection::pair();
    let (client, server) =
        in_time(async { tokio::join!(client.connect(left), server.accept(right)) }).await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    for _ in 0..100 {
        client.get_mut().1.refresh_traffic_keys().unwrap();
    }
    client.flush().await.unwrap();
    let error = in_time(server.read_u8()).await.unwrap_err();
    let cause = TlsError::of(&error).unwrap();
    assert_eq!(cause.kind(), TlsErrorKind::Protocol, "{cause}");
    assert!(cause.to_string().contains("the client broke the rules of TLS"), "{cause}");
    // Nothing more is encrypted for such a peer.
    assert_eq!(server.write(b"x").await.unwrap_err().kind(), ErrorKind::InvalidData);
}

#[tokio::test]
async fn a_changed_byte_is_an_error_and_the_bytes_before_it_arrive() {
    let (client, server) = pair();
    let (left, middle_left) = Connection::pair();
    let (middle_right, right) = Connection::pair();
    let (mut left_in, mut left_out) = tokio::io::split(middle_left);
    let (mut right_in, mut right_out) = tokio::io::split(middle_right);
    let back = tokio::spawn(async move { tokio::io::copy(&mut right_in, &mut left_out).await });
    let shaking = async { tokio::join!(client.connect(left, "localhost"), server.accept(right)) };
    let mut buffer = vec![0; 16 * 1024];
    let forwarding = async {
        loop {
            let count = left_in.read(&mut buffer).await.unwrap();
            right_out.write_all(&buffer[..count]).await.unwrap();
        }
    };
    let (client, server) = tokio::select! {
        ends = in_time(shaking) => ends,
        () = forwarding => unreachable!(),
    };
    let (mut client, mut server) = (client.unwrap(), server.unwrap());

    client.write_all(b"good").await.unwrap();
    client.write_all(b"evil").await.unwrap();
    client.flush().await.unwrap();
    let mut records = Vec::new();
    while records.len() < 2 * (5 + 4 + 1 + 16) {
        left_in.read_buf(&mut records).await.unwrap();
    }
    *records.last_mut().unwrap() ^= 1;
    right_out.write_all(&records).await.unwrap();

    let mut received = Vec::new();
    let error = in_time(server.read_to_end(&mut received)).await.unwrap_err();
    assert_eq!(received, b"good");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.to_string().contains("a record cannot be decrypted"), "{error}");
    back.abort();
}

#[tokio::test]
async fn tls_goes_through_tls() {
    let (client, server) = pair();
    let (left, right) = shake(&client, &server).await;
    let (left, right) =
        in_time(async { tokio::join!(client.connect(left, "localhost"), server.accept(right)) })
            .await;
    let (mut left, mut right) = (left.unwrap(), right.unwrap());
    let sent = pattern(500_000);
    let send = async {
        left.write_all(&sent).await.unwrap();
        left.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let ((), result) =
        in_time(async { tokio::join!(send, right.read_to_end(&mut received)) }).await;
    result.unwrap();
    assert!(received == sent);
}
