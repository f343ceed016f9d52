//! The life of a socket: families, kinds, what a failed step leaves behind, and the way to the async types and back.

mod folder;

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use farcall_socket::lifecycle::{Datagram, SeqPacket, Stream};
use farcall_socket::sockaddr::Sockaddr;
use farcall_socket::{
    Address, BindErrorKind, ConnectErrorKind, Connected, Connection, Endpoint, Family, Listener,
    Options, Socket,
};
use folder::Folder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn path_in(folder: &Folder, name: &str) -> Sockaddr {
    folder.file(name).to_str().unwrap().parse().unwrap()
}

/// An abstract name that no other test has.
fn abstract_name(name: &str) -> Sockaddr {
    format!("@farcall-test-{}-{name}", std::process::id()).parse().unwrap()
}

fn hello(address: &Sockaddr) -> (Socket<Connected>, Socket<Connected>) {
    let family = Family::from(address);
    let socket = Socket::stream(family, &Options::default()).unwrap();
    let listening = socket.bind(address).unwrap().listen().unwrap();
    let socket = Socket::stream(family, &Options::default()).unwrap();
    let mut client = socket.connect(&listening.local().unwrap()).unwrap();
    let mut server = listening.accept().unwrap();
    assert!(listening.try_accept().unwrap().is_none());
    server.write_all(b"hello").unwrap();
    let mut text = [0; 5];
    client.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"hello");
    (client, server)
}

#[test]
fn streams_go_over_ipv4_ipv6_paths_and_abstract_names() {
    let folder = Folder::new();
    hello(&"127.0.0.1:0".parse().unwrap());
    if Socket::stream(Family::Ipv6, &Options::default())
        .is_ok_and(|socket| socket.bind(&"[::1]:0".parse().unwrap()).is_ok())
    {
        hello(&"[::1]:0".parse().unwrap());
    } else {
        println!("skipped IPv6: not on this machine");
    }
    let path = path_in(&folder, "x");
    let (client, server) = hello(&path);
    let expected = Address::Unix(folder.file("x").as_path().into());
    assert_eq!(*client.peer().unwrap().address(), expected);
    assert_eq!(*server.peer().unwrap().address(), expected);
    assert!(server.peer().unwrap().credentials().is_some());
    assert!(!folder.file("x").exists(), "the file goes with the listener");

    let name = abstract_name("stream");
    let (client, server) = hello(&name);
    assert_eq!(client.peer().unwrap().address().to_string(), format!("unix://{name}"));
    assert_eq!(server.peer().unwrap().address().to_string(), format!("unix://{name}"));
}

#[test]
fn a_sequence_of_packets_keeps_order_and_borders() {
    let folder = Folder::new();
    for address in [path_in(&folder, "x"), abstract_name("packets")] {
        let options = Options::default();
        let socket = Socket::seqpacket(&options).unwrap();
        let listening = socket.bind(&address).unwrap().listen().unwrap();
        let client = Socket::seqpacket(&options).unwrap().connect(&address).unwrap();
        let server: Socket<Connected, SeqPacket> = listening.accept().unwrap();
        client.send(b"one").unwrap();
        client.send(b"three").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(server.receive(&mut buffer).unwrap(), 3);
        assert_eq!(server.receive(&mut buffer[..2]).unwrap_err().kind(), ErrorKind::InvalidData);
        drop(client);
        assert_eq!(server.receive(&mut buffer).unwrap(), 0);
    }
}

