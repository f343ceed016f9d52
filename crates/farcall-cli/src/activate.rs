//! `farcall activate`: binds sockets and runs a command that finds them open, as a supervisor does.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::Command;

use clap::Args;
use farcall::socket::{DatagramSocket, Listening, Socket, activate};
use farcall::{Endpoint, Listener, Options, Scheme};

use crate::{Result, runtime};

/// Listen, then become CMD, which finds the listening sockets open
///
/// CMD gets them as descriptors 3, 4, ... in the order of the endpoints, and is told so by `LISTEN_FDS`, `LISTEN_PID`
/// and `LISTEN_FDNAMES`; farcall knows them as `fd://3` or by their names. Who connects before CMD is ready waits in the
/// queue.
#[derive(Args, Clone, Debug)]
#[command(after_help = crate::exit::HELP)]
pub struct Arguments {
    /// Where to listen: `tcp://HOST:PORT`, `udp://HOST:PORT` or `unix:///PATH`
    #[arg(required = true, value_name = "ENDPOINT")]
    endpoints: Vec<Endpoint>,
    /// The name of a socket, in the order of the endpoints; one that is not named is called `farcall`
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// A socket that is handed on.
enum Handed {
    Listening(Socket<Listening>),
    Datagrams(DatagramSocket),
}

/// Becomes the command.
///
/// # Errors
/// An endpoint cannot be bound, or the command cannot be run.
pub fn run(arguments: &Arguments) -> Result {
    let (program, rest) = arguments.command.split_first().ok_or("there is no command")?;
    let sockets = runtime::block_on_alone(open(&arguments.endpoints))?;
    let names = arguments.names.iter().map(String::as_str).chain(std::iter::repeat("farcall"));
    let named: Vec<_> = names.zip(&sockets).map(|(name, socket)| (name, socket.as_fd())).collect();
    let error = activate(Command::new(program).args(rest), &named);
    let text = format!("cannot run {}: {error}", program.display());
    Err(io::Error::new(error.kind(), text).into())
}

async fn open(endpoints: &[Endpoint]) -> Result<Vec<Handed>> {
    let options = Options::default();
    let mut sockets = Vec::with_capacity(endpoints.len());
    for endpoint in endpoints {
        if endpoint.scheme() == Scheme::Udp {
            let socket = DatagramSocket::bind(endpoint, &options).await?;
            writeln!(io::stderr(), "receiving at udp://{}", socket.local()?)?;
            sockets.push(Handed::Datagrams(socket));
        } else {
            let listener = Listener::bind(endpoint, &options).await?;
            writeln!(io::stderr(), "listening at {}", listener.endpoint())?;
            sockets.push(Handed::Listening(listener.into_blocking()?));
        }
    }
    Ok(sockets)
}

impl AsFd for Handed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Listening(socket) => socket.as_fd(),
            Self::Datagrams(socket) => socket.as_fd(),
        }
    }
}
