//! Listening sockets that go from one process to the next: by the environment, and over a Unix socket. The other processes
//! are this very test program, told to run one of the ignored tests.

mod folder;

use std::env;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use farcall_socket::lifecycle::SeqPacket;
use farcall_socket::sockaddr::SockaddrUn;
use farcall_socket::{
    Connected, Connection, Endpoint, Family, Handover, Inherited, Listener, Listening, Options,
    Socket, Takeover,
};
use folder::Folder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_secs(20);

/// This program, to run one of the tests that are processes of other tests.
fn process(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--ignored", "--nocapture"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Reads what the process prints up to a line that ends so.
fn wait_for_line(child: &mut Child, end: &str) -> BufReader<ChildStdout> {
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut all = String::new();
    loop {
        let mut line = String::new();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the process ended: {all}");
        if line.trim_end().ends_with(end) {
            return lines;
        }
        all.push_str(&line);
    }
}

fn assert_success(mut child: Child) {
    let mut text = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut text).unwrap();
    }
    assert!(child.wait().unwrap().success(), "{text}");
}

fn listen() -> Socket<Listening> {
    let endpoint: Endpoint = "tcp://127.0.0.1:0".parse().unwrap();
    Socket::listening_at(&endpoint, &Options::default()).unwrap()
}

fn control_listener(path: &Path) -> Socket<Listening, SeqPacket> {
    let address = SockaddrUn::from_path(path).unwrap().into();
    let socket = Socket::seqpacket(&Options::default()).unwrap();
    socket.bind(&address).unwrap().listen().unwrap()
}

fn control_connection(path: &Path) -> Socket<Connected, SeqPacket> {
    let address = SockaddrUn::from_path(path).unwrap().into();
    Socket::seqpacket(&Options::default()).unwrap().connect(&address).unwrap()
}

#[test]
fn a_program_finds_the_sockets_it_was_started_with_by_name_and_by_number() {
    let (web, admin) = (listen(), listen());
    let mut handover = Handover::default();
    handover.add("web", &web).unwrap();
    handover.add("admin", &admin).unwrap();
    assert!(handover.add("not:a name", &web).is_err());

    let mut command = process("process_that_inherits");
    command.env("WEB", web.endpoint().unwrap().to_string());
    command.env("ADMIN", admin.endpoint().unwrap().to_string());
    let child = handover.spawn(command).unwrap();
    assert_success(child);
}

#[test]
#[ignore = "a process of another test"]
fn process_that_inherits() {
    assert_eq!(env::var("LISTEN_PID").unwrap(), std::process::id().to_string());
    assert_eq!(env::var("LISTEN_FDS").unwrap(), "2");
    let options = Options::default();
    let at = |url: &str| Socket::listening_at(&url.parse().unwrap(), &options);

    // Who else needs a descriptor now does not get one of those.
    let own = std::fs::File::open("/dev/null").unwrap();
    let own = std::os::fd::AsRawFd::as_raw_fd(&own);
    assert!(own > 4);
    for (url, kind) in [
        ("fd://nobody".to_owned(), ErrorKind::NotFound),
        ("fd://999".to_owned(), ErrorKind::NotFound),
        ("fd://0".to_owned(), ErrorKind::InvalidInput),
        (format!("fd://{own}"), ErrorKind::InvalidInput),
    ] {
        let error = std::io::Error::from(at(&url).unwrap_err());
        assert_eq!(error.kind(), kind, "{url}: {error}");
    }

    let web = at("fd://web").unwrap();
    assert_eq!(web.endpoint().unwrap().to_string(), env::var("WEB").unwrap());
    // Each is there once.
    assert!(at("fd://web").is_err());
    assert!(at("fd://3").is_err());

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let admin = Listener::bind(&"fd://4".parse().unwrap(), &options).await.unwrap();
        assert_eq!(admin.endpoint().to_string(), env::var("ADMIN").unwrap());
        let _client = Connection::connect(admin.endpoint(), &options).await.unwrap();
        admin.accept().await.unwrap();
    });
    assert!(Inherited::all().unwrap().is_empty());
}