#[test]
fn datagram_sockets_live_without_listening() {
    let folder = Folder::new();
    let options = Options::default();
    for address in
        ["127.0.0.1:0".parse().unwrap(), path_in(&folder, "x"), abstract_name("datagram")]
    {
        let family = Family::from(&address);
        let bound = Socket::datagram(family, &options).unwrap().bind(&address).unwrap();
        let to = bound.local().unwrap();
        let client: Socket<Connected, Datagram> =
            Socket::datagram(family, &options).unwrap().connect(&to).unwrap();
        assert_eq!(client.remote().unwrap(), to);
    }
    let live = Socket::datagram(Family::Unix, &options).unwrap().bind(&path_in(&folder, "d"));
    let again = Socket::datagram(Family::Unix, &options).unwrap().bind(&path_in(&folder, "d"));
    assert_eq!(again.unwrap_err().error().kind(), ErrorKind::AddrInUse);
    drop(live);
    assert!(!folder.file("d").exists());
}

#[test]
fn a_bind_that_fails_gives_the_socket_back() {
    let folder = Folder::new();
    std::fs::write(folder.file("precious"), "").unwrap();
    let wrong: [(Family, Sockaddr, ErrorKind); 4] = [
        (Family::Ipv4, "192.0.2.1:0".parse().unwrap(), ErrorKind::AddrNotAvailable),
        (Family::Ipv4, "[::1]:0".parse().unwrap(), ErrorKind::InvalidInput),
        (Family::Unix, path_in(&folder, "precious"), ErrorKind::AddrInUse),
        (Family::Unix, path_in(&folder, "no/such/folder"), ErrorKind::NotFound),
    ];
    for (family, address, kind) in wrong {
        let socket = Socket::stream(family, &Options::default()).unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&socket);
        let (error, socket) = socket.bind(&address).unwrap_err().into_parts();
        assert_eq!(error.kind(), kind, "{address}: {error}");
        assert_eq!(std::os::fd::AsRawFd::as_raw_fd(&socket), number);
        let right = match family {
            Family::Unix => path_in(&folder, "free"),
            _ => "127.0.0.1:0".parse().unwrap(),
        };
        socket.bind(&right).unwrap().listen().unwrap();
    }
}

#[test]
fn a_unix_client_that_wants_a_name_can_have_one() {
    let folder = Folder::new();
    let options = Options::default();
    let socket = Socket::stream(Family::Unix, &options).unwrap();
    let listening = socket.bind(&path_in(&folder, "server")).unwrap().listen().unwrap();
    let socket = Socket::stream(Family::Unix, &options).unwrap();
    let bound = socket.bind(&path_in(&folder, "client")).unwrap();
    let client = bound.connect(&listening.local().unwrap()).unwrap();
    let server = listening.accept().unwrap();
    assert_eq!(server.remote().unwrap(), path_in(&folder, "client"));
    assert!(folder.file("client").exists());
    drop(client);
    assert!(!folder.file("client").exists());
}

#[test]
fn a_full_unix_queue_is_waited_for_in_vain_and_with_success() {
    let name = abstract_name("queue");
    let options = Options {
        backlog: Some(0),
        connect_timeout: Duration::from_millis(50),
        ..Options::default()
    };
    let socket = Socket::stream(Family::Unix, &options).unwrap();
    let listening = socket.bind(&name).unwrap().listen().unwrap();
    let connect = |options: &Options| Socket::stream(Family::Unix, options).unwrap().connect(&name);
    let _first = connect(&options).unwrap();
    assert_eq!(connect(&options).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(listening.queue().unwrap_err().kind(), ErrorKind::Unsupported);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| connect(&Options::default()).unwrap());
        listening.accept().unwrap();
        listening.accept().unwrap();
        second.join().unwrap();
    });
}

