//! `farcall serve`: the demonstration services, until somebody asks to end.

mod certificate;
mod page;
mod try_out;

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use farcall::tls::{Identity, ServerTls};
use farcall::{BindError, BindErrorKind, Cors, Endpoint, Server, Status};
use tokio::sync::oneshot;

use self::certificate::Certificate;
use self::page::Page;
use self::try_out::Place;
use crate::signals::Signals;
use crate::{Failure, Result, services};

/// The TCP endpoint when none is given: loopback, so that nobody is served who is not on this machine.
const DEFAULT_TCP: &str = "tcp://127.0.0.1:8080";

/// How long calls under way may still take at the end.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// Serve the demonstration services: Greeter, Numbers and Echo
///
/// On every port by gRPC, gRPC-Web, Connect, JSON over HTTP/1.1 and HTTP/2, and WebSocket, with health and reflection; a
/// page says what can be tried. Ends at Ctrl-C or SIGTERM, after the calls under way.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Where to listen: `tcp://HOST:PORT` (port 0: any free one), `tls://HOST:PORT` or `unix:///PATH`
    ///
    /// By default `tcp://127.0.0.1:8080`, and a Unix socket in `$XDG_RUNTIME_DIR` or else the folder for temporary files.
    #[arg(value_name = "ENDPOINT")]
    endpoints: Vec<String>,
    /// Speak TLS, too, on the same ports, with this certificate and key (PEM)
    #[arg(long, num_args = 2, value_names = ["CERT", "KEY"])]
    tls: Vec<PathBuf>,
    /// Speak TLS, too, with a certificate that is made now for this machine, and lies in a file as long as this runs
    #[arg(long, conflicts_with = "tls")]
    tls_self_signed: bool,
    /// Let the scripts of pages from ORIGIN call (`https://app.example.com`, or `*` for all); may be repeated
    #[arg(long, value_name = "ORIGIN")]
    cors: Vec<String>,
}

/// Serves at the endpoints, or at the default ones when there is none, until Ctrl-C or SIGTERM.
///
/// # Errors
/// An endpoint that is not one or cannot be bound, a certificate that cannot be used, a listener that fails, an output that
/// cannot be written to; and when a second signal comes before the calls under way have ended.
#[tokio::main]
pub async fn run(arguments: Arguments) -> Result {
    let Arguments { endpoints, tls, tls_self_signed, cors } = arguments;
    let endpoints = if endpoints.is_empty() { default_endpoints() } else { endpoints };
    if let Some(memory) = endpoints.iter().find(|endpoint| endpoint.starts_with("mem://")) {
        return Err(format!("{memory} cannot be reached from another process").into());
    }
    let certificate = tls_self_signed.then(Certificate::make).transpose()?;
    let identity = match (&certificate, tls.as_slice()) {
        (Some(certificate), _) => Some(certificate.identity()?),
        (None, [certificate, key]) => Some(Identity::from_pem_files(certificate, key)?),
        _ => None,
    };
    let root = certificate.as_ref().map(|certificate| certificate.path().to_owned());
    let server = services::server().health().reflection().cors(allowed(&cors));
    let server = server.http(Page::new(root.clone()));
    let with_tls = identity.is_some();
    let server = match identity {
        Some(identity) => server.tls(ServerTls::new(identity)),
        None => server,
    };
    let endpoints = endpoints.into_iter();
    serve(endpoints.fold(server, Server::listen), |endpoints| {
        welcome(endpoints, with_tls, root.as_ref().or(tls.first()))
    })
    .await
}

async fn serve(server: Server, welcome: impl FnOnce(&[Endpoint]) -> String) -> Result {
    // Before anybody can know that the services are there: a signal must find somebody who waits for it.
    let mut signals = Signals::new()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let bound = server
        .shutdown_limit(SHUTDOWN_LIMIT)
        .shutdown_on(async { drop(stopped.await) })
        .bind()
        .await
        .map_err(explain)?;
    say(&welcome(&bound.endpoints().cloned().collect::<Vec<_>>()))?;

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

fn allowed(origins: &[String]) -> Cors {
    origins.iter().fold(Cors::new(), |cors, origin| match origin.as_str() {
        "*" => cors.allow_any_origin(),
        origin => cors.allow_origin(origin),
    })
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
fn welcome(endpoints: &[Endpoint], with_tls: bool, root: Option<&PathBuf>) -> String {
    let command = try_out::command();
    let mut listening = String::from("Greeter, Numbers and Echo listen at\n");
    let mut calling = String::from("\nCall them from another terminal:\n");
    for endpoint in endpoints {
        let _ = writeln!(listening, "  {endpoint}");
        for place in places(endpoint, with_tls, root) {
            for line in place.lines(&command) {
                let _ = writeln!(calling, "  {line}");
            }
        }
    }
    format!("{listening}{calling}  {command} tour\nCtrl-C ends this.")
}

/// How an endpoint is reached: by TLS, in plain, or both.
fn places(endpoint: &Endpoint, with_tls: bool, root: Option<&PathBuf>) -> Vec<Place> {
    if let Some(path) = endpoint.path() {
        return vec![Place::socket(path)];
    }
    if endpoint.port().is_none() {
        return Vec::new();
    }
    let authority = reachable(&endpoint.authority());
    let mut places = Vec::new();
    if !endpoint.is_tls() {
        places.push(Place::plain(authority.clone()));
    }
    if with_tls {
        places.push(Place::tls(authority, root.map(PathBuf::as_path)));
    }
    places
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
