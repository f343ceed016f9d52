//! The connections of a server: accepted, counted, and told when it is time to go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use farcall_core::{Result, Status};
use farcall_socket::{Connection, Listener};
use farcall_wire::http2::Role as End;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use crate::driver::Driver;
use crate::engine::Spoken;
use crate::mailbox::{Mailbox, Note};
use crate::server::Shared;
use crate::server::age::{Age, Aging};
use crate::server::connection::ServerConnection;
use crate::server::hosts::Guard;
use crate::server::opening::{self, Gate, Opened};

/// All connections of a server.
pub(crate) struct Connections {
    /// One permit for each connection that may still be opened.
    room: Arc<Semaphore>,
    aging: Aging,
    stopping: watch::Sender<bool>,
    open: Mutex<Open>,
    /// Told when the last one has gone.
    empty: Notify,
}

#[derive(Default)]
struct Open {
    next: u64,
    mailboxes: HashMap<u64, Arc<Mailbox>>,
}

impl Connections {
    pub(crate) fn new(most: usize, aging: Aging) -> Self {
        Self {
            aging,
            room: Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))),
            stopping: watch::Sender::new(false),
            open: Mutex::default(),
            empty: Notify::new(),
        }
    }

    /// Accepts until the server stops; then what is left in the queue, so that nobody who has been let in is turned away
    /// without a word.
    pub(crate) async fn accept(
        self: Arc<Self>,
        listener: Listener,
        shared: Arc<Shared>,
        gate: Gate,
    ) -> Result<()> {
        let mut stopping = self.stopping.subscribe();
        let failed =
            |error| Status::unavailable(format!("accept at {}: {error}", listener.endpoint()));
        loop {
            let next = async {
                let permit = Arc::clone(&self.room).acquire_owned().await.ok();
                (permit, listener.accept().await)
            };
            tokio::select! {
                (permit, accepted) = next => self.serve(accepted.map_err(failed)?, &shared, &gate, permit),
                _ = stopping.wait_for(|stopping| *stopping) => break,
            }
        }
        while let Ok(permit) = Arc::clone(&self.room).try_acquire_owned()
            && let Ok(Some(connection)) = listener.try_accept()
        {
            self.serve(connection, &shared, &gate, Some(permit));
        }
        Ok(())
    }

    /// Serves one connection, on a task of its own.
    pub(crate) fn serve(
        self: &Arc<Self>,
        connection: Connection,
        shared: &Arc<Shared>,
        gate: &Gate,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        let mailbox = Arc::new(Mailbox::default());
        let entry = self.enter(&mailbox);
        let age = self.aging.begin(entry.number, Instant::now());
        let (connections, shared, gate) = (Arc::clone(self), Arc::clone(shared), gate.clone());
        tokio::spawn(async move {
            if let Some(Opened { connection, spoken }) =
                opening::open(connection, &gate, &mailbox).await
            {
                let peer = Arc::clone(connection.peer());
                let guard = Guard::new(gate.loopback, &connection);
                let role = ServerConnection::new(shared, connections, peer, mailbox, guard);
                let role = role.with_age(age);
                Driver::new(connection, spoken, End::Server, role).await;
            }
            drop((entry, permit));
        });
    }

    /// Serves calls on a WebSocket inside of another connection, whose age it has.
    pub(crate) fn serve_calls(self: &Arc<Self>, pipe: Connection, shared: &Arc<Shared>, age: Age) {
        let mailbox = Arc::new(Mailbox::default());
        let entry = self.enter(&mailbox);
        let peer = Arc::clone(pipe.peer());
        let role = ServerConnection::new(
            Arc::clone(shared),
            Arc::clone(self),
            peer,
            mailbox,
            Guard::default(),
        )
        .with_age(age);
        let driver = Driver::new(pipe, Spoken::CallsOverWebSocket, End::Server, role);
        tokio::spawn(async move {
            driver.await;
            drop(entry);
        });
    }

    fn enter(self: &Arc<Self>, mailbox: &Arc<Mailbox>) -> Entry {
        let mut open = self.lock();
        let number = open.next;
        open.next += 1;
        open.mailboxes.insert(number, Arc::clone(mailbox));
        if *self.stopping.borrow() {
            let _ = mailbox.push(Note::Shutdown);
        }
        Entry { connections: Arc::clone(self), number }
    }

    /// Ends all [`accept`](Self::accept).
    pub(crate) fn stop_accepting(&self) {
        self.stopping.send_replace(true);
    }

    /// Lets calls under way end within `limit`, then ends what is left.
    pub(crate) async fn shut_down(&self, limit: Duration, abort_limit: Duration) {
        self.tell_all(|| Note::Shutdown);
        if tokio::time::timeout(limit, self.gone()).await.is_err() {
            self.tell_all(|| Note::Abort);
            let _ = tokio::time::timeout(abort_limit, self.gone()).await;
        }
    }

    fn tell_all(&self, note: impl Fn() -> Note) {
        for mailbox in self.lock().mailboxes.values() {
            let _ = mailbox.push(note());
        }
    }

    async fn gone(&self) {
        loop {
            let empty = self.empty.notified();
            if self.lock().mailboxes.is_empty() {
                return;
            }
            empty.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in the list, for as long as it is open.
struct Entry {
    connections: Arc<Connections>,
    number: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.mailboxes.remove(&self.number);
        if open.mailboxes.is_empty() {
            self.connections.empty.notify_waiters();
        }
    }
}
