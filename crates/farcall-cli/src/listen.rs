//! `farcall listen`: a listener by hand, to see what each step does and to try clients against.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use farcall::socket::Connection;
use farcall::{Endpoint, Listener, Options, Scheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::datagrams::{self, Answer};
use crate::relay::Pump;
use crate::room::{Place, Room};
use crate::session::{self, AtInputEnd, Format, Manner};
use crate::signals::Signals;
use crate::trace::{Ends, Trace};
use crate::{Failure, Result, overflow, runtime, steps};

/// Child processes at once: each costs memory of its own.
const CHILDREN: usize = 256;

/// How standard input and output are joined to a connection that came.
const MANNER: Manner = Manner {
    format: Format::Raw,
    at_input_end: AtInputEnd::HalfCloseIfSent,
    send_everything: true,
    silence: None,
    trace: Trace::OFF,
};

/// How long a client that was greeted may take to hang up.
const FAREWELL: Duration = Duration::from_secs(5);

/// Listen, and serve what comes
///
/// Says on standard error where it listens. Without `--echo`, `--hello` or `--exec` the connection is joined to standard
/// input and output; it ends when the other end has closed and the input has ended (typed input: at once). UDP has no
/// connections: datagrams are answered, or shown, until Ctrl-C.
#[derive(Args, Clone, Debug)]
#[command(after_help = crate::exit::HELP)]
// Each is a switch of its own on the command line.
#[allow(clippy::struct_excessive_bools)]
pub struct Arguments {
    /// Where: `tcp://HOST:PORT` (port 0: any free one), `unix:///PATH`, `udp://HOST:PORT` or `fd://3`
    endpoint: Endpoint,
    /// Send back what comes
    #[arg(long, group = "service")]
    echo: bool,
    /// Send one line, which names the client, and close
    #[arg(long, group = "service")]
    hello: bool,
    /// Run CMD by `sh -c` with the connection as its standard input and output
    #[arg(long, value_name = "CMD", group = "service")]
    exec: Option<String>,
    /// How many connections may wait to be accepted; the kernel takes one more. By default the system's maximum
    #[arg(long, value_name = "N")]
    backlog: Option<u32>,
    /// Accept nothing, so that the queue can be watched filling
    #[arg(long, conflicts_with_all = ["service", "keep", "many"])]
    hold: bool,
    /// Serve one client after the other
    #[arg(long, conflicts_with = "many")]
    keep: bool,
    /// Serve all clients at once, as many as there are descriptors; the others wait in the queue
    #[arg(long, requires = "service")]
    many: bool,
    /// Tell each step on standard error: descriptor, this end's address, the other end's
    #[arg(long)]
    trace: bool,
}

/// What is done with each connection, if it is not joined to standard input and output.
#[derive(Clone, Debug)]
enum Service {
    Echo,
    Hello,
    Exec(String),
}

/// Listens as the arguments say.
///
/// # Errors
/// The endpoint cannot be bound, the listener fails, or the only connection does.
pub fn run(arguments: &Arguments) -> Result {
    runtime::block_on(async {
        let mut signals = Signals::new()?;
        tokio::select! {
            served = serve(arguments) => served,
            _ = signals.next() => Ok(()),
        }
    })
}

async fn serve(arguments: &Arguments) -> Result {
    let trace = Trace::new(arguments.trace);
    if arguments.endpoint.scheme() == Scheme::Udp {
        return datagrams::serve(&arguments.endpoint, answer(arguments)?, trace).await;
    }
    let options = Options { backlog: arguments.backlog, ..steps::options() };
    let listener = steps::listen(&arguments.endpoint, &options, trace).await?;
    say(&format!("listening at {}", listener.endpoint()))?;
    overflow::watch(&listener)?;
    if arguments.hold {
        say("nobody is accepted; another terminal shows the queue: farcall sockets --listening")?;
        return std::future::pending().await;
    }
    match Service::of(arguments) {
        Some(service) if arguments.many => {
            let ended = serve_many(listener, &service, trace).await;
            ended.map(|never| match never {})
        }
        service => serve_one_by_one(&listener, service, arguments.keep, trace).await,
    }
}

/// What is done with each datagram.
fn answer(arguments: &Arguments) -> Result<Answer> {
    match Service::of(arguments) {
        _ if arguments.hold => Ok(Answer::Hold),
        Some(Service::Echo) => Ok(Answer::Echo),
        Some(Service::Hello) => Ok(Answer::Hello),
        Some(Service::Exec(_)) => {
            Err("a datagram is no connection that a command could have".into())
        }
        None => Ok(Answer::Show),
    }
}

/// The first, or one after the other.
async fn serve_one_by_one(
    listener: &Listener,
    service: Option<Service>,
    keep: bool,
    trace: Trace,
) -> Result {
    let mut input = session::standard_input();
    loop {
        let connection = accept(listener, trace).await?;
        let served = match &service {
            Some(service) => service.serve(connection, trace).await,
            None => session::hold(connection, MANNER.traced(trace), &mut input).await,
        };
        if !keep {
            return served.map_err(Failure::from);
        }
        if let Err(error) = served {
            say(&format!("the connection failed: {error}"))?;
        }
    }
}

async fn accept(listener: &Listener, trace: Trace) -> io::Result<Connection> {
    let connection = listener.accept().await?;
    if trace.is_on() {
        trace.step("accept", &Ends::of(&connection), "");
    }
    Ok(connection)
}

/// All at once. Who cannot be let in yet is not accepted either: the kernel keeps the queue, and this process sleeps.
async fn serve_many(mut listener: Listener, service: &Service, trace: Trace) -> Result<Infallible> {
    let most = if matches!(service, Service::Exec(_)) { CHILDREN } else { usize::MAX };
    let room = Room::new(1, most)?;
    loop {
        let place = if let Some(place) = room.try_place() {
            place
        } else {
            // Off the runtime's watch, or each connection that joins the queue would wake this process for nothing.
            let resting = listener.into_blocking()?;
            let place = room.place().await?;
            listener = resting.into_async()?;
            place
        };
        let connection = accept(&listener, trace).await?;
        match service {
            // By itself, because the others' tasks are larger and there may be many of this one.
            Service::Echo => drop(tokio::spawn(echo(connection, trace, place))),
            service => {
                let service = service.clone();
                drop(tokio::spawn(async move {
                    // A client that goes away is no news to a server of many.
                    let _ = service.serve(connection, trace).await;
                    drop(place);
                }));
            }
        }
    }
}

async fn echo(connection: Connection, trace: Trace, place: Place) {
    // A client that goes away is no news to a server of many.
    let _ = send_back(connection, trace).await;
    drop(place);
}

async fn send_back(connection: Connection, trace: Trace) -> io::Result<()> {
    let mut ends = [connection];
    let mut pump = Pump::new(0, 0, trace);
    let result = poll_fn(|cx| pump.poll(cx, &mut ends)).await;
    tell_close(trace, &ends[0]);
    result
}

fn tell_close(trace: Trace, connection: &Connection) {
    if trace.is_on() {
        trace.step("close", &Ends::of(connection), "");
    }
}

impl Service {
    fn of(arguments: &Arguments) -> Option<Self> {
        match &arguments.exec {
            Some(command) => Some(Self::Exec(command.clone())),
            None if arguments.echo => Some(Self::Echo),
            None if arguments.hello => Some(Self::Hello),
            None => None,
        }
    }

    async fn serve(&self, connection: Connection, trace: Trace) -> io::Result<()> {
        match self {
            Self::Echo => send_back(connection, trace).await,
            Self::Hello => greet(connection, trace).await,
            Self::Exec(command) => execute(command, connection, trace).await,
        }
    }
}

async fn greet(mut connection: Connection, trace: Trace) -> io::Result<()> {
    let ends = Ends::of(&connection);
    let greeting = format!("hello, {}\n", connection.peer());
    connection.write_all(greeting.as_bytes()).await?;
    trace.step("write", &ends, format!("{} bytes", greeting.len()));
    connection.shutdown().await?;
    trace.step("shutdown", &ends, "no more will be sent");
    // Closing with unread input would reset the connection, and the greeting might never be read.
    let farewell = async {
        let mut ignored = [0; 512];
        while connection.read(&mut ignored).await? > 0 {}
        Ok(())
    };
    let result = tokio::time::timeout(FAREWELL, farewell).await.unwrap_or(Ok(()));
    trace.step("close", &ends, "");
    result
}

/// The command gets the connection itself, so that nothing stands between the two.
async fn execute(command: &str, connection: Connection, trace: Trace) -> io::Result<()> {
    let ends = Ends::of(&connection);
    let descriptor = connection.descriptor().ok_or(io::ErrorKind::Unsupported)?;
    let input = blocking(descriptor.try_clone_to_owned()?)?;
    let output = input.try_clone()?;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::from(input)).stdout(Stdio::from(output));
    let mut child = shell.kill_on_drop(true).spawn()?;
    // The builder has descriptors of its own, and the other end sees the end only after the last one is closed.
    drop(shell);
    drop(connection);
    trace.step("close", &ends, format!("process {} has it now", child.id().unwrap_or_default()));
    child.wait().await?;
    Ok(())
}

/// Programs expect their standard input to wait for them.
fn blocking(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    let stream = std::net::TcpStream::from(descriptor);
    stream.set_nonblocking(false)?;
    Ok(stream.into())
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{text}")
}
