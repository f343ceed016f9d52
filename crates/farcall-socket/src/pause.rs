//! What accept does about an error: go on, wait a while, or give up.
//!
//! A pause only spaces tries out. It opens and closes nothing and logs nothing.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::io::Errno;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::{ACCEPT_FAILURES, ACCEPT_PAUSE};

/// The pauses of one accept loop: 5 ms, doubling up to 1 s, back to 5 ms after a connection was accepted.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Failures in a row that each concerned one connection.
    failures: u32,
    delay: Duration,
    until: Option<Instant>,
    /// For tasks that poll; those that await bring their own.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Pause {
    /// Returns when the next try may be made: at once unless an error came before.
    pub(crate) async fn wait(&self) {
        loop {
            let until = self.state().until;
            match until {
                Some(until) if until > Instant::now() => sleep_until(until).await,
                _ => return,
            }
        }
    }

    /// Like [`Pause::wait`], for a thread.
    pub(crate) fn wait_blocking(&self) {
        let until = self.state().until;
        if let Some(until) = until {
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        }
    }

    /// Like [`Pause::wait`]; only the last task that polled is woken.
    pub(crate) fn poll_wait(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        let Some(until) = state.until else {
            return Poll::Ready(());
        };
        let sleep = state.sleep.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if sleep.deadline() != until {
            sleep.as_mut().reset(until);
        }
        ready!(sleep.as_mut().poll(cx));
        state.until = None;
        state.sleep = None;
        Poll::Ready(())
    }

    /// A connection was accepted: all is well.
    pub(crate) fn accepted(&self) {
        *self.state() = State::default();
    }

    /// Accept failed. Returns the error if the listener itself is broken; otherwise the next try follows.
    pub(crate) fn failed(&self, error: io::Error) -> io::Result<()> {
        let mut state = self.state();
        match Failure::of(&error) {
            Failure::Connection if state.failures < ACCEPT_FAILURES => state.failures += 1,
            Failure::Connection | Failure::Exhausted => {
                let (first, longest) = ACCEPT_PAUSE;
                state.delay = (state.delay * 2).clamp(first, longest);
                state.until = Some(Instant::now() + state.delay);
            }
            Failure::Listener => return Err(error),
        }
        Ok(())
    }

    /// Whether an error of accept only took one connection off the queue.
    pub(crate) fn concerns_one_connection(error: &io::Error) -> bool {
        Failure::of(error) == Failure::Connection
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an error of accept is about.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// The connection that was to be accepted; it is off the queue.
    Connection,
    /// The process or the system ran out of something; the connection is still in the queue.
    Exhausted,
    /// The listener.
    Listener,
}

impl Failure {
    fn of(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotConnected {
            return Self::Connection;
        }
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            // ENOSPC comes from epoll when the user watches too many descriptors.
            Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS | Errno::NOSPC) => {
                Self::Exhausted
            }
            // accept(2): Linux hands errors that are pending on the new socket to accept; EPERM is a firewall's.
            Some(
                Errno::CONNABORTED
                | Errno::CONNRESET
                | Errno::INTR
                | Errno::NETDOWN
                | Errno::PROTO
                | Errno::NOPROTOOPT
                | Errno::HOSTDOWN
                | Errno::NONET
                | Errno::HOSTUNREACH
                | Errno::NETUNREACH
                | Errno::TIMEDOUT
                | Errno::PERM,
            ) => Self::Connection,
            _ => Self::Listener,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(errno: Errno) -> io::Error {
        io::Error::from_raw_os_error(errno.raw_os_error())
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_from_5_ms_to_1_s_and_start_over_after_an_accept() {
        let pause = Pause::default();
        for expected in [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000] {
            let start = Instant::now();
            pause.failed(error(Errno::MFILE)).unwrap();
            pause.wait().await;
            assert_eq!(start.elapsed(), Duration::from_millis(expected));
        }
        pause.accepted();
        let start = Instant::now();
        pause.failed(error(Errno::NFILE)).unwrap();
        std::future::poll_fn(|cx| pause.poll_wait(cx)).await;
        // The timer's resolution is 1 ms, and a polled sleep may be rounded up by it.
        assert!((5..=6).contains(&start.elapsed().as_millis()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_of_one_connection_costs_no_pause_unless_it_never_ends() {
        let pause = Pause::default();
        let start = Instant::now();
        for _ in 0..ACCEPT_FAILURES {
            pause.failed(error(Errno::CONNABORTED)).unwrap();
            pause.wait().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        pause.failed(error(Errno::CONNABORTED)).unwrap();
        pause.wait().await;
        assert_eq!(start.elapsed(), Duration::from_millis(5));
    }

    #[test]
    fn an_error_of_the_listener_is_returned() {
        let pause = Pause::default();
        assert!(pause.failed(error(Errno::BADF)).is_err());
        assert!(pause.failed(error(Errno::INVAL)).is_err());
    }
}
