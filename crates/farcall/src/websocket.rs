//! WebSockets for programs of their own: messages both ways, beside the calls.
//!
//! Calls over a WebSocket need nothing of this: a client names a `ws://` or `wss://` endpoint, a server takes them on
//! every port. This is the raw WebSocket of RFC 6455, over HTTP/1.1 and, on a server, over HTTP/2 (RFC 8441).
//!
//! In a mounted axum application [`accept`] stands in the place of `axum::extract::ws`, which needs hyper's `OnUpgrade`, and
//! nobody but hyper can make one.

mod accept;
mod connect;
mod halves;
mod message;
mod shake_hands;
mod transport;

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::mem;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use farcall_core::{Result, Status};
use farcall_wire::http2::Role;
use farcall_wire::websocket::{Engine, Error, Event, SendError};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::time::Sleep;

pub use accept::{Accept, accept};
pub use connect::Connect;
pub(crate) use connect::open;
pub use farcall_wire::websocket::{CloseCode, Config, DeflateOptions};
pub use halves::{Receiver, Sender};
pub use message::Message;
use transport::Transport;

/// Bytes asked of the transport at once.
const READ_SIZE: usize = 16 * 1024;
/// Time for the last words of a WebSocket that is over: a peer that reads nothing must not hold its handler.
const FAREWELL: Duration = Duration::from_secs(1);

/// An open WebSocket. Dropping it ends the connection without the closing handshake; [`close`](Self::close) does it well.
///
/// Pings are answered, and peers that are gone are found, while [`receive`](Self::receive) or [`send`](Self::send) is
/// awaited. A server that stops closes its WebSockets then, too, and those whose connections are too old, with the code 1001
/// (going away).
///
/// While a message is sent that the peer is slow to take, only a read's worth of what it says meanwhile is taken. Where both
/// ends say a lot at once, let [`split`](Self::split) keep the directions apart.
pub struct WebSocket {
    transport: Transport,
    engine: Engine,
    timer: Option<Pin<Box<Sleep>>>,
    input: BytesMut,
    /// The peer sends no more bytes.
    ended: bool,
    /// The transport may hold bytes that it has taken.
    unflushed: bool,
    /// What came while nobody asked for it; bounded by one read.
    events: VecDeque<Event>,
    /// How often anything has moved.
    moved: u64,
    /// The connection is to end, and the peer has been told.
    leaving: bool,
    peer_close: Option<(CloseCode, String)>,
    stage: Stage,
    subprotocol: Option<String>,
}

/// How far the end has come.
///
/// ```text
///   Open --Closed--> Parting --last words said, or no time left--> Over
/// ```
enum Stage {
    Open,
    /// There are no more messages; why is told when the last words are said.
    Parting {
        error: Option<Error>,
        limit: Pin<Box<Sleep>>,
    },
    Over,
}

impl WebSocket {
    /// A WebSocket whose handshake is done.
    fn new(transport: Transport, engine: Engine, subprotocol: Option<String>) -> Self {
        Self {
            transport,
            engine,
            timer: None,
            input: BytesMut::new(),
            ended: false,
            unflushed: false,
            events: VecDeque::new(),
            moved: 0,
            leaving: false,
            peer_close: None,
            stage: Stage::Open,
            subprotocol,
        }
    }

    /// The subprotocol that both sides have agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The code and the words with which the peer has closed the WebSocket or agreed to close it, if it gave any.
    pub fn close_reason(&self) -> Option<(CloseCode, &str)> {
        self.peer_close.as_ref().map(|(code, reason)| (*code, reason.as_str()))
    }

    /// The next message; none when the WebSocket has been closed in order, and from then on.
    ///
    /// Safe to be dropped before it is ready: no message is lost.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the connection is lost, `INTERNAL` when the peer has broken the protocol; both say how.
    pub async fn receive(&mut self) -> Result<Option<Message>> {
        poll_fn(|cx| self.poll_receive(cx)).await
    }

