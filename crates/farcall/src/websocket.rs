//! WebSockets for programs of their own: messages both ways, beside the calls.
//!
//! Calls over a WebSocket need nothing of this: a client names a `ws://` or `wss://` endpoint, a server takes them on
//! every port. This is the raw WebSocket of RFC 6455, over HTTP/1.1 and, on a server, over HTTP/2 (RFC 8441).

mod accept;
mod connect;
mod shake_hands;

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use farcall_core::{Result, Status};
use farcall_wire::http2::Role;
use farcall_wire::websocket::{Engine, Event, SendError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::Sleep;

pub use accept::{Accept, accept};
pub use connect::Connect;
pub(crate) use connect::open;
pub use farcall_wire::websocket::{CloseCode, Config, DeflateOptions};

/// Bytes asked of the transport at once.
const READ_SIZE: usize = 16 * 1024;

/// What a WebSocket carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

/// An open WebSocket. Dropping it ends the connection without the closing handshake; [`close`](Self::close) does it well.
///
/// Pings are answered, and peers that are gone are found, while [`receive`](Self::receive) or
/// [`send`](Self::send) is awaited.
pub struct WebSocket {
    transport: Box<dyn Transport>,
    engine: Engine,
    timer: Option<Pin<Box<Sleep>>>,
    input: BytesMut,
    /// The peer sends no more bytes.
    ended: bool,
    /// What came while nobody asked for it; bounded by one read.
    events: VecDeque<Event>,
    subprotocol: Option<String>,
}

/// A pipe of bytes.
trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

impl WebSocket {
    /// A WebSocket whose handshake is done; `input`: what has been read behind it.
    fn new(
        transport: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        engine: Engine,
        subprotocol: Option<String>,
        input: BytesMut,
    ) -> Self {
        let mut socket = Self {
            transport: Box::new(transport),
            engine,
            timer: None,
            input,
            ended: false,
            events: VecDeque::new(),
            subprotocol,
        };
        socket.engine.receive(&mut socket.input, Instant::now());
        socket
    }

    /// The subprotocol that both sides have agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The next message; none when the peer has closed the WebSocket in order.
    ///
    /// Safe to be dropped before it is ready: no message is lost.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the connection is lost, `INTERNAL` when the peer has broken the protocol; both say how.
    pub async fn receive(&mut self) -> Result<Option<Message>> {
        loop {
            let Some(event) = self.events.pop_front().or_else(|| self.engine.poll_event()) else {
                self.progress().await?;
                continue;
            };
            match event {
                Event::Text(text) => {
                    // The engine has judged it to be UTF-8.
                    let text = String::from_utf8_lossy(&text).into_owned();
                    return Ok(Some(Message::Text(text)));
                }
                Event::Binary(data) => return Ok(Some(Message::Binary(data))),
                Event::Closed { error: None } => {
                    let _ = self.flush().await;
                    return Ok(None);
                }
                Event::Closed { error: Some(error) } => {
                    let _ = self.flush().await;
                    self.events.push_back(Event::Closed { error: None });
                    return Err(match error.code {
                        Some(_) => Status::internal(error),
                        None => Status::unavailable(error),
                    });
                }
                Event::Ping(_) | Event::Pong(_) | Event::Writable | Event::Close { .. } => {}
            }
        }
    }

    /// Sends a message: ready when it is on its way.
    ///
    /// # Errors
    /// `FAILED_PRECONDITION` when the WebSocket is closing, `UNAVAILABLE` when the connection is lost.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<()> {
        let message = message.into();
        loop {
            let sent = match &message {
                Message::Text(text) => self.engine.send_text(text),
                Message::Binary(data) => self.engine.send_binary(data),
            };
            match sent {
                Ok(()) => return self.flush().await,
                Err(SendError::Full) => self.progress().await?,
                Err(error @ SendError::Closed) => return Err(Status::failed_precondition(error)),
            }
        }
    }

    /// Closes the WebSocket: says so, and waits for the peer to agree, at most ten seconds. Messages that still come are
    /// dropped.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<()> {
        self.engine.close(code, reason, Instant::now());
        while self.receive().await?.is_some() {}
        Ok(())
    }

    /// Writes all that waits.
    async fn flush(&mut self) -> Result<()> {
        self.engine.fill(Instant::now());
        while !self.engine.output().is_empty() {
            self.progress().await?;
        }
        Ok(())
    }

    /// Waits until something has moved: bytes in, bytes out, or time.
    async fn progress(&mut self) -> Result<()> {
        poll_fn(|cx| self.poll_progress(cx)).await.map_err(Status::unavailable)
    }

    fn poll_progress(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wrote = self.poll_write(cx)?;
        let read = self.poll_read(cx)?;
        if wrote || read || self.timer_due(cx) || self.collect() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
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
            return Ok(false);
        }
        match Pin::new(&mut self.transport).poll_write(cx, output) {
            Poll::Ready(wrote) => {
                output.advance(wrote?);
                Ok(true)
            }
            Poll::Pending => Ok(false),
        }
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

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Message {
    fn from(data: Bytes) -> Self {
        Self::Binary(data)
    }
}

impl From<Vec<u8>> for Message {
    fn from(data: Vec<u8>) -> Self {
        Self::Binary(data.into())
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("subprotocol", &self.subprotocol).finish_non_exhaustive()
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
