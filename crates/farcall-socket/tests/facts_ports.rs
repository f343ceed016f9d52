//! Facts about addresses and ports, on loopback: each test is named after the sentence that it proves.

use std::io::ErrorKind;
use std::net::SocketAddr;

use farcall_socket::sockaddr::Sockaddr;
use farcall_socket::{Connected, Family, Listening, Options, Socket};

fn loopback() -> Sockaddr {
    "127.0.0.1:0".parse().unwrap()
}

fn open(options: &Options) -> Socket<farcall_socket::Unbound> {
    Socket::stream(Family::Ipv4, options).unwrap()
}

fn listen() -> Socket<Listening> {
    open(&Options::default()).bind(&loopback()).unwrap().listen().unwrap()
}

fn connect(listening: &Socket<Listening>) -> Socket<Connected> {
    open(&Options::default()).connect(&listening.local().unwrap()).unwrap()
}

fn address(name: Sockaddr) -> SocketAddr {
    name.socket_address().unwrap()
}

#[test]
fn a_second_bind_to_a_taken_port_says_address_in_use() {
    let listening = listen();
    let taken = listening.local().unwrap();
    let (error, socket) = open(&Options::default()).bind(&taken).unwrap_err().into_parts();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);

    // The socket came back, and the same port of another address of this machine is free.
    let port = address(taken).port();
    let other = SocketAddr::from(([127, 0, 0, 2], port));
    let bound = socket.bind(&other.into()).unwrap();
    assert_eq!(address(bound.local().unwrap()), other);
}

#[test]
fn a_second_bind_is_refused_also_between_bind_and_listen() {
    let options = Options { reuse_address: false, ..Options::default() };
    let bound = open(&options).bind(&loopback()).unwrap();
    let error = open(&options).bind(&bound.local().unwrap()).unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::AddrInUse);
}

#[test]
fn of_two_bound_to_a_port_by_reuse_address_only_the_first_to_listen_does() {
    let first = open(&Options::default()).bind(&loopback()).unwrap();
    let second = open(&Options::default()).bind(&first.local().unwrap()).unwrap();
    let listening = first.listen().unwrap();
    let (error, second) = second.listen().unwrap_err().into_parts();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    drop(listening);
    second.listen().unwrap();
}

#[test]
fn with_reuse_port_several_listen_on_one_port() {
    let options = Options { reuse_port: true, ..Options::default() };
    let first = open(&options).bind(&loopback()).unwrap().listen().unwrap();
    let second = open(&options).bind(&first.local().unwrap()).unwrap().listen().unwrap();
    assert_eq!(first.local().unwrap(), second.local().unwrap());
    let _clients: Vec<_> = (0..20).map(|_| connect(&first)).collect();
    let waiting = first.queue().unwrap().now + second.queue().unwrap().now;
    assert_eq!(waiting, 20);
}

#[test]
fn an_accepted_connection_has_the_listeners_port_and_the_four_tuple_tells_them_apart() {
    let listening = listen();
    let clients: Vec<_> = (0..3).map(|_| connect(&listening)).collect();
    let servers: Vec<_> = (0..3).map(|_| listening.accept().unwrap()).collect();
    let mut tuples = Vec::new();
    for (client, server) in clients.iter().zip(&servers) {
        assert_eq!(server.local().unwrap(), listening.local().unwrap());
        assert_eq!(server.remote().unwrap(), client.local().unwrap());
        assert_eq!(client.remote().unwrap(), listening.local().unwrap());
        tuples.push((server.local().unwrap().to_string(), server.remote().unwrap().to_string()));
    }
    tuples.sort();
    tuples.dedup();
    assert_eq!(tuples.len(), 3);
}

#[test]
fn an_unbound_client_gets_an_ephemeral_port_and_two_clients_different_ones() {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
    let mut range = range.split_whitespace().map(|port| port.parse::<u16>().unwrap());
    let (first, last) = (range.next().unwrap(), range.next().unwrap());

    let listening = listen();
    let unbound = open(&Options::default());
    assert_eq!(unbound.local().unwrap().to_string(), "0.0.0.0:0");
    let one = unbound.connect(&listening.local().unwrap()).unwrap();
    let two = connect(&listening);
    let ports = [one, two].map(|client| address(client.local().unwrap()).port());
    assert_ne!(ports[0], ports[1]);
    assert!(ports.iter().all(|port| (first..=last).contains(port)), "{ports:?}");
}

#[test]
fn a_client_that_wants_a_certain_local_address_can_have_it() {
    let listening = listen();
    let wanted: SocketAddr = "127.0.0.9:0".parse().unwrap();

    let bound = open(&Options::default()).bind(&wanted.into()).unwrap();
    let port = address(bound.local().unwrap()).port();
    let client = bound.connect(&listening.local().unwrap()).unwrap();
    let expected = SocketAddr::new(wanted.ip(), port);
    assert_eq!(address(client.local().unwrap()), expected);
    assert_eq!(address(listening.accept().unwrap().remote().unwrap()), expected);

    let options = Options { local: Some(wanted), ..Options::default() };
    let client = open(&options).connect(&listening.local().unwrap()).unwrap();
    assert_eq!(address(client.local().unwrap()).ip(), wanted.ip());
    assert_ne!(address(client.local().unwrap()).port(), 0);
}

#[test]
fn a_port_under_1024_needs_the_privilege() {
    let first_free = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let first_free = std::fs::read_to_string(first_free).unwrap();
    let first_free: u16 = first_free.trim().parse().unwrap();
    if first_free <= 87 {
        println!("skipped: on this machine everybody may use ports from {first_free} on");
        return;
    }
    // The kernel keeps users and their rights per thread; only this one becomes nobody, and it ends here.
    let bind = || {
        let nobody = rustix::thread::Uid::from_raw(65534);
        if rustix::process::geteuid().is_root() {
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        let port = |port| {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            open(&Options::default()).bind(&address.into()).map_err(std::io::Error::from)
        };
        assert_eq!(port(87).unwrap_err().kind(), ErrorKind::PermissionDenied);
        port(0).unwrap();
    };
    std::thread::spawn(bind).join().unwrap();
}