#[tokio::test]
async fn packets_are_accepted_sent_and_received_by_tasks_too() {
    let address = abstract_name("async-packets");
    let options = Options::default();
    let socket = Socket::seqpacket(&options).unwrap();
    let listener = socket.bind(&address).unwrap().listen().unwrap().into_async().unwrap();
    let connect = || Socket::seqpacket(&options).unwrap().connect(&address).unwrap();
    let (client, server) =
        tokio::join!(async { connect().into_async().unwrap() }, listener.accept());
    let server = server.unwrap();
    let mut buffer = [0; 8];
    let (received, sent) = tokio::join!(server.receive(&mut buffer), client.send(b"packet"));
    assert_eq!((received.unwrap(), sent.unwrap()), (6, ()));
    let server = server.into_blocking().unwrap();
    server.send(b"long answer").unwrap();
    let error = client.receive(&mut buffer).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    drop(server);
    assert_eq!(client.receive(&mut buffer).await.unwrap(), 0);
    let listening = listener.into_blocking().unwrap();
    let _client = connect();
    listening.accept().unwrap();
}

#[tokio::test]
async fn blocking_sockets_become_async_ones_and_come_back() {
    let folder = Folder::new();
    for address in ["127.0.0.1:0".parse().unwrap(), path_in(&folder, "x"), abstract_name("both")] {
        let socket = Socket::stream(Family::from(&address), &Options::default()).unwrap();
        let listener = socket.bind(&address).unwrap().listen().unwrap().into_async().unwrap();
        let mut client =
            Connection::connect(listener.endpoint(), &Options::default()).await.unwrap();
        let mut server = listener.accept().await.unwrap().into_blocking().unwrap();
        server.write_all(b"from a thread").unwrap();
        let mut text = [0; 13];
        client.read_exact(&mut text).await.unwrap();
        let peer = server.peer().unwrap();
        let mut server = server.into_async().unwrap();
        assert_eq!(**server.peer(), peer);
        client.write_all(b"to a task").await.unwrap();
        server.read_exact(&mut text[..9]).await.unwrap();

        let endpoint = listener.endpoint().clone();
        let listening = listener.into_blocking().unwrap();
        assert_eq!(listening.endpoint().unwrap(), endpoint);
        let _client = Socket::connected_to(&endpoint, &Options::default()).unwrap();
        listening.accept().unwrap();
    }
    assert!(!folder.file("x").exists());
}

#[tokio::test]
async fn an_abstract_name_is_listened_on_and_connected_to_by_endpoint() {
    let url = format!("unix://{}", abstract_name("endpoint"));
    let endpoint: Endpoint = url.parse().unwrap();
    let listener = Listener::bind(&endpoint, &Options::default()).await.unwrap();
    let client = Connection::connect(&endpoint, &Options::default()).await.unwrap();
    let server = listener.accept().await.unwrap();
    assert_eq!(client.peer().address().to_string(), url);
    let uid = rustix::process::getuid().as_raw();
    assert_eq!(server.peer().credentials().unwrap().uid, uid);
    let error = Listener::bind(&endpoint, &Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), BindErrorKind::InUse);
    drop(listener);
    let error = Connection::connect(&endpoint, &Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::Refused);
}

#[test]
fn without_a_runtime_a_name_is_tried_address_by_address_until_one_answers() {
    let options = Options::default();
    let listening = Socket::listening_at(&"tcp://127.0.0.1:0".parse().unwrap(), &options).unwrap();
    let port = listening.endpoint().unwrap().port().unwrap();
    let endpoint: Endpoint = format!("tcp://localhost:{port}").parse().unwrap();
    let _client = Socket::connected_to(&endpoint, &options).unwrap();
    listening.accept().unwrap();
    drop(listening);
    let error = Socket::connected_to(&endpoint, &options).unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::Refused);
    assert!(error.attempts().iter().all(|attempt| attempt.address.is_some()));
}

#[test]
fn the_two_ends_of_a_pair_are_connected_and_have_no_name() {
    let (mut left, mut right) = Socket::<Connected, Stream>::pair().unwrap();
    left.write_all(b"x").unwrap();
    right.read_exact(&mut [0; 1]).unwrap();
    assert_eq!(left.local().unwrap().to_string(), "(unnamed)");
    assert_eq!(*right.peer().unwrap().address(), Address::Unnamed);
    assert!(left.as_fd().try_clone_to_owned().is_ok());
}
