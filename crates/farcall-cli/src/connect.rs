//! `farcall connect`: a client by hand.

use std::io;
use std::time::Duration;

use clap::Args;
use farcall::{Endpoint, Scheme};

use crate::session::{self, AtInputEnd, Format, Manner};
use crate::signals::Signals;
use crate::trace::Trace;
use crate::{Result, datagrams, duration, runtime, steps};

/// Connect, send standard input, show what comes
///
/// Ends when the other end has closed. With `--line` it ends when each line of the input was answered by one, and over UDP
/// when each datagram was.
#[derive(Args, Clone, Debug)]
#[command(after_help = crate::exit::HELP)]
// Each is a switch of its own on the command line.
#[allow(clippy::struct_excessive_bools)]
pub struct Arguments {
    /// Where to: `tcp://HOST:PORT`, `unix:///PATH` or `udp://HOST:PORT`
    endpoint: Endpoint,
    /// Talk line by line: each line is sent when it is whole, and answered by one line
    #[arg(long, conflicts_with = "hex")]
    line: bool,
    /// Type and show bytes as hexadecimal numbers
    #[arg(long)]
    hex: bool,
    /// Give up when connecting takes longer, or when nothing comes for so long after the input has ended (`2s`, `300ms`)
    #[arg(long, value_name = "D", value_parser = duration::parse)]
    timeout: Option<Duration>,
    /// Tell the other end when the input ends, and go on reading
    #[arg(long)]
    half_close: bool,
    /// Tell each step on standard error: descriptor, this end's address, the other end's
    #[arg(long)]
    trace: bool,
}

/// Connects as the arguments say.
///
/// # Errors
/// Nobody could be connected to, the connection broke, or the other end was silent for too long.
pub fn run(arguments: &Arguments) -> Result {
    runtime::block_on(async {
        let mut signals = Signals::new()?;
        tokio::select! {
            held = hold(arguments) => held,
            name = signals.next() => Err(format!("{name}: the connection was cut off").into()),
        }
    })
}

async fn hold(arguments: &Arguments) -> Result {
    let trace = Trace::new(arguments.trace);
    let mut options = steps::options();
    if let Some(timeout) = arguments.timeout {
        options.connect_timeout = timeout;
    }
    let format = match (arguments.line, arguments.hex) {
        (true, _) => Format::Line,
        (_, true) => Format::Hex,
        _ => Format::Raw,
    };
    let at_input_end = if arguments.half_close { AtInputEnd::HalfClose } else { AtInputEnd::Wait };
    let silence = arguments.timeout;
    let manner = Manner { format, at_input_end, send_everything: false, silence, trace };
    let mut input = session::standard_input();
    if arguments.endpoint.scheme() == Scheme::Udp {
        return datagrams::converse(&arguments.endpoint, manner, &mut input).await;
    }
    let connection = steps::connect(&arguments.endpoint, &options, trace).await?;
    let held = session::hold(connection, manner, &mut input).await;
    held.map_err(|error| named(&arguments.endpoint, &error).into())
}

/// The same error, which says where it happened.
pub(crate) fn named(endpoint: &Endpoint, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{endpoint}: {error}"))
}
