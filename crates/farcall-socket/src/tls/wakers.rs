//! Who waits until the transport takes more ciphertext.
//!
//! A transport wakes one waiter, whoever asked last. TLS may have two: a task that writes, and a task that reads and sends
//! on the way what an earlier write has left. Neither may take the other's place.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// Which half of the connection is polled.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Half {
    Reading,
    Writing,
}

/// The waiters of both halves.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    reading: Option<Waker>,
    writing: Option<Waker>,
}

struct Both(Waker, Waker);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
        self.1.wake_by_ref();
    }
}

impl Wakers {
    /// Polls for one half so that whoever waits for the other is woken, too. What is ready is ready for both.
    pub(super) fn poll<T>(
        &mut self,
        half: Half,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let (own, other) = match half {
            Half::Reading => (&mut self.reading, &mut self.writing),
            Half::Writing => (&mut self.writing, &mut self.reading),
        };
        let polled = match other {
            Some(other) if !other.will_wake(cx.waker()) => {
                let both = Waker::from(Arc::new(Both(cx.waker().clone(), other.clone())));
                poll(&mut Context::from_waker(&both))
            }
            _ => poll(&mut Context::from_waker(cx.waker())),
        };
        if polled.is_pending() {
            match own {
                Some(own) => own.clone_from(cx.waker()),
                None => *own = Some(cx.waker().clone()),
            }
        } else {
            *own = None;
            if let Some(other) = other.take() {
                other.wake();
            }
        }
        polled
    }
}
