//! Others can connect, and wait in a queue to be accepted.

use std::io;
use std::sync::Arc;

use rustix::event::PollFlags;
use rustix::net::{SocketFlags, acceptfrom_with};

use super::unbound::through;
use super::{Connected, Family, Socket, Stream, invalid};
use crate::pause::Pause;
use crate::queue::Queue;
use crate::unix::BoundPath;
use crate::wait::{self, Deadline, retry};
use crate::{Address, Endpoint, Listener};

/// A socket with a queue of connections that wait to be accepted.
#[derive(Debug)]
pub struct Listening {
    pub(super) through: Option<Address>,
    pub(super) file: Option<Arc<BoundPath>>,
    pub(super) pause: Pause,
}

impl<K> Socket<Listening, K> {
    /// The connection that waits longest; waits for one while the queue is empty.
    ///
    /// When the process has no descriptors or memory left it tries again after 5 ms, doubling up to 1 s; the
    /// connections wait in the queue meanwhile.
    ///
    /// # Errors
    /// Only when the listener itself is broken; never because of a single connection.
    pub fn accept(&self) -> io::Result<Socket<Connected, K>> {
        loop {
            self.state.pause.wait_blocking();
            let accept = || acceptfrom_with(&self.raw, SocketFlags::CLOEXEC);
            match retry(&self.raw, PollFlags::IN, accept) {
                Ok((socket, _)) => {
                    self.state.pause.accepted();
                    let through = self.state.through.clone();
                    return Ok(Socket::new(socket.into(), Connected { through, file: None }));
                }
                Err(error) => self.state.pause.failed(error)?,
            }
        }
    }

    /// The connection that waits longest, if one waits already.
    ///
    /// # Errors
    /// As [`Socket::accept`], and when the process has no descriptors or memory left.
    pub fn try_accept(&self) -> io::Result<Option<Socket<Connected, K>>> {
        loop {
            let now = Deadline::after(std::time::Duration::ZERO);
            match wait::until_ready(&self.raw, PollFlags::IN, now) {
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Ok(None),
                ready => ready?,
            }
            match acceptfrom_with(&self.raw, SocketFlags::CLOEXEC).map_err(io::Error::from) {
                Ok((socket, _)) => {
                    let through = self.state.through.clone();
                    let connected = Connected { through, file: None };
                    return Ok(Some(Socket::new(socket.into(), connected)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if Pause::concerns_one_connection(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// How many connections wait now, how many may, and how many found the queue full. TCP only.
    ///
    /// # Errors
    /// `Unsupported` for Unix sockets.
    pub fn queue(&self) -> io::Result<Queue> {
        Queue::of(&self.raw)
    }

    /// The file of a Unix socket, if there is one.
    pub(crate) fn file(&self) -> Option<&Arc<BoundPath>> {
        self.state.file.as_ref()
    }

    /// The descriptor, the name on Unix, and the file that has to live as long.
    pub(crate) fn into_parts(self) -> (socket2::Socket, Option<Address>, Option<Arc<BoundPath>>) {
        (self.raw, self.state.through, self.state.file)
    }
}

impl Socket<Listening, Stream> {
    /// Takes a socket that listens already.
    pub(crate) fn adopt_listening(
        raw: socket2::Socket,
        file: Option<Arc<BoundPath>>,
    ) -> io::Result<Self> {
        if !raw.is_listener()? {
            return Err(invalid("a socket that does not listen"));
        }
        raw.set_cloexec(true)?;
        raw.set_nonblocking(true)?;
        let mut socket =
            Socket::new(raw, Listening { through: None, file, pause: Pause::default() });
        socket.state.through = through(&socket.local()?);
        Ok(socket)
    }

    /// The same queue for use with tokio. Must be called inside a runtime with I/O and time enabled.
    ///
    /// # Errors
    /// When the runtime cannot watch the socket.
    pub fn into_async(self) -> io::Result<Listener> {
        let endpoint = self.endpoint()?;
        Listener::from_socket(endpoint, self)
    }

    /// Where it listens, as an endpoint.
    ///
    /// # Errors
    /// When the kernel does not tell, or the name cannot be written as an endpoint.
    pub fn endpoint(&self) -> io::Result<Endpoint> {
        let local = self.local()?;
        if let Some(address) = local.socket_address() {
            return Ok(address.into());
        }
        debug_assert_eq!(self.family()?, Family::Unix);
        format!("unix://{local}")
            .parse()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
    }
}
