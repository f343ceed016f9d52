//! Datagrams over UDP and Unix sockets: single calls, batches, broadcast and multicast.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread;
use std::time::Duration;

use farcall_socket::sockaddr::Sockaddr;
use farcall_socket::{
    BindErrorKind, ConnectErrorKind, DatagramBatch, DatagramSocket, DatagramTooLong,
};
use farcall_socket::{Endpoint, Options};
use proptest::collection::vec;
use proptest::prelude::*;
use socket2::SockRef;
use tokio::time::timeout;

mod folder;
use folder::Folder;

fn endpoint(url: &str) -> Endpoint {
    url.parse().unwrap()
}

async fn bind(url: &str) -> DatagramSocket {
    DatagramSocket::bind(&endpoint(url), &Options::default()).await.unwrap()
}

async fn local() -> DatagramSocket {
    bind("udp://127.0.0.1:0").await
}

fn port(socket: &DatagramSocket) -> u16 {
    socket.local().unwrap().socket_address().unwrap().port()
}

async fn receive(socket: &DatagramSocket) -> (Vec<u8>, Sockaddr) {
    let mut buffer = vec![0; 65_536];
    let waiting = timeout(Duration::from_secs(10), socket.receive(&mut buffer));
    let received = waiting.await.expect("no datagram came").unwrap();
    (buffer[..received.length].to_vec(), received.from)
}

#[tokio::test]
async fn a_datagram_says_who_sent_it_and_can_be_answered() {
    let (server, client) = (local().await, local().await);
    client.send_to(b"question", &server.local().unwrap()).await.unwrap();
    let (question, from) = receive(&server).await;
    assert_eq!((&question[..], from), (&b"question"[..], client.local().unwrap()));
    server.send_to(b"answer", &from).await.unwrap();
    assert_eq!(receive(&client).await, (b"answer".to_vec(), server.local().unwrap()));
}

#[tokio::test]
async fn a_connected_socket_hears_only_its_other_end() {
    let (server, stranger) = (local().await, local().await);
    let url = format!("udp://127.0.0.1:{}", port(&server));
    let client = DatagramSocket::connect(&endpoint(&url), &Options::default()).await.unwrap();
    assert_eq!(client.remote().unwrap(), server.local().unwrap());
    client.send(b"here").await.unwrap();
    let (_, from) = receive(&server).await;
    stranger.send_to(b"no", &from).await.unwrap();
    server.send_to(b"yes", &from).await.unwrap();
    assert_eq!(receive(&client).await.0, b"yes");
}

#[tokio::test]
async fn nobody_at_the_other_end_shows_as_refused_on_a_connected_socket() {
    let gone = local().await.local().unwrap();
    let client = local().await.connect_to(&gone).unwrap();
    client.send(b"anybody").await.unwrap();
    let mut buffer = [0; 8];
    let waiting = timeout(Duration::from_secs(10), client.receive(&mut buffer));
    let error = waiting.await.expect("no error came").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_taken_port_is_in_use_and_an_unknown_name_unresolved() {
    let first = local().await;
    let url = format!("udp://127.0.0.1:{}", port(&first));
    let error = DatagramSocket::bind(&endpoint(&url), &Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), BindErrorKind::InUse);
    let unknown = endpoint("udp://no-such-name.invalid:1");
    let error = DatagramSocket::connect(&unknown, &Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::Unresolved);
    let error = DatagramSocket::bind(&endpoint("tcp://127.0.0.1:0"), &Options::default()).await;
    assert_eq!(error.unwrap_err().kind(), BindErrorKind::Unsupported);
}

#[tokio::test]
async fn a_datagram_longer_than_the_buffer_is_an_error_and_the_next_one_is_whole() {
    let (server, client) = (local().await, local().await);
    let to = server.local().unwrap();
    client.send_to(b"too long", &to).await.unwrap();
    client.send_to(b"fits", &to).await.unwrap();
    let error = server.receive(&mut [0; 4]).await.unwrap_err();
    let inner = error.get_ref().unwrap().downcast_ref::<DatagramTooLong>().unwrap();
    assert_eq!(*inner, DatagramTooLong { length: 8, room: 4 });
    assert_eq!(receive(&server).await.0, b"fits");
}

#[test]
fn the_same_calls_block_a_program_without_a_runtime() {
    let anywhere = endpoint("udp://127.0.0.1:0");
    let server = DatagramSocket::bind_blocking(&anywhere, &Options::default()).unwrap();
    let to = server.local().unwrap();
    let answering = thread::spawn(move || {
        let mut buffer = [0; 16];
        let received = server.blocking().receive(&mut buffer).unwrap();
        server.blocking().send_to(&buffer[..received.length], &received.from).unwrap();
    });
    let url = format!("udp://{to}");
    let client = DatagramSocket::connect_blocking(&endpoint(&url), &Options::default()).unwrap();
    client.blocking().send(b"echo").unwrap();
    let mut buffer = [0; 16];
    let received = client.blocking().receive(&mut buffer).unwrap();
    assert_eq!(&buffer[..received.length], b"echo");
    answering.join().unwrap();
}

