//! A restart that loses no connection: the successor gets the listening sockets themselves.
//!
//! ```text
//!  predecessor                                   successor
//!     | accepts
//!     |---- the sockets, by LISTEN_FDS or over a Unix socket ---->|
//!     | accepts                                                   | accepts
//!     |<--- "serving" (over a Unix socket) -----------------------|
//!     | stops to accept, ends what it has begun                   | accepts
//! ```
//!
//! Both have the same queue. Who waits in it is accepted by one of them, and closing one's descriptor closes nothing as long
//! as the other has one. (Two sockets on one port with `reuse_port` have two queues; the one that is closed resets who
//! waits in it.) When to stop and what to end is the program's business.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::PollFlags;

use crate::inherited::Inherited;
use crate::lifecycle::{Connected, Listening, SeqPacket};
use crate::limits::{DESCRIPTORS_PER_MESSAGE, HANDOVER_BYTES};
use crate::unix::BoundPath;
use crate::wait::{self, Deadline};
use crate::{Listener, Socket, sys};

/// Listening sockets on their way to a successor.
///
/// ```no_run
/// use std::process::Command;
/// use farcall_socket::{Handover, Listener};
///
/// # fn restart(listener: Listener) -> std::io::Result<()> {
/// let mut handover = Handover::default();
/// handover.add("web", &listener)?;
/// let successor = handover.spawn(Command::new("/usr/bin/server"))?;
/// drop(listener); // the successor has the queue
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Handover {
    sockets: Vec<Leaving>,
}

#[derive(Debug)]
struct Leaving {
    name: String,
    socket: OwnedFd,
    file: Option<Arc<BoundPath>>,
}

/// What can be handed over: a [`Listener`] or a [`Socket`] that listens.
pub trait Queued: sealed::Queued {}

impl<T: sealed::Queued> Queued for T {}

mod sealed {
    use super::{Arc, BorrowedFd, BoundPath};

    pub trait Queued {
        fn socket(&self) -> Option<BorrowedFd<'_>>;
        #[allow(private_interfaces)]
        fn file(&self) -> Option<&Arc<BoundPath>>;
    }
}

#[allow(private_interfaces)]
impl sealed::Queued for Listener {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.descriptor()
    }

    fn file(&self) -> Option<&Arc<BoundPath>> {
        Listener::file(self)
    }
}

#[allow(private_interfaces)]
impl<K> sealed::Queued for Socket<Listening, K> {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        Some(self.as_fd())
    }

    fn file(&self) -> Option<&Arc<BoundPath>> {
        Socket::file(self)
    }
}

