//! `--trace`: each step of a socket's life on standard error, with the descriptor's number and both addresses.
//!
//! It only tells what was done; it does nothing itself.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Instant;

use farcall::socket::Connection;

/// Tells the steps, or keeps silent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    began: Option<Instant>,
}

/// What a step concerns: a descriptor, this end's address, the other end's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    descriptor: Option<i32>,
    local: String,
    remote: String,
}

impl Ends {
    pub(crate) fn new(descriptor: i32, local: String, remote: &str) -> Self {
        Self { descriptor: Some(descriptor), local, remote: remote.to_owned() }
    }

    /// Of a connection.
    pub(crate) fn of(connection: &Connection) -> Self {
        let local = connection.local().map(|local| bare(&local.to_string()));
        Self {
            descriptor: number(connection.descriptor()),
            local: local.unwrap_or_else(|_| "-".to_owned()),
            remote: bare(&connection.peer().to_string()),
        }
    }
}

/// The address without the scheme, which every line would repeat.
fn bare(address: &str) -> String {
    address.split_once("://").map_or(address, |(_, rest)| rest).to_owned()
}

fn number(descriptor: Option<BorrowedFd<'_>>) -> Option<i32> {
    descriptor.map(|descriptor| descriptor.as_raw_fd())
}

impl Trace {
    /// Keeps silent.
    pub(crate) const OFF: Self = Self { began: None };

    pub(crate) fn new(on: bool) -> Self {
        Self { began: on.then(Instant::now) }
    }

    pub(crate) fn is_on(self) -> bool {
        self.began.is_some()
    }

    /// One step, with what else there is to say about it.
    pub(crate) fn step(self, name: &str, ends: &Ends, detail: impl Display) {
        let Some(began) = self.began else {
            return;
        };
        let Ends { descriptor, local, remote } = ends;
        let descriptor = descriptor.map_or("-".to_owned(), |number| number.to_string());
        let seconds = began.elapsed().as_secs_f64();
        let line =
            format!("{seconds:9.6} s  {name:<8}  fd {descriptor:<4} {local} -> {remote}  {detail}");
        // Who closed standard error does not want to be told.
        let _ = writeln!(io::stderr(), "{}", line.trim_end());
    }
}