    /// Sends a message: ready when the transport has taken it.
    ///
    /// Dropped before it is ready, the message may be sent or not, but never in part.
    ///
    /// # Errors
    /// `FAILED_PRECONDITION` when the WebSocket is closing, `UNAVAILABLE` when the connection is lost.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<()> {
        let mut message = Some(message.into());
        poll_fn(|cx| self.poll_send(&mut message, cx)).await
    }

    /// Closes the WebSocket: says so, and waits for the peer to agree, at most ten seconds. Messages that still come are
    /// dropped.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<()> {
        self.begin_close(code, reason);
        while self.receive().await?.is_some() {}
        Ok(())
    }

    /// The two directions, each for a task of its own. The WebSocket ends when both are gone.
    pub fn split(self) -> (Sender, Receiver) {
        halves::split(self)
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>>> {
        loop {
            if !matches!(self.stage, Stage::Open) {
                return self.poll_part(cx);
            }
            let Some(event) = self.events.pop_front().or_else(|| self.engine.poll_event()) else {
                ready!(self.poll_progress(cx))?;
                continue;
            };
            match event {
                Event::Text(text) => {
                    // The engine has judged it to be UTF-8.
                    let text = String::from_utf8_lossy(&text).into_owned();
                    return Poll::Ready(Ok(Some(Message::Text(text))));
                }
                Event::Binary(data) => return Poll::Ready(Ok(Some(Message::Binary(data)))),
                Event::Close { code, reason } => {
                    self.peer_close = code.map(|code| (code, reason));
                }
                Event::Closed { error } => {
                    let limit = Box::pin(tokio::time::sleep(FAREWELL));
                    self.stage = Stage::Parting { error, limit };
                }
                Event::Ping(_) | Event::Pong(_) | Event::Writable => {}
            }
        }
    }

    fn poll_send(
        &mut self,
        message: &mut Option<Message>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        while let Some(waiting) = message {
            let sent = match waiting {
                Message::Text(text) => self.engine.send_text(text),
                Message::Binary(data) => self.engine.send_binary(data),
            };
            match sent {
                Ok(()) => *message = None,
                Err(SendError::Full) => ready!(self.poll_progress(cx))?,
                Err(error @ SendError::Closed) => {
                    return Poll::Ready(Err(Status::failed_precondition(error)));
                }
            }
        }
        self.poll_flush(cx)
    }

    fn begin_close(&mut self, code: CloseCode, reason: &str) {
        self.engine.close(code, reason, Instant::now());
    }

    /// Writes all that waits.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.engine.fill(Instant::now());
        while !self.is_written() {
            ready!(self.poll_progress(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Says what is still to be said to the peer, and that nothing follows; then why there are no more messages, once.
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>>> {
        if let Stage::Parting { limit, .. } = &mut self.stage
            && limit.as_mut().poll(cx).is_pending()
        {
            // To whom the words can no longer be said, they need not be.
            let said = loop {
                match self.poll_write(cx) {
                    Ok(true) => {}
                    Ok(false) => break self.is_written(),
                    Err(_) => break true,
                }
            };
            if !said || Pin::new(&mut self.transport).poll_shutdown(cx).is_pending() {
                return Poll::Pending;
            }
        }
        match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Parting { error: Some(error), .. } => Poll::Ready(Err(lost(error))),
            _ => Poll::Ready(Ok(None)),
        }
    }

    /// Whether the transport has taken all, and keeps nothing.
    fn is_written(&mut self) -> bool {
        self.engine.output().is_empty() && !self.unflushed
    }

    /// Waits until something has moved: bytes in, bytes out, or time.
    fn poll_progress(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let left = self.go_away();
        let read = self.poll_read(cx).map_err(Status::unavailable)?;
        let wrote = match self.poll_write(cx) {
            // What the peer had sent before it went is still to be received.
            Err(_) if read => false,
            wrote => wrote.map_err(Status::unavailable)?,
        };
        if left || read || wrote || self.timer_due(cx) || self.collect() {
            self.moved += 1;
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    /// Changes whenever anything has moved.
    fn moved(&self) -> u64 {
        self.moved
    }

    /// Begins to close when the connection is to end. Returns whether it did.
    fn go_away(&mut self) -> bool {
        if self.leaving || !self.transport.is_draining() {
            return false;
        }
        self.leaving = true;
        self.begin_close(CloseCode::GOING_AWAY, "the connection is to end");
        true
    }
    /// Takes what the engine has to tell. Returns whether it was anything.
    fn collect(&mut self) -> bool {
        let before = self.events.len();
        while let Some(event) = self.engine.poll_event() {
            self.events.push_back(event);
        }
        self.events.len() > before
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        self.engine.fill(Instant::now());
        let output = self.engine.output();
        if output.is_empty() {
            let flushed = self.unflushed && self.poll_transport_flush(cx)?;
            return Ok(flushed);
        }
        let Poll::Ready(wrote) = Pin::new(&mut self.transport).poll_write(cx, output) else {
            return Ok(false);
        };
        let wrote = wrote?;
        if wrote == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        output.advance(wrote);
        self.unflushed = true;
        Ok(true)
    }

    /// Returns whether the transport holds nothing any more.
    fn poll_transport_flush(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let Poll::Ready(flushed) = Pin::new(&mut self.transport).poll_flush(cx) else {
            return Ok(false);
        };
        flushed?;
        self.unflushed = false;
        Ok(true)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        // What nobody has taken yet must not grow.
        if self.ended || !self.events.is_empty() || !self.engine.wants_input() {
            return Ok(false);
        }
        self.input.reserve(READ_SIZE);
        let Poll::Ready(read) = pin!(self.transport.read_buf(&mut self.input)).poll(cx) else {
            return Ok(false);
        };
        if read? == 0 {
            self.ended = true;
            self.engine.receive_eof(Instant::now());
        } else {
            self.engine.receive(&mut self.input, Instant::now());
        }
        self.collect();
        Ok(true)
    }

    fn timer_due(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(next) = self.engine.next_timeout() else { return false };
        let next = next.into();
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(next)));
        if timer.deadline() != next {
            timer.as_mut().reset(next);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.timer = None;
        self.engine.handle_timeout(Instant::now());
        true
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("subprotocol", &self.subprotocol).finish_non_exhaustive()
    }
}

/// Why there are no more messages.
fn lost(error: Error) -> Status {
    match error.code {
        // The connection, or whoever should have answered on it, is gone.
        None | Some(CloseCode::GOING_AWAY) => Status::unavailable(error),
        Some(_) => Status::internal(error),
    }
}

/// An engine for a handshake that ended with `deflate`.
fn engine(
    role: Role,
    config: &Config,
    deflate: Option<farcall_wire::websocket::Deflate>,
) -> Engine {
    let config = Config { deflate, mask_seed: crate::client::lot(), ..config.clone() };
    Engine::new(role, config, Instant::now())
}
