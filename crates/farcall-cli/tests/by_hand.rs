//! `listen`, `connect`, `resolve`, `proxy` and `activate`, as somebody types them.

mod command;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use command::{Ended, Folder, Listening, eventually, farcall, run, run_with};

const ANY: &str = "tcp://127.0.0.1:0";

fn ok(ended: &Ended) -> &str {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    &ended.output
}

#[test]
fn lines_are_answered_by_lines_one_client_after_the_other_and_all_at_once() {
    for manner in ["--keep", "--many"] {
        let echo = Listening::start(&["listen", ANY, "--echo", manner]);
        for _ in 0..3 {
            let ended = run_with(&["connect", &echo.endpoint, "--line"], b"far\ncall\nlast");
            assert_eq!(ok(&ended), "far\ncall\nlast\n", "{manner}");
        }
        assert_eq!(echo.stop().code, Some(0));
    }
}

#[test]
fn without_keep_one_client_is_served() {
    let echo = Listening::start(&["listen", ANY, "--echo"]);
    let endpoint = echo.endpoint.clone();
    let ended = run_with(&["connect", &endpoint, "--half-close"], b"once");
    assert_eq!(ok(&ended), "once");
    assert_eq!(echo.end().code, Some(0));
    assert_eq!(run(&["connect", &endpoint]).code, Some(3));
}

#[test]
fn hexadecimal_numbers_go_out_as_bytes_and_come_back_as_a_dump() {
    let echo = Listening::start(&["listen", ANY, "--echo", "--keep"]);
    let connect = ["connect", &echo.endpoint, "--hex", "--half-close"];
    let ended = run_with(&connect, b"48 69\n00ff\n");
    assert!(ok(&ended).starts_with("00000000  48 69"), "{}", ended.output);
    let wrong = run_with(&connect, b"48 69\nxy\n");
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.errors.contains("line 2") && wrong.errors.contains("`xy`"), "{}", wrong.errors);
}

#[test]
fn a_hello_names_the_client_and_ends() {
    let hello = Listening::start(&["listen", ANY, "--hello", "--many"]);
    let ended = run(&["connect", &hello.endpoint]);
    assert!(ok(&ended).starts_with("hello, tcp://127.0.0.1:"), "{}", ended.output);
    // What the client said before must not reset the connection under the greeting.
    let ended = run_with(&["connect", &hello.endpoint], b"nobody reads this");
    assert!(ok(&ended).starts_with("hello, "));
}

#[test]
fn a_command_has_the_connection_as_its_input_and_output() {
    let folder = Folder::new();
    let socket = folder.socket();
    let execute = "read name; echo \"hello, $name\"; cat";
    let _listening = Listening::start(&["listen", &socket, "--exec", execute, "--many"]);
    let ended = run_with(&["connect", &socket, "--half-close"], b"Ada\nrest\n");
    assert_eq!(ok(&ended), "hello, Ada\nrest\n");
}

#[test]
fn a_file_goes_either_way_through_standard_input_and_output() {
    let bytes = vec![b'x'; 3_000_000];
    let receiving = Listening::start(&["listen", ANY]);
    let endpoint = receiving.endpoint.clone();
    let reader = std::thread::spawn(|| receiving.end());
    let sent = run_with(&["connect", &endpoint, "--half-close"], &bytes);
    assert_eq!(ok(&sent), "");
    assert_eq!(ok(&reader.join().unwrap()).len(), bytes.len());

    let mut sending = Listening::spawn(farcall(&["listen", ANY]).stdin(Stdio::piped()));
    let mut input = sending.process.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let received = run(&["connect", &sending.endpoint]);
    writer.join().unwrap().unwrap();
    assert_eq!(ok(&received).len(), 3_000_000);
    assert_eq!(sending.end().code, Some(0));
}

#[test]
fn datagrams_are_answered_one_by_one() {
    let echo = Listening::start(&["listen", "udp://127.0.0.1:0", "--echo"]);
    let connect = ["connect", &echo.endpoint, "--line", "--timeout", "10s"];
    assert_eq!(ok(&run_with(&connect, b"far\ncall\n")), "far\ncall\n");
}

#[test]
fn a_datagram_that_nobody_receives_is_refused() {
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("udp://{}", gone.local_addr().unwrap());
    drop(gone);
    let ended = run_with(&["connect", &endpoint, "--line", "--timeout", "10s"], b"far call\n");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.errors.contains(&endpoint), "{}", ended.errors);
}

/// The names of the steps, in their order; each must have a descriptor and both addresses.
fn steps(trace: &str) -> Vec<&str> {
    let is_step = |line: &&str| line.contains(" s  ");
    trace
        .lines()
        .filter(is_step)
        .map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            assert_eq!((words[3], words[6]), ("fd", "->"), "{line}");
            assert!(words[4].parse::<u32>().is_ok(), "{line}");
            words[2]
        })
        .collect()
}

