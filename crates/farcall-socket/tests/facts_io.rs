//! What the textbook says about bytes and signals, as the kernel does it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use farcall_socket::robust::blocking::{connect, wait_connected};
use farcall_socket::sockaddr::{Sockaddr, SockaddrView};
use farcall_socket::{Family, Options, Socket};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

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
