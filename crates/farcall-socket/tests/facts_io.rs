//! What the textbook says about reading, writing and closing, as the kernel does it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use farcall_socket::robust::blocking::{connect, wait_connected};
use farcall_socket::sockaddr::{Sockaddr, SockaddrView};
use farcall_socket::{Connected, Family, Options, Socket};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// Two ends of a TCP connection over loopback.
fn pair() -> (Socket<Connected>, Socket<Connected>) {
    let open = || Socket::stream(Family::Ipv4, &Options::default()).unwrap();
    let address: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listening = open().bind(&address.into()).unwrap().listen().unwrap();
    let client = open().connect(&listening.local().unwrap()).unwrap();
    (client, listening.accept().unwrap())
}

#[test]
fn seeking_fails_with_espipe() {
    let (client, _server) = pair();
    let seek = rustix::fs::seek(&client, rustix::fs::SeekFrom::Start(0));
    assert_eq!(seek.unwrap_err(), Errno::SPIPE);
    let (unix, _other) = Socket::<Connected>::pair().unwrap();
    let seek = rustix::fs::seek(&unix, rustix::fs::SeekFrom::Current(1));
    assert_eq!(seek.unwrap_err(), Errno::SPIPE);
}

#[test]
fn closing_with_unread_input_resets_the_peer() {
    let (mut client, mut server) = pair();
    client.write_all(b"nobody reads this").unwrap();
    let mut first = [0; 1];
    server.read_exact(&mut first).unwrap();
    drop(server);
    let error = client.read(&mut first).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn closing_after_all_was_read_ends_the_peers_reads_in_peace() {
    let (mut client, mut server) = pair();
    client.write_all(b"read").unwrap();
    server.read_exact(&mut [0; 4]).unwrap();
    drop(server);
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_write_after_the_peers_close_fails_without_killing_the_process() {
    let (mut client, server) = pair();
    drop(server);
    // The first write may pass: it is its answer, a reset, that tells. The read waits for that answer.
    let _ = client.write(b"is anybody there?");
    let _ = client.read(&mut [0; 1]);
    let _ = client.read(&mut [0; 1]);
    let error = client.write(b"nobody").unwrap_err();
    let gone = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
    assert!(gone.contains(&error.kind()), "{error}");

    let (mut unix, other) = Socket::<Connected>::pair().unwrap();
    drop(other);
    assert_eq!(unix.write(b"nobody").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn the_other_end_sees_end_of_file_only_after_the_last_duplicate_is_closed() {
    let (client, server) = pair();
    let duplicate = client.as_fd().try_clone_to_owned().unwrap();
    let mut server = TcpStream::from(std::os::fd::OwnedFd::from(server));
    drop(client);
    server.set_nonblocking(true).unwrap();
    assert_eq!(server.read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    drop(duplicate);
    server.set_nonblocking(false).unwrap();
    assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn sockets_and_files_share_one_descriptor_table() {
    let (client, mut server) = pair();
    let file = File::open("/proc/self/status").unwrap();
    assert_ne!(client.as_raw_fd(), file.as_raw_fd());
    let what = |number: i32| fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
    let mut number = std::os::fd::OwnedFd::from(client);
    assert!(what(number.as_raw_fd()).to_string_lossy().starts_with("socket:["));

    // The same number can stand for a file the next moment; the socket is closed by that.
    rustix::io::dup2(&file, &mut number).unwrap();
    assert!(what(number.as_raw_fd()).to_string_lossy().ends_with("/status"));
    assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn numbers_cross_in_network_byte_order() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    // The bytes as the kernel's interface has them, written by hand: family, then port and address, highest byte first.
    let family = 2_u16.to_ne_bytes();
    let bytes = [
        &[family[0], family[1], (port >> 8) as u8, (port & 0xff) as u8, 127, 0, 0, 1][..],
        &[0; 8],
    ]
    .concat();
    let address = SockaddrView::new(&bytes).parse().unwrap();
    let socket = Socket::stream(Family::Ipv4, &Options::default()).unwrap();
    let listening = socket.bind(&address).unwrap().listen().unwrap();
    assert_eq!(listening.local().unwrap().to_storage().address(), bytes);
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut server = listening.accept().unwrap();
    client.write_all(&1_000_000_u32.to_be_bytes()).unwrap();
    let mut number = [0; 4];
    server.read_exact(&mut number).unwrap();
    assert_eq!(number, [0x00, 0x0f, 0x42, 0x40]);
}

// A signal that interrupts a system call without a handler: stopping and continuing a process does so to a connect that
// has a time limit (signal(7)). So the one that connects is this test program once more, as a child.

const CHILD: &str = "FARCALL_TEST_CONNECT_TO";

#[test]
fn an_interrupted_connect_goes_on_by_itself_and_is_waited_for() {
    let mut child = interrupted_connect("by hand");
    assert_eq!(child.said, ["interrupted", "connected"]);
    assert!(child.process.wait().unwrap().success());
}

#[test]
fn a_robust_connect_does_not_show_that_it_was_interrupted() {
    let mut child = interrupted_connect("robust");
    assert_eq!(child.said, ["connected"]);
    assert!(child.process.wait().unwrap().success());
}

/// What the child does; without the variable this test is nothing.
#[test]
fn the_child_that_connects() {
    let Ok(order) = std::env::var(CHILD) else { return };
    let (address, how) = order.split_once(' ').unwrap();
    let address: Sockaddr = address.parse::<SocketAddr>().unwrap().into();
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_write_timeout(Some(Duration::from_mins(1))).unwrap();
    if how == "robust" {
        connect(&socket, &address).unwrap();
    } else {
        let to = address.socket_address().unwrap();
        assert_eq!(rustix::net::connect(&socket, &to), Err(Errno::INTR));
        println!("said interrupted");
        wait_connected(&socket, Some(Duration::from_secs(30))).unwrap();
    }
    println!("said connected");
}

struct Interrupted {
    process: Child,
    said: Vec<String>,
}

/// Lets a child connect to a full queue, interrupts it there, and then makes room.
fn interrupted_connect(how: &str) -> Interrupted {
    let options = Options { backlog: Some(0), ..Options::default() };
    let socket = Socket::stream(Family::Ipv4, &options).unwrap();
    let address: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listening = socket.bind(&address.into()).unwrap().listen().unwrap();
    let address = listening.local().unwrap().socket_address().unwrap();
    let _first = TcpStream::connect(address).unwrap();

    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_child_that_connects", "--nocapture"])
        .env(CHILD, format!("{address} {how}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_syn(address.port());
    let pid = Pid::from_child(&process);
    kill_process(pid, Signal::STOP).unwrap();
    let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(status.stopped());
    kill_process(pid, Signal::CONT).unwrap();

    listening.accept().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let said = lines.map_while(Result::ok);
    let said = said.filter_map(|line| Some(line.split_once("said ")?.1.to_owned())).collect();
    Interrupted { process, said }
}

/// Waits until a connect to the port is under way.
fn wait_for_syn(port: u16) {
    let (remote, syn_sent) = (format!("0100007F:{port:04X}"), "02");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        let under_way = table.lines().any(|line| {
            let mut words = line.split_whitespace().skip(2);
            words.next() == Some(&remote) && words.next() == Some(syn_sent)
        });
        if under_way {
            return;
        }
        assert!(Instant::now() < deadline, "the child does not connect");
        std::thread::yield_now();
    }
}
