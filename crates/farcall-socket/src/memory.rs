//! `mem://`: connections inside this process.
//!
//! A name belongs to the process, not to a runtime: whoever connects can live on another runtime than the listener.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::duplex;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::connection::Connection;
use crate::error::{BindError, ConnectError};
use crate::limits::{MEMORY_BACKLOG, MEMORY_PIPE_BYTES};
use crate::pipe::Pipe;
use crate::{Address, Endpoint, Options, Peer};

static QUEUES: LazyLock<Mutex<HashMap<Arc<str>, Arc<Queue>>>> = LazyLock::new(Mutex::default);

/// Connections that wait to be accepted under one name.
#[derive(Debug)]
struct Queue {
    name: Arc<str>,
    waiting: Mutex<Waiting>,
    /// One permit per free place; closed with the queue.
    places: Semaphore,
}

#[derive(Debug, Default)]
struct Waiting {
    connections: VecDeque<Connection>,
    acceptors: Vec<Waker>,
    closed: bool,
}

/// The listening end of a queue. Dropping it frees the name and closes the connections that nobody accepted.
#[derive(Debug)]
pub(crate) struct BoundName {
    queue: Arc<Queue>,
}

impl BoundName {
    pub(crate) fn bind(
        endpoint: &Endpoint,
        name: &str,
        options: &Options,
    ) -> Result<Self, BindError> {
        let mut queues = lock(&QUEUES);
        if queues.contains_key(name) {
            let text = "another listener of this process has the name";
            let error = io::Error::new(io::ErrorKind::AddrInUse, text);
            return Err(BindError::from_io(endpoint, error));
        }
        let backlog = options.backlog.unwrap_or(MEMORY_BACKLOG).max(1) as usize;
        let queue = Arc::new(Queue {
            name: name.into(),
            waiting: Mutex::default(),
            places: Semaphore::new(backlog.min(Semaphore::MAX_PERMITS)),
        });
        queues.insert(queue.name.clone(), queue.clone());
        Ok(Self { queue })
    }

    /// Every task that polled is woken when a connection comes.
    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Connection> {
        let mut waiting = lock(&self.queue.waiting);
        if let Some(connection) = waiting.connections.pop_front() {
            self.queue.places.add_permits(1);
            return Poll::Ready(connection);
        }
        let known = waiting.acceptors.iter().any(|w| w.will_wake(cx.waker()));
        if !known {
            waiting.acceptors.push(cx.waker().clone());
        }
        Poll::Pending
    }

    pub(crate) fn try_accept(&self) -> Option<Connection> {
        let connection = lock(&self.queue.waiting).connections.pop_front()?;
        self.queue.places.add_permits(1);
        Some(connection)
    }
}

impl Drop for BoundName {
    fn drop(&mut self) {
        lock(&QUEUES).remove(&self.queue.name);
        self.queue.places.close();
        let mut waiting = lock(&self.queue.waiting);
        waiting.closed = true;
        let left = std::mem::take(&mut waiting.connections);
        // Closing a connection wakes its other end; that must not happen under the lock.
        drop(waiting);
        drop(left);
    }
}

impl Queue {
    /// Puts a connection at the end, unless the listener is gone.
    fn enter(&self, connection: Connection) -> Result<(), Connection> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(connection);
        }
        waiting.connections.push_back(connection);
        let acceptors = std::mem::take(&mut waiting.acceptors);
        drop(waiting);
        acceptors.into_iter().for_each(Waker::wake);
        Ok(())
    }
}

/// Connects to the listener of this name. A full queue is waited for.
pub(crate) async fn connect(
    endpoint: &Endpoint,
    name: &str,
    options: &Options,
) -> Result<Connection, ConnectError> {
    let failed = |kind, text| ConnectError::from_io(endpoint, io::Error::new(kind, text));
    let refused = || {
        let text = "no listener of this process has the name";
        failed(io::ErrorKind::ConnectionRefused, text)
    };
    let queue = lock(&QUEUES).get(name).cloned().ok_or_else(refused)?;
    let Ok(place) = timeout(options.connect_timeout, queue.places.acquire()).await else {
        let text = "the listener's queue is full, and nobody accepts";
        return Err(failed(io::ErrorKind::TimedOut, text));
    };
    place.map_err(|_| refused())?.forget();
    let (client, server) = pair(Some(queue.name.clone()));
    queue.enter(server).map_err(|_| refused())?;
    Ok(client)
}

/// Two ends of one pipe in memory.
pub(crate) fn pair(name: Option<Arc<str>>) -> (Connection, Connection) {
    let (left, right) = duplex(MEMORY_PIPE_BYTES);
    let peer = Arc::new(Peer::new(Address::Memory(name), None));
    (Connection::new(Pipe::Memory(left), peer.clone()), Connection::new(Pipe::Memory(right), peer))
}

/// Nothing in here panics while it holds a lock, and a half-made change is not possible.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
