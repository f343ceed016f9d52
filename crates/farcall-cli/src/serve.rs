//! `farcall serve`: the demonstration services, until somebody asks to end.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use farcall::{BindError, BindErrorKind, Endpoint, Status};
use tokio::sync::oneshot;

use crate::signals::Signals;
use crate::{Failure, Result, services};

/// The TCP endpoint when none is given: loopback, so that nobody is served who is not on this machine.
const DEFAULT_TCP: &str = "tcp://127.0.0.1:8080";

/// How long calls under way may still take at the end.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// Where the .proto files are, seen from the repository's root.
const PROTO_FOLDER: &str = "crates/farcall-cli/proto";

/// Serves at `endpoints`, or at the default ones when there is none, until Ctrl-C or SIGTERM.
///
/// # Errors
/// An endpoint that is not one or cannot be bound, a listener that fails, an output that cannot be written to; and when
/// a second signal comes before the calls under way have ended.
#[tokio::main]
pub async fn run(endpoints: Vec<String>) -> Result {
    let endpoints = if endpoints.is_empty() { default_endpoints() } else { endpoints };
    if let Some(memory) = endpoints.iter().find(|endpoint| endpoint.starts_with("mem://")) {
        return Err(format!("{memory} cannot be reached from another process").into());
    }
    // Before anybody can know that the services are there: a signal must find somebody who waits for it.
    let mut signals = Signals::new()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = endpoints.into_iter().fold(services::server(), farcall::Server::listen);
    let bound = server
        .shutdown_limit(SHUTDOWN_LIMIT)
        .shutdown_on(async { drop(stopped.await) })
        .bind()
        .await
        .map_err(explain)?;
    say(&welcome(bound.endpoints()))?;

    let mut serving = pin!(bound.run());
    let name = tokio::select! {
        ended = &mut serving => return ended.map_err(Failure::from),
        name = signals.next() => name,
    };
    let limit = SHUTDOWN_LIMIT.as_secs();
    say(&format!("{name}: calls under way have {limit} s to end; a second signal ends them now."))?;
    drop(stop);
    tokio::select! {
        ended = serving => ended.map_err(Failure::from),
        name = signals.next() => Err(format!("{name}: the calls under way were cut off").into()),
    }
}

fn default_endpoints() -> Vec<String> {
    let folder = env::var_os("XDG_RUNTIME_DIR").map_or_else(env::temp_dir, PathBuf::from);
    let socket = folder.join(format!("farcall-{}.sock", std::process::id()));
    vec![DEFAULT_TCP.to_owned(), format!("unix://{}", socket.display())]
}

/// Adds to an endpoint that is taken what can be done about it.
fn explain(status: Status) -> Failure {
    let cause = std::error::Error::source(&status).and_then(|cause| cause.downcast_ref());
    match cause.map(BindError::kind) {
        Some(BindErrorKind::InUse) => {
            format!("{}; name another: farcall serve tcp://127.0.0.1:0", status.message()).into()
        }
        Some(_) => status.message().into(),
        None => status.into(),
    }
}

/// What listens where, and how to call it.
fn welcome<'a>(endpoints: impl Iterator<Item = &'a Endpoint>) -> String {
    let mut listening = String::from("Greeter, Numbers and Echo listen at\n");
    let mut calling =
        String::from("\nCall them from another terminal, in the repository's root:\n");
    for endpoint in endpoints {
        let _ = writeln!(listening, "  {endpoint}");
        if let Some(path) = endpoint.path() {
            calling.push_str(&lines_for_path(path));
        } else if endpoint.port().is_some() {
            calling.push_str(&lines_for_address(&reachable(&endpoint.authority())));
        }
    }
    let command = env::args().next().unwrap_or_else(|| "farcall".to_owned());
    format!("{listening}{calling}  {command} tour\nCtrl-C ends this.")
}

fn lines_for_address(address: &str) -> String {
    let grpcurl = grpcurl("", address);
    format!("{grpcurl}  curl --http2-prior-knowledge http://{address}/\n")
}

fn lines_for_path(path: &Path) -> String {
    let path = path.display().to_string();
    let grpcurl = grpcurl("-unix ", &path);
    format!("{grpcurl}  curl --http2-prior-knowledge --unix-socket {path} http://localhost/\n")
}

fn grpcurl(option: &str, place: &str) -> String {
    format!(
        "  grpcurl -plaintext {option}-import-path {PROTO_FOLDER} -proto greet.proto \\\n    \
         -d '{{\"name\": \"Ada\"}}' {place} greet.v1.Greeter/SayHello\n"
    )
}

/// An address to connect to, where the server listens at every one of this machine.
fn reachable(authority: &str) -> String {
    for (every, loopback) in [("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:")] {
        if let Some(port) = authority.strip_prefix(every) {
            return format!("{loopback}{port}");
        }
    }
    authority.to_owned()
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
