//! `farcall sockets`: the table of this machine's sockets, as the kernel has it.

mod json;
mod text;

use std::io::{self, IsTerminal, Write as _};
use std::num::NonZeroU64;
use std::thread;
use std::time::Duration;

use clap::Args;
use farcall::socket::table::{Filter, Missing, State, Table};

use crate::{Result, duration};

/// Show the sockets of this machine: listeners with their queues, connections with both ends, and who has them open
///
/// `queue` is, for a listener, how many connections wait to be accepted and how many may (`6/5 FULL`: the next one has to
/// wait outside); for others, bytes that came and were not read, and bytes not yet taken by the other end. A connection with
/// both ends here is one row of two lines, the client's first. `rtt` is the round-trip time that the kernel measured.
/// Without privileges only the processes of this user are known.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Only those that wait for others
    #[arg(long)]
    listening: bool,
    /// Only those that this process has open
    #[arg(long, value_name = "N")]
    pid: Option<u32>,
    /// Only those with this port at either end
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Only those in this state: established, listening, syn-sent, close-wait, time-wait, ...
    #[arg(long, value_name = "S")]
    state: Option<State>,
    /// Show it again and again, until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// How long to wait before it is shown again
    #[arg(long, value_name = "D", value_parser = duration::parse, default_value = "1s")]
    every: Duration,
    /// Show it N times
    #[arg(long, value_name = "N", requires = "watch")]
    count: Option<NonZeroU64>,
    /// One JSON object per line and row
    #[arg(long)]
    json: bool,
}

/// Shows the table.
///
/// # Errors
/// The kernel does not tell, or standard output cannot be written to.
pub fn run(arguments: &Arguments) -> Result {
    let mut left = match (arguments.watch, arguments.count) {
        (false, _) => 1,
        (true, count) => count.map_or(u64::MAX, NonZeroU64::get),
    };
    loop {
        match show(arguments) {
            // Who reads only the beginning, like `head`, is content.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            shown => shown?,
        }
        left -= 1;
        if left == 0 {
            return Ok(());
        }
        thread::sleep(arguments.every);
    }
}

fn show(arguments: &Arguments) -> io::Result<()> {
    let Arguments { listening, pid, port, state, .. } = *arguments;
    let table = Table::read(&Filter { listening, pid, port, state })?;
    let mut text = if arguments.json { json::lines(&table) } else { text::lines(&table) };
    let mut output = io::stdout().lock();
    if arguments.watch && !arguments.json {
        if output.is_terminal() {
            // To the upper left corner, and clear what is below.
            text.insert_str(0, "\x1b[H\x1b[J");
        } else {
            text.push('\n');
        }
    }
    output.write_all(text.as_bytes())?;
    output.flush()?;
    for missing in table.missing() {
        writeln!(io::stderr(), "{}", explain(missing))?;
    }
    Ok(())
}

fn explain(missing: &Missing) -> String {
    match missing {
        Missing::Kind(kind) => format!("the kernel has no table of {kind} sockets"),
        Missing::Sockets(kind) => format!("there are more {kind} sockets than are shown"),
        Missing::Holders => "there are too many descriptors to know who has each socket".to_owned(),
        _ => "the table is not complete".to_owned(),
    }
}
