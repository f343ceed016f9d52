//! Who waits for connections, whatever the transport.
//!
//! A listener hands connections over in the order in which they came. It never reads from them, and it never gives up
//! because one of them was bad.

use std::future::poll_fn;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::accept_queue::AcceptQueue;
use crate::inherited::Inherited;
use crate::memory::BoundName;
use crate::unix::BoundPath;
use crate::{BindError, Connection, Endpoint, Listening, Options, Scheme, Socket, tcp, unix};

/// Waits for connections at an endpoint.
///
/// Dropping the last clone closes the queue: who still waits in it is disconnected. The file of a Unix socket goes with it.
#[derive(Debug)]
pub struct Listener {
    endpoint: Endpoint,
    queue: Queue,
}

#[derive(Debug)]
enum Queue {
    Kernel(AcceptQueue),
    Memory(Arc<BoundName>),
}

impl Listener {
    /// Binds to the endpoint and listens. Port 0 takes a free port; a name is bound at the first of its addresses that
    /// can be had. Must be called inside a tokio runtime with I/O and time enabled.
    ///
    /// All schemes over TCP listen alike, and [`Listener::endpoint`] remembers which it was: the bytes of a `tls://`,
    /// `https://` or `wss://` connection are still to go through `ServerTls::accept`.
    ///
    /// A Unix socket's file is made with [`Options::unix_mode`] from its first moment. A stale socket at the path is
    /// replaced; a live one, and any other file, is left alone.
    ///
    /// # Errors
    /// [`BindError`] names the endpoint and the cause; a taken port or path is [`crate::BindErrorKind::InUse`].
    pub async fn bind(endpoint: &Endpoint, options: &Options) -> Result<Self, BindError> {
        let options = &endpoint.options(options);
        let failed = |error| BindError::from_io(endpoint, error);
        let (endpoint, socket) = match (endpoint.scheme(), endpoint.name()) {
            (scheme, _) if scheme.is_tcp() => {
                let (socket, real) = tcp::bind(endpoint, options).await?;
                (real, socket)
            }
            (Scheme::Unix, _) => (endpoint.clone(), unix::bind(endpoint, options).await?),
            (Scheme::Memory, Some(name)) => {
                let queue = Queue::Memory(Arc::new(BoundName::bind(endpoint, name, options)?));
                return Ok(Self { endpoint: endpoint.clone(), queue });
            }
            (Scheme::Descriptor, _) => {
                let socket = Inherited::take(endpoint).and_then(Inherited::into_listening);
                let socket = socket.map_err(failed)?;
                (socket.endpoint().map_err(failed)?, socket)
            }
            _ => return Err(BindError::unsupported(endpoint)),
        };
        Self::from_socket(endpoint, socket).map_err(failed)
    }

    /// The file of a Unix socket, if there is one.
    pub(crate) fn file(&self) -> Option<&Arc<BoundPath>> {
        match &self.queue {
            Queue::Kernel(queue) => queue.file(),
            Queue::Memory(_) => None,
        }
    }

    pub(crate) fn from_socket(endpoint: Endpoint, socket: Socket<Listening>) -> io::Result<Self> {
        Ok(Self { endpoint, queue: Queue::Kernel(AcceptQueue::new(socket)?) })
    }

    /// The socket itself, for use without a runtime.
    ///
    /// # Errors
    /// `Unsupported` for `mem://`, which has no socket.
    pub fn into_blocking(self) -> io::Result<Socket<Listening>> {
        match self.queue {
            Queue::Kernel(queue) => queue.into_socket(),
            Queue::Memory(_) => Err(no_socket()),
        }
    }

    /// How many connections wait now, how many may, and how many found the queue full. TCP only.
    ///
    /// # Errors
    /// `Unsupported` where the kernel does not tell: Unix sockets and `mem://`.
    pub fn queue(&self) -> io::Result<crate::Queue> {
        match &self.queue {
            Queue::Kernel(queue) => crate::Queue::of(queue.descriptor()),
            Queue::Memory(_) => Err(no_socket()),
        }
    }

    /// The next connection. Dropping the future loses no connection.
    ///
    /// When the process has no descriptors or memory left it tries again after 5 ms, doubling up to 1 s; the
    /// connections wait in the queue meanwhile.
    ///
    /// # Errors
    /// Only when the listener itself is broken; never because of a single connection.
    pub async fn accept(&self) -> io::Result<Connection> {
        match &self.queue {
            Queue::Kernel(queue) => queue.accept().await,
            Queue::Memory(bound) => Ok(poll_fn(|cx| bound.poll_accept(cx)).await),
        }
    }

    /// [`Listener::accept`] as a poll. Of several tasks that poll one listener only the last is woken for sure; give each
    /// its own clone.
    ///
    /// # Errors
    /// As [`Listener::accept`].
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Connection>> {
        match &self.queue {
            Queue::Kernel(queue) => queue.poll_accept(cx),
            Queue::Memory(bound) => bound.poll_accept(cx).map(Ok),
        }
    }

    /// The next connection if one waits already: to empty the queue before closing.
    ///
    /// # Errors
    /// As [`Listener::accept`], and when the process has no descriptors or memory left.
    pub fn try_accept(&self) -> io::Result<Option<Connection>> {
        match &self.queue {
            Queue::Kernel(queue) => queue.try_accept(),
            Queue::Memory(bound) => Ok(bound.try_accept()),
        }
    }

    /// Where it really listens: with the port that was taken for port 0, and the address that a name led to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The descriptor, for those who watch; `None` in memory.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match &self.queue {
            Queue::Kernel(queue) => Some(queue.descriptor()),
            Queue::Memory(_) => None,
        }
    }

    /// Another listener on the same queue, watched by the current tokio runtime. Each connection goes to one of them,
    /// and none is lost when one is dropped: for a thread of its own, or a successor.
    ///
    /// # Errors
    /// When there is no descriptor left.
    pub fn try_clone(&self) -> io::Result<Self> {
        let queue = match &self.queue {
            Queue::Kernel(queue) => Queue::Kernel(queue.try_clone()?),
            Queue::Memory(bound) => Queue::Memory(bound.clone()),
        };
        Ok(Self { endpoint: self.endpoint.clone(), queue })
    }
}

fn no_socket() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "a listener inside the process has no socket")
}