impl Handover {
    /// Adds a listener under the name by which the successor will know it.
    ///
    /// # Errors
    /// `InvalidInput` when the name is empty, has other characters than letters, digits, `-`, `_` and `.`, or there are
    /// 253 sockets already; `Unsupported` for a listener inside the process.
    pub fn add(&mut self, name: &str, listener: &impl Queued) -> io::Result<()> {
        let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let is_name = (1..=255).contains(&name.len()) && name.bytes().all(is_name_byte);
        if !is_name || self.sockets.len() == DESCRIPTORS_PER_MESSAGE {
            let text =
                "expected a name of letters, digits, `-`, `_` and `.`, and at most 253 sockets";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let Some(socket) = listener.socket() else {
            let text = "a listener inside the process cannot be handed over";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        };
        let (socket, file) = (socket.try_clone_to_owned()?, listener.file().cloned());
        self.sockets.push(Leaving { name: name.to_owned(), socket, file });
        Ok(())
    }

    /// Starts the successor with the sockets at descriptors 3, 4 and so on and says so in its environment: it finds them
    /// as `fd://name`, or by [`Inherited::all`]. An environment that the command cleared is not seen: the successor gets
    /// this process's variables, with the command's changes.
    ///
    /// The files of Unix sockets stay for the successor; it does not remove them at its end.
    ///
    /// # Errors
    /// When the program cannot be started. Nothing was handed over then.
    pub fn spawn(self, command: Command) -> io::Result<Child> {
        let sockets: Vec<_> = self.sockets.iter().map(|leaving| leaving.socket.as_fd()).collect();
        let names: Vec<_> = self.sockets.iter().map(|leaving| leaving.name.as_str()).collect();
        let child = sys::spawn::spawn(command, &sockets, &names.join(":"))?;
        self.leave_files();
        Ok(child)
    }

    /// Sends the sockets to the successor at the other end of the connection, and waits until it says that it serves.
    /// Its user has to be this process's, or root.
    ///
    /// # Errors
    /// `PermissionDenied` for another user; `UnexpectedEof` when the successor went away, and `TimedOut` when it did not
    /// say in time that it serves: nothing was handed over then, and this process has to go on.
    pub fn send(
        self,
        successor: &Socket<Connected, SeqPacket>,
        patience: Duration,
    ) -> io::Result<()> {
        refuse_other_users(successor)?;
        let mut text = String::new();
        for Leaving { name, file, .. } in &self.sockets {
            let has_file = file.as_ref().is_some_and(|file| file.is_ours());
            text.push_str(if has_file { "+" } else { "-" });
            text.push_str(name);
            text.push('\n');
        }
        let sockets: Vec<_> = self.sockets.iter().map(|leaving| leaving.socket.as_fd()).collect();
        text.push('.');
        successor.send_descriptors(text.as_bytes(), &sockets)?;
        wait::until_ready(successor, PollFlags::IN, Deadline::after(patience))?;
        match successor.receive(&mut [0; SERVING.len()]) {
            Ok(length) if length == SERVING.len() => {}
            Ok(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) => return Err(error),
        }
        self.leave_files();
        Ok(())
    }

    /// From now on the successor removes them.
    fn leave_files(self) {
        for file in self.sockets.into_iter().filter_map(|leaving| leaving.file) {
            file.set_ours(false);
        }
    }
}

const SERVING: &[u8] = b"serving";

/// Listening sockets that a predecessor sent.
///
/// Dropping it without [`Takeover::serving`] tells the predecessor to go on.
#[derive(Debug)]
pub struct Takeover {
    sockets: Vec<Inherited>,
    files: Vec<Arc<BoundPath>>,
    predecessor: Socket<Connected, SeqPacket>,
}

impl Takeover {
    /// Receives what the predecessor at the other end sends. Its user has to be this process's, or root.
    ///
    /// # Errors
    /// `PermissionDenied` for another user; `UnexpectedEof` when the predecessor went away, `TimedOut` when it sent
    /// nothing in time; `InvalidData` when what came is no hand-over.
    pub fn receive(
        predecessor: Socket<Connected, SeqPacket>,
        patience: Duration,
    ) -> io::Result<Self> {
        refuse_other_users(&predecessor)?;
        wait::until_ready(&predecessor, PollFlags::IN, Deadline::after(patience))?;
        let mut buffer = vec![0; HANDOVER_BYTES];
        let (length, sockets) =
            predecessor.receive_descriptors(&mut buffer, DESCRIPTORS_PER_MESSAGE)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "this is no hand-over");
        let text = buffer.get(..length).and_then(|text| str::from_utf8(text).ok());
        let lines = text.and_then(|text| text.strip_suffix('.')).ok_or_else(wrong)?;
        if lines.lines().count() != sockets.len() {
            return Err(wrong());
        }
        let mut received = Self { sockets: Vec::new(), files: Vec::new(), predecessor };
        for (line, socket) in lines.lines().zip(sockets) {
            let (has_file, name) = line.split_at_checked(1).ok_or_else(wrong)?;
            let file = if has_file == "+" { BoundPath::of_other(&socket) } else { None };
            received.files.extend(file.clone());
            received.sockets.push(Inherited::new(Some(name.to_owned()), socket, file));
        }
        Ok(received)
    }

    /// Takes the first socket of this name out.
    pub fn take(&mut self, name: &str) -> Option<Inherited> {
        let at = self.sockets.iter().position(|socket| socket.name() == Some(name))?;
        Some(self.sockets.remove(at))
    }

    /// Tells the predecessor that this process serves, so that it may stop. The files of Unix sockets are this process's
    /// from now on; a socket that was not taken is closed.
    ///
    /// # Errors
    /// When the predecessor is gone. The sockets are here all the same.
    pub fn serving(self) -> io::Result<()> {
        for file in &self.files {
            file.set_ours(true);
        }
        self.predecessor.send(SERVING)
    }
}

/// Whoever has the sockets is the server. Abstract names have no permissions, so that the kernel is asked who it is.
fn refuse_other_users(other: &Socket<Connected, SeqPacket>) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    match crate::unix::credentials(other) {
        Some(credentials) if credentials.uid == own || credentials.uid == 0 => Ok(()),
        credentials => {
            let uid = credentials.map(|credentials| credentials.uid);
            let text = format!("sockets are not handed over between users {own} and {uid:?}");
            Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
        }
    }
}
