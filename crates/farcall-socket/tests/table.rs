//! The table of sockets, held against sockets that the test made.

#[allow(dead_code)]
mod folder;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use farcall_socket::Queue;
use farcall_socket::table::{Filter, Kind, Name, Row, Socket, State, Table};
use folder::Folder;
use socket2::{Domain, SockAddr, Type};

const OWN: fn() -> u32 = std::process::id;

/// The ends of each row, as values.
type Ends = (Socket, Option<Socket>);

fn rows(filter: &Filter) -> Vec<Ends> {
    let owned = |row: Row<'_>| (row.socket.clone(), row.other.cloned());
    Table::read(filter).unwrap().rows().map(owned).collect()
}

fn at_port(port: u16) -> Vec<Ends> {
    rows(&Filter { port: Some(port), ..Filter::default() })
}

fn at_path(path: &Path) -> Vec<Ends> {
    let name = Name::Path(path.to_owned());
    let mut rows = rows(&Filter::default());
    rows.retain(|(socket, other)| {
        socket.local == name || other.as_ref().is_some_and(|other| other.local == name)
    });
    rows
}

fn listener_with_backlog(backlog: i32) -> (socket2::Socket, u16) {
    let socket = socket2::Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = ([127, 0, 0, 1], 0).into();
    socket.bind(&any.into()).unwrap();
    socket.listen(backlog).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

/// The kernel moves a connection on in its own time: asks again until it has.
fn eventually(mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(5);
    while !is_so() {
        assert!(Instant::now() < end, "it did not happen");
        std::thread::yield_now();
    }
}

#[test]
fn a_listener_shows_how_many_wait_and_how_many_may() {
    let (listener, port) = listener_with_backlog(2);
    let queue = || {
        let row = rows(&Filter { listening: true, port: Some(port), ..Filter::default() });
        assert_eq!(row.len(), 1);
        assert_eq!(row[0].0.state, State::Listening);
        row[0].0.accept_queue.unwrap()
    };
    assert_eq!(queue().to_string(), "0/2");
    let mut clients = Vec::new();
    for now in 1..=3 {
        clients.push(TcpStream::connect(("127.0.0.1", port)).unwrap());
        eventually(|| (queue().now, queue().max) == (now, 2));
    }
    assert!(queue().is_full());
    let late = ([127, 0, 0, 1], port).into();
    TcpStream::connect_timeout(&late, Duration::from_millis(20)).unwrap_err();
    assert!(queue().dropped > 0);
    assert_eq!(queue(), Queue::of(&listener).unwrap());
    listener.accept().unwrap();
    assert_eq!((queue().now, queue().max), (2, 2));
    assert!(!queue().is_full());
}

#[test]
fn a_connection_is_one_row_with_the_client_first_and_both_descriptors() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"far call").unwrap();
    client.peek(&mut [0; 8]).unwrap();

    let rows = at_port(port);
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(rows[0].0.state, State::Listening);
    let (first, second) = (&rows[1].0, rows[1].1.as_ref().unwrap());
    assert_eq!(first.local, Name::Ip(client.local_addr().unwrap()));
    assert_eq!(second.local, Name::Ip(listener.local_addr().unwrap()));
    assert_eq!((first.state, second.state), (State::Established, State::Established));
    assert_eq!((first.unread, second.unread), (8, 0));
    assert!(first.measured.unwrap().round_trip.is_some());
    for (end, descriptor) in [(first, client.as_raw_fd()), (second, server.as_raw_fd())] {
        let holder = &end.holders[0];
        assert_eq!((holder.pid, holder.descriptor.cast_signed()), (OWN(), descriptor));
    }
}

#[test]
fn a_connection_that_waits_to_be_accepted_is_held_by_nobody() {
    let (listener, port) = listener_with_backlog(5);
    let _client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let server = || at_port(port).into_iter().find_map(|(_, other)| other);
    eventually(|| server().is_some_and(|server| server.state == State::Established));
    assert_eq!(server().unwrap().inode, 0);
    assert_eq!(server().unwrap().holders, []);
    let _accepted = listener.accept().unwrap();
    assert_eq!(server().unwrap().holders.len(), 1);
}

