//! From an endpoint to a socket without a runtime, as [`crate::Listener`] and [`crate::Connection`] do it with one.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{Connected, Connecting, Family, Listening, Socket, Stream};
use crate::error::Attempt;
use crate::inherited::Inherited;
use crate::limits::CONNECTION_ATTEMPT_DELAY;
use crate::resolve::addresses_in_place;
use crate::wait::Deadline;
use crate::{BindError, BindErrorKind, ConnectError, ConnectErrorKind, Endpoint, Options, Scheme};
use crate::{tcp, unix};

impl Socket<Listening, Stream> {
    /// Opens, binds and listens at the endpoint. Port 0 takes a free port; a name is bound at the first of its
    /// addresses that can be had. Waits for the name servers, and needs no runtime.
    /// Endpoints with TLS are refused, because nothing here would speak it.
    ///
    /// # Errors
    /// [`BindError`] names the endpoint and the cause.
    pub fn listening_at(endpoint: &Endpoint, options: &Options) -> Result<Self, BindError> {
        let options = &endpoint.options(options);
        let failed = |error| BindError::from_io(endpoint, error);
        match endpoint.scheme() {
            Scheme::Tcp | Scheme::Http | Scheme::Ws => {
                let unresolved = |e| BindError::new(endpoint, BindErrorKind::Unresolved, e);
                let addresses = addresses_in_place(endpoint).map_err(unresolved)?;
                let (socket, _) = tcp::listen_on_first(endpoint, addresses, options)?;
                Ok(socket)
            }
            Scheme::Unix => {
                let address = unix::address(endpoint).map_err(failed)?;
                let socket = Socket::stream(Family::Unix, options).map_err(failed)?;
                let bound = socket.bind(&address).map_err(|f| failed(f.into()))?;
                bound.listen().map_err(|f| failed(f.into()))
            }
            Scheme::Descriptor => {
                Inherited::take(endpoint).and_then(Inherited::into_listening).map_err(failed)
            }
            _ => Err(BindError::unsupported(endpoint)),
        }
    }
}

impl Socket<Connected, Stream> {
    /// Opens and connects to the endpoint. The addresses of a name are tried in turn with a head start of 250 ms each
    /// (RFC 8305). Needs no runtime; the name servers are waited for as long as the system does. Endpoints with TLS are
    /// refused, because nothing here would encrypt.
    ///
    /// # Errors
    /// [`ConnectError`] names the endpoint and lists every address that was tried, each with its cause.
    pub fn connected_to(endpoint: &Endpoint, options: &Options) -> Result<Self, ConnectError> {
        let options = &endpoint.options(options);
        let failed = |error| ConnectError::from_io(endpoint, error);
        match endpoint.scheme() {
            Scheme::Tcp | Scheme::Http | Scheme::Ws => {
                let deadline = Deadline::after(options.connect_timeout);
                let unresolved = |e| ConnectError::new(endpoint, ConnectErrorKind::Unresolved, e);
                let addresses = addresses_in_place(endpoint).map_err(unresolved)?;
                race(addresses, options, deadline)
                    .map_err(|attempts| ConnectError::from_attempts(endpoint, attempts))
            }
            Scheme::Unix => {
                let address = unix::address(endpoint).map_err(failed)?;
                let socket = Socket::stream(Family::Unix, options).map_err(failed)?;
                socket.connect(&address).map_err(failed)
            }
            Scheme::Descriptor => {
                Inherited::take(endpoint).and_then(Inherited::into_connected).map_err(failed)
            }
            _ => Err(ConnectError::unsupported(endpoint)),
        }
    }
}

enum Lane {
    Waiting,
    Running(Connecting),
    Failed(io::Error),
}

/// Dials the addresses in their order until one answers; when none does, says why for each.
fn race(
    addresses: Vec<SocketAddr>,
    options: &Options,
    deadline: Deadline,
) -> Result<Socket<Connected>, Vec<Attempt>> {
    let mut lanes: Vec<_> = addresses.into_iter().map(|a| (a, Lane::Waiting)).collect();
    let mut head_start = Deadline::NEVER;
    loop {
        if let Some(winner) = finish_answered(&mut lanes) {
            return Ok(winner);
        }
        let running = lanes.iter().any(|(_, lane)| matches!(lane, Lane::Running(_)));
        let waiting = lanes.iter().any(|(_, lane)| matches!(lane, Lane::Waiting));
        if deadline.is_over() || !(running || waiting) {
            return Err(attempts(lanes));
        }
        if waiting && (!running || head_start.is_over()) {
            start_next(&mut lanes, options);
            head_start = Deadline::after(CONNECTION_ATTEMPT_DELAY);
            continue;
        }
        let until = if waiting { head_start.earlier(deadline) } else { deadline };
        wait_for_an_answer(&lanes, until);
    }
}

fn start_next(lanes: &mut [(SocketAddr, Lane)], options: &Options) {
    let next = lanes.iter_mut().find(|(_, lane)| matches!(lane, Lane::Waiting));
    if let Some((address, lane)) = next {
        let begun = Socket::stream((*address).into(), options)
            .and_then(|socket| socket.begin_connect(*address));
        *lane = begun.map_or_else(Lane::Failed, Lane::Running);
    }
}

/// The first lane that is connected. Lanes that failed are marked.
fn finish_answered(lanes: &mut [(SocketAddr, Lane)]) -> Option<Socket<Connected>> {
    for (_, lane) in lanes {
        let answered = matches!(lane, Lane::Running(connecting) if connecting.has_answer());
        if !answered {
            continue;
        }
        let Lane::Running(connecting) = std::mem::replace(lane, Lane::Waiting) else {
            continue;
        };
        match connecting.wait(Deadline::NEVER, None) {
            Ok(winner) => return Some(winner),
            Err(error) => *lane = Lane::Failed(error),
        }
    }
    None
}

/// Returns when a lane may have an answer, or at the deadline; the caller looks again.
fn wait_for_an_answer(lanes: &[(SocketAddr, Lane)], until: Deadline) {
    let mut running: Vec<_> = lanes
        .iter()
        .filter_map(|(_, lane)| match lane {
            Lane::Running(connecting) => {
                Some(PollFd::from_borrowed_fd(connecting.as_fd(), PollFlags::OUT))
            }
            _ => None,
        })
        .collect();
    let left = until.left().and_then(|left| Timespec::try_from(left).ok());
    if !matches!(poll(&mut running, left.as_ref()), Ok(_) | Err(Errno::INTR)) {
        // Poll can only fail for want of memory; the loop must not spin then.
        std::thread::sleep(until.left().unwrap_or_default().min(CONNECTION_ATTEMPT_DELAY));
    }
}

fn attempts(lanes: Vec<(SocketAddr, Lane)>) -> Vec<Attempt> {
    let timed_out = |text| io::Error::new(io::ErrorKind::TimedOut, text);
    lanes
        .into_iter()
        .map(|(address, lane)| Attempt {
            address: Some(address),
            error: match lane {
                Lane::Waiting => timed_out("not tried, the time was up"),
                Lane::Running(_) => timed_out("no answer in time"),
                Lane::Failed(error) => error,
            },
        })
        .collect()
}