#[tokio::test]
async fn ipv6_has_datagrams_too() {
    let options = Options::default();
    let Ok(server) = DatagramSocket::bind(&endpoint("udp://[::1]:0"), &options).await else {
        return eprintln!("skipped: this machine has no IPv6");
    };
    let client = bind("udp://[::1]:0").await;
    client.send_to(b"six", &server.local().unwrap()).await.unwrap();
    assert_eq!(receive(&server).await, (b"six".to_vec(), client.local().unwrap()));
}

#[tokio::test]
async fn a_broadcast_needs_the_option() {
    let receiver = bind("udp://0.0.0.0:0").await;
    let everybody: SocketAddr = ([127, 255, 255, 255], port(&receiver)).into();
    let error = local().await.send_to(b"all", &everybody.into()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    let allowed = bind("udp://127.0.0.1:0?broadcast=1").await;
    allowed.send_to(b"all", &everybody.into()).await.unwrap();
    assert_eq!(receive(&receiver).await.0, b"all");
}

#[tokio::test]
async fn members_of_a_multicast_group_all_get_a_copy_and_others_none() {
    let group = "239.255.77.77";
    let options = |url: &str| endpoint(&format!("{url}?groups={group}&device=lo"));
    let default = Options::default();
    let Ok(one) = DatagramSocket::bind(&options("udp://0.0.0.0:0"), &default).await else {
        return eprintln!("skipped: no multicast on the loopback device here");
    };
    let two = options(&format!("udp://0.0.0.0:{}", port(&one)));
    let two = DatagramSocket::bind(&two, &default).await.unwrap();
    let to: SocketAddr = format!("{group}:{}", port(&one)).parse().unwrap();
    let sender = bind("udp://127.0.0.1:0?device=lo").await;
    if let Err(error) = sender.send_to(b"members", &to.into()).await {
        return eprintln!("skipped: no route for multicast here: {error}");
    }
    assert_eq!(receive(&one).await.0, b"members");
    assert_eq!(receive(&two).await.0, b"members");

    // Loopback delivers in order: what comes first after leaving is not the group's.
    two.leave(group.parse().unwrap(), 1).unwrap();
    sender.send_to(b"one only", &to.into()).await.unwrap();
    let direct = SocketAddr::from((Ipv4Addr::LOCALHOST, port(&two)));
    assert_eq!(receive(&one).await.0, b"one only");
    drop(one);
    sender.send_to(b"direct", &direct.into()).await.unwrap();
    assert_eq!(receive(&two).await.0, b"direct");
}

#[tokio::test]
async fn options_of_the_query_reach_the_socket() {
    let url = "udp://127.0.0.1:0?broadcast=1&hops=7&loop=0&rcvbuf=100000";
    let socket = bind(url).await;
    let socket = SockRef::from(&socket);
    assert!(socket.broadcast().unwrap());
    assert_eq!(socket.multicast_ttl_v4().unwrap(), 7);
    assert!(!socket.multicast_loop_v4().unwrap());
    assert_eq!(socket.recv_buffer_size().unwrap(), 200_000);
    assert_eq!(endpoint(url).to_string(), url);
    assert!("udp://127.0.0.1:1?groups=10.0.0.1".parse::<Endpoint>().is_err());
    let groups = endpoint("udp://[::]:1?groups=239.1.2.3,ff02::77").options(&Options::default());
    let expected: [IpAddr; 2] = ["239.1.2.3".parse().unwrap(), "ff02::77".parse().unwrap()];
    assert_eq!(groups.groups, expected);
    assert_eq!(groups.to_string(), "groups=239.1.2.3,ff02::77");
}

#[tokio::test]
async fn unix_datagrams_have_paths_and_names_and_know_their_sender() {
    let folder = Folder::new();
    let path = folder.file("server");
    let server = DatagramSocket::bind(&folder::endpoint(&path), &Options::default()).await.unwrap();
    let name = format!("unix://@farcall-datagrams-{}", std::process::id());
    let client = bind(&name).await.connect_to(&server.local().unwrap()).unwrap();
    client.send(b"from a name").await.unwrap();
    let (text, from) = receive(&server).await;
    assert_eq!(text, b"from a name");
    assert_eq!(format!("unix://{from}"), name);
    server.send_to(b"back", &from).await.unwrap();
    assert_eq!(receive(&client).await.1, server.local().unwrap());

    let nameless = DatagramSocket::connect(&folder::endpoint(&path), &Options::default()).await;
    nameless.unwrap().send(b"").await.unwrap();
    let (empty, from) = receive(&server).await;
    assert_eq!((empty.len(), from.to_string().as_str()), (0, "(unnamed)"));
    assert!(server.send_to(b"?", &from).await.is_err());

    drop(server);
    assert!(!path.exists());
    let error = DatagramSocket::connect(&folder::endpoint(&path), &Options::default()).await;
    assert_eq!(error.unwrap_err().kind(), ConnectErrorKind::NotFound);
}

#[tokio::test]
async fn a_full_unix_receiver_is_waited_for_connected_or_not() {
    let name = |end: &str| format!("unix://@farcall-full-{end}-{}", std::process::id());
    let server = bind(&name("server")).await;
    let to = server.local().unwrap();
    let connected = bind(&name("one")).await.connect_to(&to).unwrap();
    let loose = bind(&name("two")).await;
    let mut batch = bind(&name("three")).await.batched();
    let sending = tokio::spawn(async move {
        for number in 0..300_u32 {
            connected.send(&number.to_be_bytes()).await.unwrap();
        }
        for number in 300..600_u32 {
            loose.send_to(&number.to_be_bytes(), &to).await.unwrap();
        }
        for number in 600..900_u32 {
            batch.send_to(&number.to_be_bytes(), &to).await.unwrap();
        }
        batch.flush().await.unwrap();
        loose
    });
    for number in 0..900_u32 {
        assert_eq!(receive(&server).await.0, number.to_be_bytes());
    }
    let loose = sending.await.unwrap();
    let sending = thread::spawn(move || {
        for number in 0..300_u32 {
            loose.blocking().send_to(&number.to_be_bytes(), &to).unwrap();
        }
    });
    for number in 0..300_u32 {
        let mut buffer = [0; 4];
        server.blocking().receive(&mut buffer).unwrap();
        assert_eq!(buffer, number.to_be_bytes());
    }
    sending.join().unwrap();
}

/// Sends all and receives all, in portions that fit the receive buffer.
async fn through(client: &mut DatagramBatch, server: &mut DatagramBatch, all: &[Vec<u8>]) {
    let to = server.get_ref().local().unwrap();
    let mut buffer = vec![0; 65_536];
    for portion in all.chunks(8) {
        for datagram in portion {
            client.send_to(datagram, &to).await.unwrap();
        }
        client.flush().await.unwrap();
        for datagram in portion {
            let waiting = timeout(Duration::from_secs(10), server.receive(&mut buffer));
            let received = waiting.await.expect("a datagram is missing").unwrap();
            assert_eq!(&buffer[..received.length], &datagram[..]);
            assert_eq!(received.from, client.get_ref().local().unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Runs of equal lengths are joined by the kernel, and lengths up to the longest; nobody sees a difference.
    #[test]
    fn a_batch_keeps_every_border_and_the_order(
        runs in vec((prop_oneof![0usize..20, Just(1200), 1400usize..9000], 1usize..12, 0usize..1400), 1..8),
    ) {
        let mut all = Vec::new();
        for (index, (length, count, last)) in runs.into_iter().enumerate() {
            all.extend((0..count).map(|number| vec![(index * 16 + number) as u8; length]));
            all.push(vec![0xff; last.min(length)]);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut client, mut server) = (local().await.batched(), local().await.batched());
            through(&mut client, &mut server, &all).await;
        });
    }
}

#[tokio::test]
async fn a_batch_over_unix_sockets_is_the_same() {
    let name = |end: &str| format!("unix://@farcall-batch-{end}-{}", std::process::id());
    let mut client = bind(&name("client")).await.batched();
    let mut server = bind(&name("server")).await.batched();
    let all: Vec<_> = (0..100_u8).map(|number| vec![number; usize::from(number)]).collect();
    through(&mut client, &mut server, &all).await;
}

#[tokio::test]
async fn a_question_is_out_before_its_answer_is_waited_for() {
    let (server, client) = (local().await, local().await);
    let mut client = client.connect_to(&server.local().unwrap()).unwrap().batched();
    client.send(b"question").await.unwrap();
    let mut buffer = [0; 16];
    let (answer, ()) = tokio::join!(client.receive(&mut buffer), async {
        let (question, from) = receive(&server).await;
        server.send_to(&question, &from).await.unwrap();
    });
    assert_eq!(answer.unwrap().length, 8);
}

#[test]
fn a_batch_blocks_a_program_without_a_runtime_and_sends_when_dropped() {
    let anywhere = endpoint("udp://127.0.0.1:0");
    let bind = || DatagramSocket::bind_blocking(&anywhere, &Options::default()).unwrap().batched();
    let (mut server, mut client) = (bind(), bind());
    let to = server.get_ref().local().unwrap();
    for number in 0..40_u8 {
        client.blocking().send_to(&[number; 100], &to).unwrap();
    }
    drop(client);
    for number in 0..40_u8 {
        let mut buffer = [0; 200];
        assert_eq!(server.blocking().receive(&mut buffer).unwrap().length, 100);
        assert_eq!(buffer[..100], [number; 100]);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_dropped_from_the_batch_and_the_rest_leaves() {
    let (server, client) = (local().await, local().await);
    let to = server.local().unwrap();
    let forbidden: Sockaddr = SocketAddr::from(([127, 255, 255, 255], 9)).into();
    let mut client = client.batched();
    let error = client.send_to(&vec![0; 65_508], &to).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    client.send_to(b"one", &to).await.unwrap();
    client.send_to(b"everybody", &forbidden).await.unwrap();
    client.send_to(b"two", &to).await.unwrap();
    assert_eq!(client.flush().await.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    client.flush().await.unwrap();
    assert_eq!(receive(&server).await.0, b"one");
    assert_eq!(receive(&server).await.0, b"two");
}