#[test]
fn a_trace_tells_each_step_with_descriptor_and_both_addresses() {
    let hello = Listening::start(&["listen", ANY, "--hello", "--trace"]);
    let address = hello.endpoint.strip_prefix("tcp://").unwrap().to_owned();
    assert_eq!(steps(&hello.before), ["socket", "bind", "listen"]);
    let client = run(&["connect", &hello.endpoint, "--trace"]);
    ok(&client);
    assert_eq!(steps(&client.errors), ["socket", "connect", "read", "read", "close"]);
    assert!(client.errors.contains(&format!("-> {address}")), "{}", client.errors);
    let ended = hello.end();
    assert_eq!(steps(&ended.errors), ["accept", "write", "shutdown", "close"]);
    assert!(ended.errors.contains(&format!("{address} -> 127.0.0.1:")), "{}", ended.errors);
}

#[test]
fn a_trace_of_a_failure_ends_with_the_step_that_failed() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", taken.local_addr().unwrap());
    let listen = run(&["listen", &endpoint, "--trace"]);
    assert_eq!((listen.code, steps(&listen.errors)), (Some(5), vec!["socket", "bind"]));
    drop(taken);
    let connect = run(&["connect", &endpoint, "--trace"]);
    assert_eq!(connect.code, Some(3));
    assert_eq!(steps(&connect.errors), ["socket", "connect", "close"]);
}

#[test]
fn exit_codes_tell_refused_timeout_in_use_permission_and_not_found_apart() {
    let holding = Listening::start(&["listen", ANY, "--hold", "--backlog", "0"]);
    assert_eq!(run(&["listen", &holding.endpoint]).code, Some(5));
    let _waiting = TcpStream::connect(("127.0.0.1", holding.port())).unwrap();
    let full = run(&["connect", &holding.endpoint, "--timeout", "200ms"]);
    assert_eq!(full.code, Some(4), "{full:?}");
    let endpoint = holding.endpoint.clone();
    holding.stop();
    assert_eq!(run(&["connect", &endpoint]).code, Some(3));

    let folder = Folder::new();
    assert_eq!(run(&["connect", &folder.socket()]).code, Some(7));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(run(&["listen", &folder.socket()]).code, Some(6));
    assert_eq!(run(&["connect", "tcp://nowhere"]).code, Some(2));
}

#[test]
fn an_accept_queue_that_overflows_is_warned_of() {
    let mut holding = Listening::start(&["listen", ANY, "--hold", "--backlog", "0"]);
    let _waiting = TcpStream::connect(("127.0.0.1", holding.port())).unwrap();
    assert_eq!(run(&["connect", &holding.endpoint, "--timeout", "100ms"]).code, Some(4));
    let warning = holding.until_it_says("overflowed");
    assert!(warning.contains("1/0 (full, "), "{warning}");
    holding.stop();
}

#[test]
fn a_silent_server_is_a_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", silent.local_addr().unwrap());
    let ended = run(&["connect", &endpoint, "--timeout", "50ms"]);
    assert_eq!(ended.code, Some(4));
    assert!(ended.errors.contains("said nothing"), "{}", ended.errors);
}

#[test]
fn help_explains_the_exit_codes() {
    for command in ["listen", "connect", "resolve", "proxy", "activate"] {
        let help = run(&[command, "--help"]).output;
        for line in ["3  refused", "4  timeout", "5  in use", "6  permission"] {
            assert!(help.contains(line), "{line} in\n{help}");
        }
    }
}

#[test]
fn an_endpoint_resolves_to_its_service_and_the_bytes_of_its_address() {
    let ended = run(&["resolve", "tcp://127.0.0.1:telnet"]);
    let expected = "\
        endpoint  tcp://127.0.0.1:telnet\n\
        service   telnet, port 23\n \
        1        127.0.0.1:23  16 bytes  02 00 00 17 7f 00 00 01 00 00 00 00 00 00 00 00\n";
    assert_eq!(ok(&ended), expected);
    let ended = run(&["resolve", "unix:///run/x"]);
    assert!(ok(&ended).contains("9 bytes  01 00 2f 72 75 6e 2f 78 00"), "{}", ended.output);
    assert_eq!(run(&["resolve", "mem://x"]).code, Some(1));
}

