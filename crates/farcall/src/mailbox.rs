//! Notes to a connection's task, from handlers, callers and streams on any thread.
//!
//! One mailbox per connection. A note wakes the connection's task only when that task sleeps; while it runs, notes
//! pile up and are worked off in the same batch. Never blocks: the lock is held for a push or a swap.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use farcall_wire::event::StreamId;

use crate::link::Link;
use crate::service::Finished;

/// What a connection's task is told.
pub(crate) enum Note {
    /// The stream's link has something to send, or credit to give back.
    Attend(StreamId),
    /// The caller has lost interest.
    Cancel(StreamId),
    /// A call to be sent.
    Start(Arc<Link>),
    /// A handler that had become a task has ended; none: it was aborted, and its future is gone.
    Ended(StreamId, Option<Box<Finished>>),
    /// Take no new calls, end when those under way have ended.
    Shutdown,
    /// End now.
    Abort,
}

/// The notes of one connection and the waker of its task while it sleeps.
#[derive(Default)]
pub(crate) struct Mailbox {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    notes: Vec<Note>,
    sleeper: Option<Waker>,
    /// The task has ended: notes are given back.
    closed: bool,
}

impl Mailbox {
    /// Leaves a note. Gives it back when the connection's task has ended.
    pub(crate) fn push(&self, note: Note) -> Result<(), Note> {
        let sleeper = {
            let mut inner = self.lock();
            if inner.closed {
                return Err(note);
            }
            inner.notes.push(note);
            inner.sleeper.take()
        };
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
        Ok(())
    }

    /// Moves all notes into `into`, which should be empty: the two buffers take turns.
    pub(crate) fn drain(&self, into: &mut Vec<Note>) {
        mem::swap(&mut self.lock().notes, into);
    }

    /// Goes to sleep unless there is a note. Returns whether the task may sleep.
    pub(crate) fn sleep(&self, cx: &Context<'_>) -> bool {
        let mut inner = self.lock();
        if !inner.notes.is_empty() {
            return false;
        }
        match &mut inner.sleeper {
            Some(sleeper) => sleeper.clone_from(cx.waker()),
            None => inner.sleeper = Some(cx.waker().clone()),
        }
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().notes.is_empty()
    }

    /// Takes no more notes; returns the unread ones.
    pub(crate) fn close(&self) -> Vec<Note> {
        let mut inner = self.lock();
        inner.closed = true;
        inner.sleeper = None;
        mem::take(&mut inner.notes)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic cannot happen while the lock is held: only moves happen under it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
