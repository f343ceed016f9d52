//! `farcall proxy`: each connection that comes is joined to one of its own at the target.

use std::future::poll_fn;
use std::io::{self, Write as _};
use std::task::Poll;

use clap::Args;
use farcall::Endpoint;
use farcall::socket::Connection;

use crate::relay::Pump;
use crate::room::{Place, Room};
use crate::signals::Signals;
use crate::trace::{Ends, Trace};
use crate::{Result, runtime, steps};

/// Pass connections on, from one endpoint to another and back
///
/// The ends may be of different kinds. Each direction ends for itself: who half-closes still gets the answer.
#[derive(Args, Clone, Debug)]
#[command(after_help = crate::exit::HELP)]
pub struct Arguments {
    /// Where to listen
    #[arg(value_name = "LISTEN")]
    listen: Endpoint,
    /// Where to connect to, once per client
    #[arg(value_name = "TARGET")]
    target: Endpoint,
    /// Tell each step on standard error: descriptor, this end's address, the other end's
    #[arg(long)]
    trace: bool,
}

/// Passes connections on until Ctrl-C or SIGTERM.
///
/// # Errors
/// The endpoint cannot be bound, or the listener fails; not when a target cannot be reached.
pub fn run(arguments: &Arguments) -> Result {
    runtime::block_on(async {
        let mut signals = Signals::new()?;
        tokio::select! {
            ended = serve(arguments) => ended,
            _ = signals.next() => Ok(()),
        }
    })
}

async fn serve(arguments: &Arguments) -> Result {
    let trace = Trace::new(arguments.trace);
    let listener = steps::listen(&arguments.listen, &steps::options(), trace).await?;
    writeln!(io::stderr(), "listening at {}", listener.endpoint())?;
    let room = Room::new(2, usize::MAX)?;
    loop {
        let place = room.place().await?;
        let client = listener.accept().await?;
        if trace.is_on() {
            trace.step("accept", &Ends::of(&client), "");
        }
        drop(tokio::spawn(pass_on(client, arguments.target.clone(), trace, place)));
    }
}

async fn pass_on(client: Connection, target: Endpoint, trace: Trace, place: Place) {
    match steps::connect(&target, &steps::options(), trace).await {
        Ok(server) => {
            // What breaks at one end is passed on to the other by closing both.
            let _ = join(client, server, trace).await;
        }
        // The client learns it by the end of its connection, the operator here.
        Err(error) => drop(writeln!(io::stderr(), "{}: {error}", client.peer())),
    }
    drop(place);
}

/// Both directions, until both have ended or one end broke.
async fn join(client: Connection, server: Connection, trace: Trace) -> io::Result<()> {
    let mut ends = [client, server];
    let (mut there, mut back) = (Pump::new(0, 1, trace), Pump::new(1, 0, trace));
    let result = poll_fn(|cx| {
        let there = there.poll(cx, &mut ends)?;
        let back = back.poll(cx, &mut ends)?;
        if there.is_ready() && back.is_ready() { Poll::Ready(Ok(())) } else { Poll::Pending }
    });
    let result = result.await;
    if trace.is_on() {
        for end in &ends {
            trace.step("close", &Ends::of(end), "");
        }
    }
    result
}
