//! `farcall tour`: starts the services, calls them in every way there is, checks every reply and shows a table.
//!
//! Clients live on one thread and the server on another, as if they were two processes: a call and its reply have to wake
//! the other side. Only in-process calls stay on the clients' thread.

mod measure;
mod premises;
mod table;
mod ways;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::time::Instant;

use self::measure::measure;
use self::premises::{Premises, Route};
use self::table::Way;
use self::ways::{Caller, Kind};
use crate::Result;
use crate::signals::Signals;

/// Makes the tour, each measurement with at most `calls` calls.
///
/// # Errors
/// A call failed or was answered wrong, after the whole table has been shown; the services cannot be started; the
/// output cannot be written to; Ctrl-C. Nothing is left behind in any case.
#[tokio::main(flavor = "current_thread")]
pub async fn run(calls: Option<NonZeroU64>) -> Result {
    let mut signals = Signals::new()?;
    let began = Instant::now();
    let premises = Premises::open().await?;
    let toured = tokio::select! {
        toured = visit_all(&premises, calls) => toured,
        name = signals.next() => Err(format!("{name}: the tour was not finished").into()),
    };
    premises.close()?;
    let score = toured?;
    say(&score.summary(began.elapsed().as_secs_f64()))?;
    score.verdict()
}

/// How the ways did.
#[derive(Debug, Default)]
struct Score {
    ways: usize,
    /// Each with its reason.
    failed: Vec<String>,
}

/// Calls in every way: kind of endpoint by protocol by kind of call. Shows each row as soon as it is known.
async fn visit_all(premises: &Premises, calls: Option<NonZeroU64>) -> Result<Score> {
    say(&introduction(premises))?;
    say(&table::head())?;
    let mut score = Score::default();
    for Route { endpoint, protocol, channel } in premises.routes()? {
        for kind in Kind::ALL {
            let way = Way { endpoint, protocol, kind };
            score.ways += 1;
            match measure(Caller::new(&channel, kind), calls).await {
                Ok(measured) => say(&table::row(way, &measured))?,
                Err(status) => {
                    say(&table::failed_row(way, &status))?;
                    score.failed.push(format!("{endpoint}, {protocol}, {kind}: {status}"));
                }
            }
        }
    }
    Ok(score)
}

fn introduction(premises: &Premises) -> String {
    let endpoints = premises.endpoints().join("\n  ");
    format!(
        "One thread of this process serves Greeter and Numbers at\n  {endpoints}\n\
         and another one calls them, at the first also by TLS and by WebSocket; in-process calls need no endpoint and\n\
         stay on one thread.\n"
    )
}

impl Score {
    fn summary(&self, seconds: f64) -> String {
        let Self { ways, failed } = self;
        let right = ways - failed.len();
        let mut text = format!(
            "\n\
             protocol    by HTTP/2; by HTTP/1.1 those with /1; JSON is Connect's\n\
             p50, p99    one call after the other: from the request to the last checked reply\n\
             calls/s     {} callers at once on one connection\n\
             messages/s  requests and replies; a stream has {} messages\n\n\
             {right} of {ways} ways answered as they should, in {seconds:.1} s. Nothing is left running.",
            measure::AT_ONCE,
            ways::STREAM,
        );
        if cfg!(debug_assertions) {
            text.push_str("\nThis is a debug build; with --release it is many times as fast.");
        }
        let command = std::env::args().next().unwrap_or_else(|| "farcall".to_owned());
        let _ = write!(text, "\nTo call the services yourself: {command} serve");
        text
    }

    fn verdict(self) -> Result {
        match self.failed.first() {
            None => Ok(()),
            Some(first) => {
                let (failed, ways) = (self.failed.len(), self.ways);
                Err(format!("{failed} of {ways} ways failed, the first one: {first}").into())
            }
        }
    }
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