#[test]
fn a_program_that_is_not_there_cannot_be_handed_anything() {
    let web = listen();
    for program in ["/no/such/program", "no-such-program-anywhere"] {
        let mut handover = Handover::default();
        handover.add("web", &web).unwrap();
        let error = handover.spawn(Command::new(program)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
}

#[test]
fn the_file_of_a_unix_socket_goes_to_the_successor_when_it_serves() {
    let folder = Folder::new();
    let endpoint = folder::endpoint(&folder.file("x"));
    let old = Socket::listening_at(&endpoint, &Options::default()).unwrap();
    let (predecessor, successor) = Socket::<Connected, SeqPacket>::pair().unwrap();

    // A successor that goes away before it serves leaves everything as it was.
    std::thread::scope(|scope| {
        scope.spawn(|| drop(Takeover::receive(successor, PATIENCE).unwrap()));
        let mut handover = Handover::default();
        handover.add("x", &old).unwrap();
        let error = handover.send(&predecessor, PATIENCE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    });
    assert!(folder.file("x").exists());

    let (predecessor, successor) = Socket::<Connected, SeqPacket>::pair().unwrap();
    let new = std::thread::scope(|scope| {
        let successor = scope.spawn(|| {
            let mut takeover = Takeover::receive(successor, PATIENCE).unwrap();
            let socket = takeover.take("x").unwrap().into_listening().unwrap();
            assert!(takeover.take("x").is_none());
            takeover.serving().unwrap();
            socket
        });
        let mut handover = Handover::default();
        handover.add("x", &old).unwrap();
        handover.send(&predecessor, PATIENCE).unwrap();
        successor.join().unwrap()
    });
    drop(old);
    assert!(folder.file("x").exists());
    let mut client = Socket::connected_to(&endpoint, &Options::default()).unwrap();
    new.accept().unwrap().write_all(b"new").unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "new");
    drop(new);
    assert!(!folder.file("x").exists());
}

#[test]
fn a_successor_that_says_nothing_is_given_up_and_the_predecessor_goes_on() {
    let old = listen();
    let (predecessor, _silent) = Socket::<Connected, SeqPacket>::pair().unwrap();
    let mut handover = Handover::default();
    handover.add("web", &old).unwrap();
    let error = handover.send(&predecessor, Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let _client = Socket::connected_to(&old.endpoint().unwrap(), &Options::default()).unwrap();
    old.accept().unwrap();
}

#[test]
fn in_20_restarts_by_hand_over_under_12_busy_clients_no_connection_fails() {
    const RESTARTS: u32 = 20;
    const CLIENTS: u32 = 12;
    let folder = Folder::new();
    let control = |number: u32| folder.file(&format!("control{number}"));

    let first = listen();
    let endpoint = first.endpoint().unwrap();
    let mut handover = Handover::default();
    handover.add("web", &first).unwrap();
    let mut command = process("process_that_serves");
    command.env("CONTROL", control(0));
    let mut server = handover.spawn(command).unwrap();
    drop(first);
    let mut output = wait_for_line(&mut server, "serving");

    let (stop, served) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        let call_until_stopped = || {
            while !stop.load(Ordering::Relaxed) {
                call(&endpoint).unwrap();
                served.fetch_add(1, Ordering::Relaxed);
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(call_until_stopped)).collect();
        for number in 1..=RESTARTS {
            // The clients are busy in each generation.
            let before = served.load(Ordering::Relaxed);
            let give_up = Instant::now() + PATIENCE;
            while served.load(Ordering::Relaxed) < before + 2 * CLIENTS && Instant::now() < give_up
            {
                std::thread::yield_now();
            }
            let mut command = process("process_that_serves");
            command.env("PREDECESSOR", control(number - 1)).env("CONTROL", control(number));
            let mut successor = command.spawn().unwrap();
            let successors_output = wait_for_line(&mut successor, "serving");
            std::io::copy(&mut output, &mut std::io::sink()).unwrap();
            assert_success(std::mem::replace(&mut server, successor));
            output = successors_output;
        }
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap();
        }
    });
    let served = served.into_inner();
    println!("{served} calls over {RESTARTS} restarts");
    assert!(served >= 2 * CLIENTS * RESTARTS);

    // The last one ends by handing over to this test.
    let mut takeover = Takeover::receive(control_connection(&control(RESTARTS)), PATIENCE).unwrap();
    let last = takeover.take("web").unwrap().into_listening().unwrap();
    takeover.serving().unwrap();
    assert_eq!(last.endpoint().unwrap(), endpoint);
    std::io::copy(&mut output, &mut std::io::sink()).unwrap();
    assert_success(server);
}

/// Connects, sends and gets the same back.
fn call(endpoint: &Endpoint) -> std::io::Result<()> {
    let mut connection = Socket::connected_to(endpoint, &Options::default())?;
    connection.write_all(b"ping")?;
    let mut answer = [0; 4];
    connection.read_exact(&mut answer)?;
    assert_eq!(&answer, b"ping");
    Ok(())
}

#[test]
#[ignore = "a process of another test"]
fn process_that_serves() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let served = runtime.block_on(async { tokio::time::timeout(3 * PATIENCE, serve()).await });
    match served {
        Ok(result) => result.unwrap(),
        // The test that started this process is gone; nobody will ever connect to the control socket.
        Err(_) => std::process::exit(1),
    }
}

