//! Facts about connecting and accepting, on loopback: each test is named after the sentence that it proves.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use farcall_socket::lifecycle::Stream;
use farcall_socket::{Connected, Family, Listening, Options, Socket};

fn loopback() -> farcall_socket::sockaddr::Sockaddr {
    "127.0.0.1:0".parse().unwrap()
}

fn open(options: &Options) -> Socket<farcall_socket::Unbound> {
    Socket::stream(Family::Ipv4, options).unwrap()
}

fn listen(backlog: u32) -> Socket<Listening> {
    let options = Options { backlog: Some(backlog), ..Options::default() };
    open(&options).bind(&loopback()).unwrap().listen().unwrap()
}

fn connect(listening: &Socket<Listening>) -> Socket<Connected> {
    open(&Options::default()).connect(&listening.local().unwrap()).unwrap()
}

fn connect_impatiently(listening: &Socket<Listening>) -> std::io::Result<Socket<Connected>> {
    let options = Options { connect_timeout: Duration::from_millis(150), ..Options::default() };
    open(&options).connect(&listening.local().unwrap())
}

/// Two ends of one TCP connection: the client's and the server's.
fn pair() -> (Socket<Connected>, Socket<Connected>) {
    let listening = listen(1);
    let client = connect(&listening);
    let server = listening.accept().unwrap();
    (client, server)
}

fn read_byte(mut end: &Socket<Connected>) -> u8 {
    let mut byte = [0];
    end.read_exact(&mut byte).unwrap();
    byte[0]
}

#[test]
fn connect_before_listen_is_refused() {
    let bound = open(&Options::default()).bind(&loopback()).unwrap();
    let address = bound.local().unwrap();
    let error = open(&Options::default()).connect(&address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

    let listening = bound.listen().unwrap();
    connect(&listening);
}

#[test]
fn connect_returns_when_queued_before_accept_and_data_can_be_sent() {
    let listening = listen(4);
    let mut client = connect(&listening);
    client.write_all(b"early").unwrap();
    assert_eq!(listening.queue().unwrap().now, 1);

    let mut server = listening.accept().unwrap();
    let mut text = [0; 5];
    server.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"early");
}

#[test]
fn accept_gives_requests_in_order() {
    let listening = listen(20);
    let clients: Vec<_> = (0..20).map(|_| connect(&listening)).collect();
    for client in &clients {
        let server = listening.accept().unwrap();
        assert_eq!(server.remote().unwrap(), client.local().unwrap());
    }
}

/// Whether the thread sleeps inside the kernel, by its state there.
fn sleeps(thread: rustix::thread::Pid) -> bool {
    let path = format!("/proc/self/task/{}/stat", thread.as_raw_nonzero());
    let stat = std::fs::read_to_string(path).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    after_name.trim_start().starts_with('S')
}

#[test]
fn accept_waits_while_the_queue_is_empty() {
    let listening = listen(1);
    assert!(listening.try_accept().unwrap().is_none());
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let accepting = scope.spawn(|| {
            tell.send(rustix::thread::gettid()).unwrap();
            listening.accept().unwrap().remote().unwrap()
        });
        let thread = told.recv().unwrap();
        let give_up = Instant::now() + Duration::from_secs(10);
        while !sleeps(thread) && Instant::now() < give_up {
            std::thread::yield_now();
        }
        assert!(!accepting.is_finished());
        let client = connect(&listening);
        assert_eq!(accepting.join().unwrap(), client.local().unwrap());
    });
}

#[test]
fn with_backlog_n_one_more_connects_succeed_unaccepted_and_the_next_waits() {
    for n in [0, 1, 5] {
        let listening = listen(n);
        let _waiting: Vec<_> = (0..=n).map(|_| connect(&listening)).collect();
        let full = listening.queue().unwrap();
        assert_eq!((full.now, full.max, full.dropped), (n + 1, n, 0));
        assert!(full.is_full());

        let error = connect_impatiently(&listening).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let overflowed = listening.queue().unwrap();
        assert!(overflowed.dropped > 0);
        let expected = format!("{}/{n} (full, {} dropped)", n + 1, overflowed.dropped);
        assert_eq!(overflowed.to_string(), expected);

        listening.accept().unwrap();
        assert!(!listening.queue().unwrap().is_full());
        connect(&listening);
    }
}

#[test]
fn a_connect_that_succeeded_is_no_proof_that_the_server_has_it() {
    let listening = listen(4);
    let mut client = connect(&listening);
    client.write_all(b"are you there?").unwrap();
    drop(listening);
    // Nobody ever accepted it, and nobody ever will.
    let error = client.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn after_half_close_the_other_end_sees_the_end_and_can_still_answer() {
    let (mut client, mut server) = pair();
    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    server.read_to_string(&mut text).unwrap();
    assert_eq!(text, "question");
    server.write_all(b"answer").unwrap();
    drop(server);
    text.clear();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "answer");
    assert_eq!(client.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn a_write_after_the_peers_close_fails_without_killing_the_process() {
    for (mut client, server) in [pair(), Socket::<Connected, Stream>::pair().unwrap()] {
        drop(server);
        // The first write may still go out; the answer to it is a reset.
        let errors = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
        let error = (0..1_000_000).find_map(|_| client.write(b"x").err()).unwrap();
        assert!(errors.contains(&error.kind()), "{error}");
        assert_eq!(client.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}

#[test]
fn closing_with_unread_input_resets_the_peer() {
    let (mut client, mut server) = pair();
    client.write_all(b"ab").unwrap();
    assert_eq!(read_byte(&server), b'a');
    server.write_all(b"z").unwrap();
    drop(server);
    assert_eq!(read_byte(&client), b'z');
    let error = client.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn closing_after_everything_was_read_ends_the_bytes_in_peace() {
    let (mut client, server) = pair();
    client.write_all(b"a").unwrap();
    assert_eq!(read_byte(&server), b'a');
    drop(server);
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

#[test]
fn with_linger_zero_close_resets_the_peer() {
    let options = Options { linger: Some(Duration::ZERO), ..Options::default() };
    let listening = open(&options).bind(&loopback()).unwrap().listen().unwrap();
    let mut client = connect(&listening);
    drop(listening.accept().unwrap());
    let error = client.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn with_defer_accept_a_silent_connection_does_not_reach_the_server() {
    let options = Options { defer_accept: Some(Duration::from_secs(30)), ..Options::default() };
    let listening = open(&options).bind(&loopback()).unwrap().listen().unwrap();
    let _silent = connect(&listening);
    let mut speaking = connect(&listening);
    speaking.write_all(b"x").unwrap();
    let server = listening.accept().unwrap();
    assert_eq!(server.remote().unwrap(), speaking.local().unwrap());
    assert!(listening.try_accept().unwrap().is_none());
}
