//! Sockets that were open when this program began: a supervisor or a predecessor bound them.
//!
//! The supervisor says so in the environment (`sd_listen_fds(3)`): `LISTEN_FDS` is how many there are, from descriptor 3 on,
//! `LISTEN_FDNAMES` their names with `:` between them, and `LISTEN_PID` the process that they are for. The environment is
//! read and never changed. A socket at another number is found by `fd://7` as well.

use std::env;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use socket2::Type;

use crate::limits::INHERITED_SOCKETS;
use crate::sys::inherited::claim;
use crate::unix::BoundPath;
use crate::{Connected, Endpoint, Listening, Socket};

/// The first descriptor that a supervisor hands in (`SD_LISTEN_FDS_START`).
pub(crate) const FIRST: RawFd = 3;

/// A socket that was open when this program began, or that was handed over later.
#[derive(Debug)]
pub struct Inherited {
    name: Option<String>,
    // Dropped before the socket, as everywhere.
    file: Option<Arc<BoundPath>>,
    socket: OwnedFd,
}

impl Inherited {
    pub(crate) fn new(name: Option<String>, socket: OwnedFd, file: Option<Arc<BoundPath>>) -> Self {
        Self { name, file, socket }
    }

    /// Every socket of `LISTEN_FDS` that nobody took yet, in order. None when the variables are missing or were meant
    /// for another process.
    ///
    /// # Errors
    /// When the variables are wrong, or a descriptor that they promise is not there.
    pub fn all() -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        for (number, name) in Announcement::of_environment()?.sockets {
            match claim(number) {
                Ok(socket) => found.push(Self::new(name, socket, None)),
                // Somebody took it before.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// The socket of an `fd://3` or `fd://name` endpoint. Each can be taken once.
    ///
    /// # Errors
    /// `NotFound` when there is no such descriptor or name; `InvalidInput` when it is no socket, or not an inherited one,
    /// or taken already.
    pub fn take(endpoint: &Endpoint) -> io::Result<Self> {
        let announced = Announcement::of_environment()?.sockets;
        let wanted = |(number, name): &(RawFd, Option<String>)| {
            name.as_deref().is_some_and(|name| Some(name) == endpoint.name())
                || u32::try_from(*number).ok() == endpoint.descriptor()
        };
        let mut result = match endpoint.descriptor().and_then(|number| RawFd::try_from(number).ok())
        {
            Some(number) if !announced.iter().any(wanted) => {
                return Ok(Self::new(None, claim(number)?, None));
            }
            Some(_) => Err(io::ErrorKind::NotFound.into()),
            None => {
                let text = "no socket of that name was handed in (LISTEN_FDNAMES)";
                Err(io::Error::new(io::ErrorKind::NotFound, text))
            }
        };
        // Several sockets may have one name; the first that is free is taken.
        for (number, name) in announced.into_iter().filter(wanted) {
            result = claim(number).map(|socket| Self::new(name, socket, None));
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// The name that the supervisor gave to it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// As the stream listener that it is.
    ///
    /// # Errors
    /// `InvalidInput` when it is of another kind, or does not listen.
    pub fn into_listening(self) -> io::Result<Socket<Listening>> {
        let socket = stream(self.socket)?;
        Socket::adopt_listening(socket, self.file)
    }

    /// As the stream connection that it is: some supervisors accept, and start one process for each connection.
    ///
    /// # Errors
    /// `InvalidInput` when it is of another kind; `NotConnected` when it has no other end.
    pub fn into_connected(self) -> io::Result<Socket<Connected>> {
        Socket::adopt_connected(stream(self.socket)?)
    }
}

impl AsFd for Inherited {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl From<Inherited> for OwnedFd {
    fn from(inherited: Inherited) -> Self {
        inherited.socket
    }
}

fn stream(socket: OwnedFd) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::from(socket);
    if socket.r#type()? == Type::STREAM {
        return Ok(socket);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket that was handed in is no stream"))
}

/// What the environment says about the sockets that were handed in.
#[derive(Debug, Default, PartialEq, Eq)]
struct Announcement {
    sockets: Vec<(RawFd, Option<String>)>,
}

impl Announcement {
    fn of_environment() -> io::Result<Self> {
        let variable = |name| env::var(name).ok();
        let (pid, count) = (variable("LISTEN_PID"), variable("LISTEN_FDS"));
        let names = variable("LISTEN_FDNAMES");
        Self::parse(pid.as_deref(), count.as_deref(), names.as_deref(), std::process::id())
    }

    fn parse(
        pid: Option<&str>,
        count: Option<&str>,
        names: Option<&str>,
        own_pid: u32,
    ) -> io::Result<Self> {
        let (Some(pid), Some(count)) = (pid, count) else {
            return Ok(Self::default());
        };
        if pid.parse::<u32>().map_err(|_| wrong("LISTEN_PID", "the number of a process", pid))?
            != own_pid
        {
            // A child gets its parent's environment, but not the sockets.
            return Ok(Self::default());
        }
        let expected = "a number of sockets up to 1,024";
        let count = match count.parse::<u16>() {
            Ok(number) if number <= INHERITED_SOCKETS => number,
            _ => return Err(wrong("LISTEN_FDS", expected, count)),
        };
        let mut names = names.into_iter().flat_map(|names| names.split(':'));
        let sockets = (0..RawFd::from(count))
            .map(|index| (FIRST + index, names.next().map(str::to_owned)))
            .collect();
        Ok(Self { sockets })
    }
}

fn wrong(variable: &str, expected: &str, got: impl fmt::Display) -> io::Error {
    let text = format!("bad {variable} in the environment: expected {expected}, got `{got}`");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pid: &str, count: &str, names: Option<&str>) -> io::Result<Vec<(RawFd, String)>> {
        let found = Announcement::parse(Some(pid), Some(count), names, 77)?;
        Ok(found.sockets.into_iter().map(|(n, name)| (n, name.unwrap_or_default())).collect())
    }

    #[test]
    fn the_first_socket_is_descriptor_3_and_each_may_have_a_name() {
        let named = |number, name: &str| (number, name.to_owned());
        let expected = [named(3, "web"), named(4, "admin"), named(5, "")];
        assert_eq!(parse("77", "3", Some("web:admin")).unwrap(), expected);
        assert_eq!(parse("77", "1", None).unwrap(), [named(3, "")]);
    }

    #[test]
    fn sockets_for_another_process_are_not_ours() {
        assert_eq!(parse("78", "3", None).unwrap(), []);
        assert_eq!(
            Announcement::parse(None, Some("3"), None, 77).unwrap(),
            Announcement::default()
        );
    }

    #[test]
    fn wrong_variables_are_named() {
        for (pid, count) in [("x", "1"), ("77", "-1"), ("77", "1025"), ("77", "99999999999")] {
            let text = parse(pid, count, None).unwrap_err().to_string();
            assert!(text.starts_with("bad LISTEN_"), "{text}");
        }
    }
}