#[test]
fn a_proxy_passes_bytes_and_ends_on_to_a_target_of_another_kind() {
    let folder = Folder::new();
    let target = folder.socket();
    let _echo = Listening::start(&["listen", &target, "--echo", "--many"]);
    let proxy = Listening::start(&["proxy", ANY, &target]);
    let mut clients: Vec<_> =
        (0..20).map(|_| TcpStream::connect(("127.0.0.1", proxy.port())).unwrap()).collect();
    let bytes = vec![7; 500_000];
    for client in &mut clients {
        let mut writer = client.try_clone().unwrap();
        let sent = bytes.clone();
        let writing = std::thread::spawn(move || {
            writer.write_all(&sent).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        writing.join().unwrap();
        assert!(received == bytes);
    }
}

#[test]
fn a_proxy_without_its_target_closes_and_says_why() {
    let folder = Folder::new();
    let proxy = Listening::start(&["proxy", ANY, &folder.socket()]);
    assert_eq!(ok(&run(&["connect", &proxy.endpoint])), "");
    let errors = proxy.stop().errors;
    assert!(errors.contains("cannot connect to unix://"), "{errors}");
}

#[test]
fn an_activated_command_finds_its_sockets_open() {
    let folder = Folder::new();
    let socket = folder.socket();
    let show = "echo $LISTEN_FDS $LISTEN_FDNAMES; test $$ = $LISTEN_PID && \
                test -S /proc/self/fd/3 && test -S /proc/self/fd/4 && echo open";
    let command = ["activate", ANY, &socket, "--name", "web", "--", "sh", "-c", show];
    assert_eq!(ok(&run(&command)), "2 web:farcall\nopen\n");
    assert_eq!(run(&["activate", ANY, "--", "/no/such/command"]).code, Some(7));
}

#[test]
fn a_client_that_came_before_the_activated_command_is_served() {
    // The command waits for a line of its input; the client is in the queue by then.
    let wait = "read go; exec \"$0\" listen fd://3 --hello";
    let farcall_itself = env!("CARGO_BIN_EXE_farcall");
    let arguments = ["activate", ANY, "--", "sh", "-c", wait, farcall_itself];
    let mut activated = Listening::spawn(farcall(&arguments).stdin(Stdio::piped()));
    let mut client = TcpStream::connect(("127.0.0.1", activated.port())).unwrap();
    activated.process.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let mut greeting = String::new();
    client.read_to_string(&mut greeting).unwrap();
    assert!(greeting.starts_with("hello, "), "{greeting}");
}

/// What the process has for itself, in bytes; not its program, whose pages come and go.
fn private_memory(pid: u32) -> usize {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    let kibibytes = line.trim().strip_suffix(" kB").unwrap();
    kibibytes.trim().parse::<usize>().unwrap() * 1024
}

fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

#[test]
fn an_idle_connection_takes_less_than_3_kib() {
    let count = 400;
    let echo = Listening::start(&["listen", ANY, "--echo", "--many"]);
    let connect = || TcpStream::connect(("127.0.0.1", echo.port())).unwrap();
    let say = |mut client: &TcpStream| {
        client.write_all(b"far call").unwrap();
        let mut answer = [0; 8];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"far call");
    };
    // The buffer of the thread is there after the first echo.
    let first = connect();
    say(&first);
    let before = private_memory(echo.pid());
    let clients: Vec<_> = (0..count).map(|_| connect()).collect();
    eventually(|| (descriptors(echo.pid()) > count).then_some(()));
    let each = (private_memory(echo.pid()) - before) / count;
    assert!(each < 3 * 1024, "{each} bytes");
    clients.iter().for_each(say);
}

/// CPU time of the process so far, in nanoseconds.
fn cpu_time(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn out_of_descriptors_it_rests_and_serves_again_within_a_second() {
    let mut limited = std::process::Command::new("sh");
    let shell = "ulimit -n 64; exec \"$0\" listen tcp://127.0.0.1:0 --echo --many";
    limited.args(["-c", shell, env!("CARGO_BIN_EXE_farcall")]);
    limited.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let echo = Listening::spawn(&mut limited);
    let connect = || TcpStream::connect(("127.0.0.1", echo.port())).unwrap();
    let first: Vec<_> = (0..100).map(|_| connect()).collect();
    // It takes as many as it has descriptors for, and keeps some to itself.
    eventually(|| (50..64).contains(&descriptors(echo.pid())).then_some(()));

    let (began, before) = (std::time::Instant::now(), cpu_time(echo.pid()));
    let attackers: Vec<_> = (0..400).map(|_| connect()).collect();
    let window = std::time::Duration::from_millis(300);
    std::thread::sleep(window.saturating_sub(began.elapsed()));
    let used = u128::from(cpu_time(echo.pid()) - before);
    let allowed = began.elapsed().as_nanos() / 20;
    assert!(used < allowed, "{used} ns of CPU, 5 % were {allowed}");

    drop((first, attackers));
    let began = std::time::Instant::now();
    let mut client = connect();
    client.write_all(b"far call").unwrap();
    client.read_exact(&mut [0; 8]).unwrap();
    assert!(began.elapsed().as_millis() < 1000, "{:?}", began.elapsed());
}
