//! The two directions of a WebSocket, for tasks of their own: neither has to wait for the other.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use farcall_core::Result;

use super::{CloseCode, Message, WebSocket};

/// The receiving half of a WebSocket: see [`WebSocket::split`].
pub struct Receiver(Half);

/// The sending half of a WebSocket: see [`WebSocket::split`].
pub struct Sender(Half);

pub(super) fn split(socket: WebSocket) -> (Sender, Receiver) {
    let socket = Arc::new(Mutex::new(socket));
    let sleepers = Arc::new(Sleepers::default());
    let half = |side| Half { side, socket: Arc::clone(&socket), sleepers: Arc::clone(&sleepers) };
    (Sender(half(Side::Sender)), Receiver(half(Side::Receiver)))
}

impl Receiver {
    /// As [`WebSocket::receive`].
    ///
    /// # Errors
    /// As there.
    pub async fn receive(&mut self) -> Result<Option<Message>> {
        self.0.drive(WebSocket::poll_receive).await
    }

    /// As [`WebSocket::close_reason`].
    pub fn close_reason(&self) -> Option<(CloseCode, String)> {
        self.0.lock().close_reason().map(|(code, reason)| (code, reason.to_owned()))
    }
}

impl Sender {
    /// As [`WebSocket::send`].
    ///
    /// # Errors
    /// As there.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<()> {
        let mut message = Some(message.into());
        self.0.drive(|socket, cx| socket.poll_send(&mut message, cx)).await
    }

    /// Says that the WebSocket is to be closed: nothing more is sent, and the receiving half comes to its end when the peer
    /// has agreed.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the connection is lost.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<()> {
        self.0.lock().begin_close(code, reason);
        self.0.drive(WebSocket::poll_flush).await
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

#[derive(Clone, Copy)]
enum Side {
    Sender,
    Receiver,
}

struct Half {
    side: Side,
    socket: Arc<Mutex<WebSocket>>,
    sleepers: Arc<Sleepers>,
}

impl Half {
    async fn drive<T>(
        &self,
        mut poll: impl FnMut(&mut WebSocket, &mut Context<'_>) -> Poll<T>,
    ) -> T {
        let waker = Waker::from(Arc::clone(&self.sleepers));
        poll_fn(|cx| {
            self.sleepers.lay_down(self.side, cx.waker());
            let mut socket = self.lock();
            let moved = socket.moved();
            let polled = poll(&mut socket, &mut Context::from_waker(&waker));
            let moved = socket.moved() != moved;
            drop(socket);
            if polled.is_ready() || moved {
                // What this half has moved may be what the other waits for.
                self.sleepers.wake_other(self.side);
            }
            polled
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, WebSocket> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tasks of both halves. A pipe knows one task for each direction, and a half needs both directions.
#[derive(Default)]
struct Sleepers(Mutex<[Option<Waker>; 2]>);

impl Sleepers {
    fn lay_down(&self, side: Side, waker: &Waker) {
        match &mut self.lock()[side as usize] {
            Some(sleeper) => sleeper.clone_from(waker),
            sleeper => *sleeper = Some(waker.clone()),
        }
    }

    fn wake_other(&self, side: Side) {
        let other = self.lock()[1 - side as usize].take();
        if let Some(sleeper) = other {
            sleeper.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, [Option<Waker>; 2]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Sleepers {
    fn wake(self: Arc<Self>) {
        let sleepers = self.lock().each_mut().map(Option::take);
        for sleeper in sleepers.into_iter().flatten() {
            sleeper.wake();
        }
    }
}
