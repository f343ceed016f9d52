//! With an address, and nobody can reach it yet.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::unbound::{Connecting, through};
use super::{Connected, Datagram, Failed, Family, SeqPacket, Socket, Stream, owned};
use crate::pause::Pause;
use crate::sockaddr::Sockaddr;
use crate::unix::{BoundPath, FolderLock};
use crate::wait::Deadline;
use crate::{Listening, Options};

/// A socket that has an address: it can listen, or connect from there. Who connects to it is refused.
#[derive(Debug)]
pub struct Bound {
    pub(super) family: Family,
    pub(super) options: Box<Options>,
    pub(super) file: Option<BoundPath>,
    /// Held from bind to listen, so that no other process takes the file for a stale one in between.
    pub(super) lock: Option<FolderLock>,
}

impl Socket<Bound, Stream> {
    /// Lets others connect. As many as [`Options::backlog`] says, and one more, may wait to be accepted.
    ///
    /// # Errors
    /// [`Failed`] gives the socket back: another socket began to listen on the same port in the meantime.
    pub fn listen(self) -> Result<Socket<Listening, Stream>, Failed<Self>> {
        listen(self)
    }
}

impl Socket<Bound, SeqPacket> {
    /// Lets others connect. As many as [`Options::backlog`] says, and one more, may wait to be accepted.
    ///
    /// # Errors
    /// [`Failed`] gives the socket back.
    pub fn listen(self) -> Result<Socket<Listening, SeqPacket>, Failed<Self>> {
        listen(self)
    }
}

fn listen<K>(socket: Socket<Bound, K>) -> Result<Socket<Listening, K>, Failed<Socket<Bound, K>>> {
    let Bound { family, options, .. } = &socket.state;
    let prepared =
        if *family == Family::Unix { Ok(()) } else { options.apply_before_listen(&socket.raw) };
    let listened = prepared.and_then(|()| socket.raw.listen(options.kernel_backlog()));
    match listened.and_then(|()| socket.local()) {
        Ok(local) => Ok(socket.step(|Bound { file, lock, .. }| {
            drop(lock);
            Listening {
                through: through(&local),
                file: file.map(Arc::new),
                pause: Pause::default(),
            }
        })),
        Err(error) => Err(Failed { error, socket }),
    }
}

impl<K> Socket<Bound, K> {
    /// Connects from the address to which the socket is bound. Waits for [`Options::connect_timeout`] at most.
    ///
    /// # Errors
    /// When nobody listens there, gives no answer in time, or these two ends are connected already. The socket is
    /// closed then.
    pub fn connect(self, address: &Sockaddr) -> io::Result<Socket<Connected, K>> {
        let deadline = Deadline::after(self.state.options.connect_timeout);
        Connecting::begin(self.raw, address, deadline)?.wait(deadline, self.state.file)
    }
}

impl Socket<Bound, Datagram> {
    /// The descriptor, and the file that has to live as long.
    pub(crate) fn into_parts(self) -> (OwnedFd, Option<BoundPath>) {
        (owned(self.raw), self.state.file)
    }
}