#[test]
fn ipv6_and_a_listener_for_both_families_pair_their_ends() {
    let socket = socket2::Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
    socket.set_only_v6(false).unwrap();
    let any: std::net::SocketAddr = (std::net::Ipv6Addr::UNSPECIFIED, 0).into();
    if socket.bind(&any.into()).is_err() {
        eprintln!("skipped: there is no IPv6 here");
        return;
    }
    socket.listen(5).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    for host in ["127.0.0.1", "::1"] {
        let client = TcpStream::connect((host, port)).unwrap();
        let _server = socket.accept().unwrap();
        let local = Name::Ip(client.local_addr().unwrap());
        let rows = at_port(port);
        let (_, other) = rows.iter().find(|(end, _)| end.local == local).unwrap();
        assert_eq!(other.as_ref().unwrap().remote, Some(local));
    }
}

#[test]
fn each_state_of_a_closing_connection_can_be_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
    for state in [State::FinWait2, State::CloseWait] {
        let filter = Filter { port: Some(port), state: Some(state), ..Filter::default() };
        eventually(|| rows(&filter).len() == 1);
        let (first, second) = rows(&filter).remove(0);
        assert_eq!(first.state, State::FinWait2);
        assert_eq!(second.unwrap().state, State::CloseWait);
    }
    let filter = Filter { port: Some(port), state: Some(State::SynSent), ..Filter::default() };
    assert_eq!(rows(&filter), []);
}

#[test]
fn a_udp_socket_waits_and_a_connected_pair_is_one_row() {
    let waiting = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = waiting.local_addr().unwrap().port();
    let filter = Filter { listening: true, port: Some(port), ..Filter::default() };
    let Some((socket, None)) = rows(&filter).pop() else { panic!("no row for the UDP socket") };
    assert_eq!((socket.kind, socket.state), (Kind::Udp, State::Unconnected));
    assert_eq!(socket.accept_queue, None);

    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    other.connect(waiting.local_addr().unwrap()).unwrap();
    waiting.connect(other.local_addr().unwrap()).unwrap();
    other.send(b"far call").unwrap();
    waiting.peek(&mut [0; 8]).unwrap();
    // The number of a port may be in use by TCP as well, for what other tests do.
    let mut rows = at_port(port);
    rows.retain(|(socket, _)| socket.kind == Kind::Udp);
    assert_eq!(rows.len(), 1, "{rows:#?}");
    let (first, second) = (&rows[0].0, rows[0].1.as_ref().unwrap());
    // The kernel counts a datagram's whole buffer.
    assert!(first.unread.max(second.unread) >= 8);
}

#[test]
fn a_unix_listener_shows_its_queue_and_its_connections_both_ends() {
    let folder = Folder::new();
    let path = folder.file("x");
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(1).unwrap();
    let _clients = [UnixStream::connect(&path).unwrap(), UnixStream::connect(&path).unwrap()];
    let queue = || at_path(&path).into_iter().find_map(|(end, _)| end.accept_queue).unwrap();
    assert_eq!(queue().to_string(), "2/1 (full)");
    assert!(queue().is_full());

    let listener = UnixListener::from(std::os::fd::OwnedFd::from(socket));
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"far call").unwrap();
    let pairs: Vec<_> =
        at_path(&path).into_iter().filter_map(|(end, other)| Some((end, other?))).collect();
    let (client, server) = pairs.iter().find(|(_, server)| !server.holders.is_empty()).unwrap();
    assert_eq!((client.kind, client.unread), (Kind::UnixStream, 8));
    assert_eq!(client.remote, Some(Name::Path(path)));
    assert_eq!((client.holders[0].pid, server.holders[0].pid), (OWN(), OWN()));
}

#[test]
fn unix_datagram_sockets_are_there() {
    let folder = Folder::new();
    let path = folder.file("datagram");
    let _socket = UnixDatagram::bind(&path).unwrap();
    let (socket, other) = at_path(&path).remove(0);
    assert_eq!((socket.kind, socket.state), (Kind::UnixDatagram, State::Unconnected));
    assert!(socket.is_listening());
    assert_eq!(other, None);
}

#[test]
fn a_socket_is_listed_with_every_process_that_has_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // The child gets the socket as its standard input, and ends when it is killed.
    let input = std::os::fd::OwnedFd::from(listener.try_clone().unwrap());
    let mut child = Command::new("sleep").arg("60").stdin(input).spawn().unwrap();
    let pid = child.id();
    let rows = rows(&Filter { pid: Some(pid), ..Filter::default() });
    child.kill().unwrap();
    child.wait().unwrap();
    let (socket, _) = rows.iter().find(|(end, _)| end.local.port() == Some(port)).unwrap();
    let holder = socket.holders.iter().find(|holder| holder.pid == pid).unwrap();
    assert_eq!(holder.descriptor, 0);
    assert!(socket.holders.iter().any(|holder| holder.pid == OWN()));
}
