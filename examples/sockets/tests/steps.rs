//! Runs the program of each step, looks at its sockets from outside, and holds the guide to what is really said.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use farcall_socket::Queue;
use farcall_socket::table::{Filter, Kind, State, Table};

/// How long a program may take until its sockets are as they should be.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time between two looks at them.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A program that is running, and is not when this is gone.
struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(path: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(path);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect(path);
        let output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        Self { child, output }
    }

    /// What the program has printed when it lets others look.
    fn until_it_waits(&mut self) -> String {
        let mut printed = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "{printed}");
            if line.starts_with("look: ") {
                return printed;
            }
            printed.push_str(&line);
        }
    }

    /// What the program still prints until it ends, which it does well.
    fn finish(mut self) -> String {
        // One that waits for nothing has closed it.
        let _ = self.child.stdin.take().unwrap().write_all(b"\n");
        let mut printed = String::new();
        self.output.read_to_string(&mut printed).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}, having printed:\n{printed}");
        printed
    }

    fn table(&self) -> Table {
        Table::read(&Filter { pid: Some(self.child.id()), ..Filter::default() }).unwrap()
    }

    /// The state of each end, in the order of the table.
    fn states(&self) -> Vec<(Kind, State)> {
        let table = self.table();
        let ends = table.rows().flat_map(|row| [Some(row.socket), row.other]);
        ends.flatten().map(|end| (end.kind, end.state)).collect()
    }

    /// What is found in its table in the end.
    fn until<T>(&mut self, look: impl Fn(&Table) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(found) = look(&self.table()) {
                return found;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "it ended by itself");
            thread::sleep(LOOK_EVERY);
        }
        panic!("not seen in {PATIENCE:?}");
    }

    /// Where it listens, as soon as it does.
    fn address(&mut self) -> String {
        self.until(|table| {
            let mut sockets = table.rows().map(|row| row.socket);
            let listening = sockets.find(|socket| socket.state == State::Listening);
            listening.map(|socket| socket.local.to_string())
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn accept_queue(table: &Table) -> Option<Queue> {
    table.rows().find_map(|row| row.socket.accept_queue)
}

fn round_trip(client: &mut TcpStream, word: &[u8]) -> Vec<u8> {
    client.write_all(word).unwrap();
    let mut echo = vec![0; word.len()];
    client.read_exact(&mut echo).unwrap();
    echo
}

#[test]
fn step_1_an_endpoint_becomes_the_bytes_that_the_kernel_gets() {
    let printed = Program::start(env!("CARGO_BIN_EXE_step1-endpoint"), &[]).finish();
    assert!(printed.starts_with("scheme tcp, host Some(\"127.0.0.1\")\nbacklog Some(5)\n"));
    assert!(printed.contains("1b, 58, 7f, 00, 00, 01, 00"), "{printed}");
}

#[test]
fn step_2_the_server_says_hello_and_the_client_hears_it() {
    let mut server = Program::start(env!("CARGO_BIN_EXE_step2-server"), &["127.0.0.1:0"]);
    let address = server.address();
    assert_eq!(server.states(), [(Kind::Tcp, State::Listening)]);
    let client = Program::start(env!("CARGO_BIN_EXE_step2-client"), &[&address]);
    assert_eq!(client.finish(), "hello\n");
    assert_eq!(server.finish(), "");
}

#[test]
fn step_2_each_of_the_two_has_ten_lines_at_most() {
    for program in ["step2-server.rs", "step2-client.rs"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin").join(program);
        let text = fs::read_to_string(path).unwrap();
        let code = |line: &&str| !line.is_empty() && !line.starts_with("//");
        assert!(text.lines().filter(code).count() <= 10, "{program}");
    }
}

#[test]
fn step_3_the_wrong_order_is_refused_and_the_socket_comes_back() {
    let mut order = Program::start(env!("CARGO_BIN_EXE_step3-order"), &[]);
    order.until_it_waits();
    assert!(order.states().iter().all(|(_, state)| *state != State::Listening));
    let expected = "\
        connect before listen: connection refused\n\
        a second bind: address in use\n\
        another port: true\n";
    assert_eq!(order.finish(), expected);
}

/// The blocks of the guide's page that begin with this line.
fn blocks(page: &str, fence: &str) -> Vec<String> {
    let fence = format!("\n```{fence}\n");
    let rest = page.split(&fence).skip(1);
    rest.map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

#[test]
fn step_3_what_does_not_compile_says_what_the_guide_quotes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/guide/sockets.md")).unwrap();
    let mistake = root.join("crates/farcall-socket/tests/ui/accept_before_listen");
    let read = |ending| fs::read_to_string(mistake.with_extension(ending)).unwrap();
    assert_eq!(blocks(&page, "rust,compile_fail"), [read("rs")]);
    assert!(blocks(&page, "text").contains(&read("stderr")));
}

#[test]
fn step_4_six_of_seven_wait_in_a_queue_for_five_and_are_accepted_in_order() {
    let mut queue = Program::start(env!("CARGO_BIN_EXE_step4-queue"), &[]);
    assert_eq!(queue.until_it_waits(), "client 7: timed out\n");
    let waiting = accept_queue(&queue.table()).unwrap();
    assert_eq!((waiting.now, waiting.max, waiting.is_full()), (6, 5, true));
    let expected: Vec<_> = (1..=6).map(|number| format!("accepted: client {number}")).collect();
    assert_eq!(queue.finish().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn step_5_connections_share_the_port_of_their_listener() {
    let mut connections = Program::start(env!("CARGO_BIN_EXE_step5-connections"), &[]);
    let printed = connections.until_it_waits();
    let lines: Vec<Vec<_>> = printed.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line[0] == lines[0][0] && line[1] == line[2]), "{printed}");
    assert!(lines[0][1] != lines[1][1] && lines[1][1] != lines[2][1], "{printed}");
    let mut expected = vec![(Kind::Tcp, State::Listening)];
    expected.extend([(Kind::Tcp, State::Established); 6]);
    assert_eq!(connections.states(), expected);
    connections.finish();
}

#[test]
fn step_6_one_by_one_the_second_client_waits_in_the_queue_for_the_first() {
    let path = env!("CARGO_BIN_EXE_step6-one-by-one");
    let mut server = Program::start(path, &["tcp://127.0.0.1:0"]);
    let address = server.address();
    let mut first = TcpStream::connect(&address).unwrap();
    assert_eq!(round_trip(&mut first, b"far"), b"far");
    let mut second = TcpStream::connect(&address).unwrap();
    second.write_all(b"call").unwrap();
    server.until(|table| accept_queue(table).filter(|queue| queue.now == 1));
    drop(first);
    second.shutdown(Shutdown::Write).unwrap();
    let mut echo = String::new();
    second.read_to_string(&mut echo).unwrap();
    assert_eq!(echo, "call");
}

#[test]
fn step_6_all_at_once_nobody_waits_for_another() {
    for path in [env!("CARGO_BIN_EXE_step6-all-at-once"), env!("CARGO_BIN_EXE_step6-tasks")] {
        let mut server = Program::start(path, &["tcp://127.0.0.1:0"]);
        let address = server.address();
        let mut clients: Vec<_> = (0..5).map(|_| TcpStream::connect(&address).unwrap()).collect();
        for client in clients.iter_mut().rev() {
            assert_eq!(round_trip(client, b"far call"), b"far call");
        }
        assert_eq!(accept_queue(&server.table()).unwrap().now, 0);
    }
}

#[test]
fn step_7_lines_and_counted_bytes_mix_and_a_short_count_is_told() {
    let printed = Program::start(env!("CARGO_BIN_EXE_step7-reads"), &[]).finish();
    assert_eq!(printed, "hello\nthe other end closed after 2 of 4 bytes\n");
}

#[test]
fn step_8_one_send_is_one_receive() {
    let mut datagrams = Program::start(env!("CARGO_BIN_EXE_step8-datagrams"), &[]);
    datagrams.until_it_waits();
    let mut states = datagrams.states();
    states.sort_by_key(|(_, state)| *state == State::Established);
    assert_eq!(states, [(Kind::Udp, State::Unconnected), (Kind::Udp, State::Established)]);
    assert_eq!(datagrams.finish(), "far\ncall\nheard\n");
}

#[test]
fn step_9_a_unix_socket_knows_its_peer_and_its_file_goes_with_it() {
    let path = std::env::temp_dir().join(format!("farcall-step9-{}.sock", std::process::id()));
    let endpoint = format!("unix://{}", path.display());
    let mut unix = Program::start(env!("CARGO_BIN_EXE_step9-unix"), &[&endpoint]);
    let printed = unix.until_it_waits();
    assert!(printed.contains(&format!("process Some({})", unix.child.id())), "{printed}");
    let mut expected = vec![(Kind::UnixStream, State::Listening)];
    expected.extend([(Kind::UnixStream, State::Established); 2]);
    assert_eq!(unix.states(), expected);
    assert_eq!(unix.finish(), "the file is there: Some(false)\n");
}

#[test]
fn step_10_the_end_comes_when_the_last_descriptor_is_closed() {
    let mut descriptors = Program::start(env!("CARGO_BIN_EXE_step10-descriptors"), &[]);
    assert_eq!(descriptors.until_it_waits(), "1 came, and is open\n");
    assert_eq!(descriptors.states(), [(Kind::UnixStream, State::Established); 4]);
    assert_eq!(descriptors.finish(), "bye\n");
}
