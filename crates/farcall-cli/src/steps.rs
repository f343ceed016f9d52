//! Listening and connecting one step at a time, so that each can be told.
//!
//! The steps are those of [`farcall::socket::lifecycle`], which listeners and connections are made of themselves. What
//! has no such steps, because no kernel is asked, is done at once.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use farcall::socket::sockaddr::Sockaddr;
use farcall::socket::{Connected, Connection, Family, Listening, Socket, resolve};
use farcall::{Endpoint, Listener, Options, Scheme};
use tokio::task::spawn_blocking;

use crate::Result;
use crate::trace::{Ends, Trace};

/// Options for work by hand: whoever reads slowly, with a pager say, is not given up. Otherwise the defaults.
pub(crate) fn options() -> Options {
    Options { user_timeout: None, ..Options::default() }
}

/// Listens, and tells how.
///
/// # Errors
/// As [`Listener::bind`]; when there are several addresses, that of the first.
pub(crate) async fn listen(
    endpoint: &Endpoint,
    options: &Options,
    trace: Trace,
) -> Result<Listener> {
    reachable(endpoint)?;
    if !trace.is_on() || !has_steps(endpoint) {
        return Ok(Listener::bind(endpoint, options).await?);
    }
    let options = endpoint.options(options);
    let mut first_error = None;
    for address in resolve(endpoint).await.map_err(io::Error::from)?.addresses {
        match listen_at(&address, &options, trace) {
            Ok(socket) => return Ok(socket.into_async()?),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(failed("listen on", endpoint, first_error).into())
}

fn listen_at(address: &Sockaddr, options: &Options, trace: Trace) -> io::Result<Socket<Listening>> {
    let socket = Socket::stream(Family::from(address), options)?;
    trace.step("socket", &ends(&socket, socket.local(), "-"), "");
    let socket = socket.bind(address).map_err(|failed| {
        let (error, socket) = failed.into_parts();
        trace.step("bind", &ends(&socket, Ok(*address), "-"), format!("failed: {error}"));
        error
    })?;
    trace.step("bind", &ends(&socket, socket.local(), "-"), "who connects now is refused");
    let socket = socket.listen().map_err(io::Error::from)?;
    let queue = socket.queue().map(|queue| format!("{} may wait", queue.max));
    trace.step("listen", &ends(&socket, socket.local(), "-"), queue.unwrap_or_default());
    Ok(socket)
}

/// Connects, and tells how. When it is told, addresses are tried one after the other, not in a race.
///
/// # Errors
/// As [`Connection::connect`]; when there are several addresses, that of the first.
pub(crate) async fn connect(
    endpoint: &Endpoint,
    options: &Options,
    trace: Trace,
) -> Result<Connection> {
    if !trace.is_on() || !has_steps(endpoint) {
        return Ok(Connection::connect(endpoint, options).await?);
    }
    let options = endpoint.options(options);
    let mut first_error = None;
    for address in resolve(endpoint).await.map_err(io::Error::from)?.addresses {
        let options = options.clone();
        match spawn_blocking(move || connect_to(&address, &options, trace)).await? {
            Ok(socket) => return Ok(socket.into_async()?),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(failed("connect to", endpoint, first_error).into())
}

fn connect_to(
    address: &Sockaddr,
    options: &Options,
    trace: Trace,
) -> io::Result<Socket<Connected>> {
    let socket = Socket::stream(Family::from(address), options)?;
    let before = ends(&socket, socket.local(), &address.to_string());
    trace.step("socket", &before, "");
    let socket = socket.connect(address).inspect_err(|error| {
        trace.step("connect", &before, format!("failed: {error}"));
        trace.step("close", &before, "");
    })?;
    let after = ends(&socket, socket.local(), &address.to_string());
    trace.step("connect", &after, "in the other end's queue, perhaps not accepted yet");
    Ok(socket)
}

fn reachable(endpoint: &Endpoint) -> Result {
    match endpoint.scheme() {
        Scheme::Memory => Err(format!("{endpoint} cannot be reached from another process").into()),
        _ => Ok(()),
    }
}

fn has_steps(endpoint: &Endpoint) -> bool {
    matches!(endpoint.scheme(), Scheme::Tcp | Scheme::Http | Scheme::Unix)
}

fn ends(socket: &impl AsFd, local: io::Result<Sockaddr>, remote: &str) -> Ends {
    let local = local.map(|local| local.to_string());
    Ends::new(socket.as_fd().as_raw_fd(), local.unwrap_or_else(|_| "-".to_owned()), remote)
}

fn failed(what: &str, endpoint: &Endpoint, error: Option<io::Error>) -> io::Error {
    let error = error.unwrap_or_else(|| io::ErrorKind::NotFound.into());
    io::Error::new(error.kind(), format!("cannot {what} {endpoint}: {error}"))
}
