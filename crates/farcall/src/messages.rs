//! Typed messages coming and going: [`Inbound`] and [`Outbound`], the same on both sides.
//!
//! Backpressure is the await: a sender waits while the peer's window is full and this side's bounded queue too; a
//! receiver that does not ask makes the peer's window full.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::sync::Arc;

use farcall_core::{Deadline, Incoming, Limits, Message, Metadata, Result, Sender, Status};
use tokio::sync::oneshot;

use crate::interceptor::Reply;
use crate::link::Link;

/// Messages that come.
pub struct Inbound<T> {
    link: Arc<Link>,
    limits: Limits,
    reader: Reader,
    compressed: bool,
    message: PhantomData<fn() -> T>,
}

/// Whose messages they are.
enum Reader {
    /// A server's, of the request.
    Server,
    /// A client's, of the reply.
    Client { deadline: Option<Deadline>, verdict: Option<Verdict>, over: bool },
}

/// How a call ended in the eyes of the client's interceptors.
pub(crate) type Verdict = oneshot::Receiver<Result<Reply>>;

impl<T: Message> Inbound<T> {
    pub(crate) fn on_server(link: Arc<Link>, limits: Limits) -> Self {
        Self { link, limits, reader: Reader::Server, compressed: false, message: PhantomData }
    }

    pub(crate) fn on_client(
        link: Arc<Link>,
        limits: Limits,
        deadline: Option<Deadline>,
        verdict: Option<Verdict>,
    ) -> Self {
        let reader = Reader::Client { deadline, verdict, over: false };
        Self { link, limits, reader, compressed: false, message: PhantomData }
    }

    /// The next message; none when there are no more.
    ///
    /// Safe to be dropped before it is ready: no message is lost.
    ///
    /// # Errors
    /// On a client how the call failed; on a server what was wrong with the request, or `CANCELLED` when the client has
    /// gone.
    pub async fn receive(&mut self) -> Result<Option<T>> {
        let deadline = match &self.reader {
            Reader::Server => None,
            Reader::Client { deadline, .. } => *deadline,
        };
        let received = before(deadline, &self.link, poll_fn(|cx| self.link.poll_receive(cx))).await;
        match received {
            Ok(Some(incoming)) => self.decode(incoming).map(Some),
            Ok(None) => self.end(Ok(())).await.map(|()| None),
            Err(status) => self.end(Err(status)).await.map(|()| None),
        }
    }

    fn decode(&mut self, incoming: Incoming) -> Result<T> {
        self.compressed = incoming.is_compressed();
        let decoded = match self.reader {
            Reader::Server => incoming.decode_request(&self.limits),
            Reader::Client { .. } => incoming.decode_reply(&self.limits),
        };
        if decoded.is_err() {
            self.link.cancel();
        }
        decoded
    }

    /// The end: what interceptors make of it is how the call ended.
    async fn end(&mut self, result: Result<()>) -> Result<()> {
        let Reader::Client { verdict, over, .. } = &mut self.reader else { return result };
        *over = true;
        match verdict.take() {
            Some(verdict) => verdict.await.unwrap_or_else(|_| Err(lost())).map(|_| ()),
            None => result,
        }
    }

    /// Whether the message last received came compressed.
    pub fn was_compressed(&self) -> bool {
        self.compressed
    }

    /// The metadata that came after the last message; none before the end. On a client only.
    pub fn trailers(&self) -> Option<Metadata> {
        self.link.trailers()
    }

    /// Waits for the metadata that comes before the first message. On a client only; a server has it from the beginning,
    /// in its [`Call`](crate::Call).
    ///
    /// # Errors
    /// How the call failed.
    pub async fn metadata(&mut self) -> Result<Metadata> {
        let Reader::Client { deadline, .. } = self.reader else { return Ok(Metadata::new()) };
        before(deadline, &self.link, poll_fn(|cx| self.link.poll_head(cx))).await
    }
}

impl<T> Drop for Inbound<T> {
    fn drop(&mut self) {
        if let Reader::Client { over: false, .. } = self.reader {
            self.link.cancel();
        }
    }
}

impl<T> fmt::Debug for Inbound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound").finish_non_exhaustive()
    }
}

/// Messages that go.
///
/// On a client, dropping it without [`finish`](Self::finish) cancels the call. On a server the handler's return finishes
/// it.
pub struct Outbound<T> {
    link: Arc<Link>,
    sender: Sender,
    compress: bool,
    writer: Writer,
    message: PhantomData<fn(T)>,
}

/// Whose messages they are.
enum Writer {
    Server,
    Client { deadline: Option<Deadline>, finished: bool },
}

impl<T: Message> Outbound<T> {
    pub(crate) fn on_server(link: Arc<Link>, sender: Sender) -> Self {
        Self { link, sender, compress: true, writer: Writer::Server, message: PhantomData }
    }

    pub(crate) fn on_client(
        link: Arc<Link>,
        sender: Sender,
        compress: bool,
        deadline: Option<Deadline>,
    ) -> Self {
        let writer = Writer::Client { deadline, finished: false };
        Self { link, sender, compress, writer, message: PhantomData }
    }

    /// Sends a message, as soon as there is room for it.
    ///
    /// Ready means that the message is on its way, not that the peer has it.
    ///
    /// # Errors
    /// How the call ended, when it has; `RESOURCE_EXHAUSTED` when the message is larger than the limit for sending.
    pub async fn send(&mut self, message: T) -> Result<()> {
        let deadline = match &self.writer {
            Writer::Server => None,
            Writer::Client { deadline, .. } => *deadline,
        };
        before(deadline, &self.link, poll_fn(|cx| self.link.poll_room(cx))).await?;
        self.link.send(&message, self.sender, self.compress)
    }

    /// Compresses messages from here on, or no more, where the call has announced compression:
    /// [`Call::compress_replies`](crate::Call::compress_replies) on a server,
    /// [`Pending::compress`](crate::Pending::compress) on a client.
    pub fn compress(&mut self, compress: bool) {
        self.compress = compress;
    }

    /// Says that no more messages come.
    ///
    /// # Errors
    /// None at present: what has become of the call is told where its reply is received.
    #[expect(clippy::unused_async, reason = "beside send(), and it may have to wait one day")]
    pub async fn finish(&mut self) -> Result<()> {
        if let Writer::Client { finished, .. } = &mut self.writer {
            *finished = true;
            self.link.finish();
        }
        Ok(())
    }
}

impl<T> Drop for Outbound<T> {
    fn drop(&mut self) {
        if let Writer::Client { finished: false, .. } = self.writer {
            self.link.cancel();
        }
    }
}

impl<T> fmt::Debug for Outbound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").finish_non_exhaustive()
    }
}

/// Waits for `future` until the deadline; then the call is over.
pub(crate) async fn before<T>(
    deadline: Option<Deadline>,
    link: &Link,
    future: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(deadline) = deadline else { return future.await };
    let timeout = tokio::time::timeout_at(deadline.instant().into(), future);
    timeout.await.unwrap_or_else(|_| Err(link.expire()))
}

fn lost() -> Status {
    Status::internal("an interceptor ended without a result")
}