/// Serves until a successor does, and ends what it has begun.
async fn serve() -> std::io::Result<()> {
    let control = control_listener(Path::new(&env::var_os("CONTROL").unwrap()));
    let listener = match env::var_os("PREDECESSOR") {
        Some(path) => {
            let mut takeover = Takeover::receive(control_connection(Path::new(&path)), PATIENCE)?;
            let listener = takeover.take("web").unwrap().into_listening()?.into_async()?;
            takeover.serving()?;
            listener
        }
        None => Listener::bind(&"fd://web".parse().unwrap(), &Options::default()).await?,
    };
    println!("serving");
    let mut handover = Handover::default();
    handover.add("web", &listener)?;
    let hand_over = move || handover.send(&control.accept()?, PATIENCE);
    let mut handed_over = tokio::task::spawn_blocking(hand_over);
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            connection = listener.accept() => {
                calls.spawn(echo(connection?));
            }
            Some(_) = calls.join_next() => {}
            done = &mut handed_over => {
                done??;
                break;
            }
        }
    }
    drop(listener);
    calls.join_all().await.into_iter().collect()
}

async fn echo(mut connection: Connection) -> std::io::Result<()> {
    let mut buffer = [0; 4];
    while connection.read_exact(&mut buffer).await.is_ok() {
        connection.write_all(&buffer).await?;
    }
    Ok(())
}

#[test]
fn several_families_can_be_handed_over_at_once() {
    let folder = Folder::new();
    let unix = Socket::stream(Family::Unix, &Options::default()).unwrap();
    let path = SockaddrUn::from_path(&folder.file("x")).unwrap().into();
    let unix = unix.bind(&path).unwrap().listen().unwrap();
    let tcp = listen();
    let (predecessor, successor) = Socket::<Connected, SeqPacket>::pair().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut takeover = Takeover::receive(successor, PATIENCE).unwrap();
            let names = ["unix", "tcp"].map(|name| {
                let socket = takeover.take(name).unwrap().into_listening().unwrap();
                socket.endpoint().unwrap().to_string()
            });
            assert!(names[0].starts_with("unix:///") && names[1].starts_with("tcp://"));
            takeover.serving().unwrap();
        });
        let mut handover = Handover::default();
        handover.add("tcp", &tcp).unwrap();
        handover.add("unix", &unix).unwrap();
        handover.send(&predecessor, PATIENCE).unwrap();
    });
}
