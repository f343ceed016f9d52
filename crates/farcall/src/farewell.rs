//! The end of a connection: its last words are written, its sending half is closed, and what the peer still sends is
//! read and thrown away, because closing with unread input would reset the peer before it has read why it ended
//! (RFC 9113 section 9.1). Bounded in time and amount; never fails, for there is nobody left to tell.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use farcall_socket::Connection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How long it takes at most.
const LIMIT: Duration = Duration::from_secs(1);
/// Bytes thrown away at most.
const DISCARDED: usize = 1024 * 1024;

/// A connection that is about to be gone.
pub(crate) struct Farewell {
    limit: Pin<Box<Sleep>>,
    shut: bool,
    /// Bytes that may still be thrown away; none when the peer has ended already.
    left: usize,
}

impl Farewell {
    /// `peer_ended`: the peer sends no more.
    pub(crate) fn new(peer_ended: bool) -> Self {
        let left = if peer_ended { 0 } else { DISCARDED };
        Self { limit: Box::pin(tokio::time::sleep(LIMIT)), shut: false, left }
    }

    /// Ready when nothing more is to be done for the peer.
    pub(crate) fn poll(
        &mut self,
        connection: &mut Connection,
        last_words: &mut BytesMut,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if self.limit.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        while !last_words.is_empty() {
            match ready!(Pin::new(&mut *connection).poll_write(cx, last_words)) {
                Ok(written) if written > 0 => last_words.advance(written),
                _ => return Poll::Ready(()),
            }
        }
        if !self.shut {
            if ready!(Pin::new(&mut *connection).poll_shutdown(cx)).is_err() {
                return Poll::Ready(());
            }
            self.shut = true;
        }
        self.discard(connection, cx)
    }

    fn discard(&mut self, connection: &mut Connection, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; 4096];
        while self.left > 0 {
            let mut input = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut *connection).poll_read(cx, &mut input));
            let size = input.filled().len();
            if read.is_err() || size == 0 {
                break;
            }
            self.left = self.left.saturating_sub(size);
        }
        Poll::Ready(())
    }
}
