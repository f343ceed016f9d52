//! One TLS connection: rustls between a transport and whoever reads and writes.
//!
//! A read asks the transport once for as much as is there and hands it through rustls; a write encrypts at most 64 KiB,
//! and only when the transport has taken what was encrypted before. What the transport did not take at once is sent by
//! whatever is polled next. The handshake is in `handshake`.

mod handshake;

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, IoSlice, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustls::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::certificate::Certificate;
use super::error::{TlsError, TlsErrorKind};
use super::explain::Circumstances;
use super::info::TlsInfo;
use super::limits::{TLS_OPENING_BYTES, TLS_READ_BYTES, TLS_WRITE_BYTES};
use super::verify;
use super::wakers::{Half, Wakers};
use crate::Connection;

pub(crate) struct Session {
    state: rustls::Connection,
    transport: Connection,
    /// The name that a client asked for; `None` on a server.
    server_name: Option<String>,
    info: TlsInfo,
    /// Ciphertext that was read while rustls wanted no more.
    incoming: Bytes,
    /// The first bytes that came, until the handshake is done.
    opening: Vec<u8>,
    /// Why rustls gave up, and the certificate that was the cause.
    failure: Option<Error>,
    refused: Option<Certificate>,
    /// The peer said goodbye.
    peer_has_closed: bool,
    is_closing: bool,
    is_flushed: bool,
    wakers: Wakers,
}

impl Session {
    /// A session before its handshake. It is large, and so lives in a box from its first moment: futures that hold it by
    /// value would be copied about.
    pub(super) fn new(state: impl Into<rustls::Connection>, transport: Connection) -> Box<Self> {
        let mut session = Box::new(Self {
            state: state.into(),
            transport,
            server_name: None,
            info: TlsInfo::default(),
            incoming: Bytes::new(),
            opening: Vec::new(),
            failure: None,
            refused: None,
            peer_has_closed: false,
            is_closing: false,
            is_flushed: true,
            wakers: Wakers::default(),
        });
        session.state.set_buffer_limit(Some(TLS_WRITE_BYTES));
        session
    }

    pub(crate) fn transport(&self) -> &Connection {
        &self.transport
    }

    pub(crate) fn info(&self) -> &TlsInfo {
        &self.info
    }

    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        loop {
            // A failed write is the writer's business; there may still be something to read.
            let _ = self.poll_send(Half::Reading, cx);
            self.absorb_incoming(buffer);
            if buffer.filled().len() > before || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if let Some(end) = self.end() {
                return Poll::Ready(end);
            }
            ready!(self.poll_fill(cx, buffer))?;
        }
    }

    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_closing {
            let text = "TLS was shut down for writing";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, text)));
        }
        if let Some(failure) = &self.failure {
            return Poll::Ready(Err(self.explain(failure).into()));
        }
        ready!(self.poll_send(Half::Writing, cx))?;
        let count = self.state.writer().write_vectored(slices)?;
        match self.poll_send(Half::Writing, cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(count)),
        }
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(Half::Writing, cx)
    }

    /// Says goodbye (RFC 8446, section 6.1) and half-closes the transport.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_closing {
            self.is_closing = true;
            self.state.send_close_notify();
        }
        ready!(self.poll_send(Half::Writing, cx))?;
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }

    /// Sends what is encrypted, and flushes the transport, which may be more than a socket.
    fn poll_send(&mut self, half: Half, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if self.is_flushed && !self.state.wants_write() {
            return Poll::Ready(Ok(()));
        }
        let Self { state, transport, is_flushed, wakers, .. } = self;
        wakers.poll(half, cx, |cx| {
            while state.wants_write() {
                *is_flushed = false;
                match state.write_tls(&mut Writer { transport, cx }) {
                    Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        return Poll::Pending;
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            ready!(Pin::new(transport).poll_flush(cx))?;
            *is_flushed = true;
            Poll::Ready(Ok(()))
        })
    }

    /// Reads the transport once. Says how many bytes came; none mean its end.
    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut spare = SPARE.take();
        // Zeroed once per thread.
        spare.resize(TLS_READ_BYTES, 0);
        let mut ciphertext = ReadBuf::new(&mut spare);
        let polled = Pin::new(&mut self.transport).poll_read(cx, &mut ciphertext);
        let filled = polled.map_ok(|()| {
            let bytes = ciphertext.filled();
            if self.state.is_handshaking() {
                let missing = TLS_OPENING_BYTES.saturating_sub(self.opening.len());
                self.opening.extend(bytes.iter().take(missing));
            }
            if bytes.is_empty() {
                // How rustls is told of the end.
                let _ = self.state.read_tls(&mut io::empty());
            }
            let used = self.absorb(bytes, buffer);
            self.incoming = Bytes::copy_from_slice(&bytes[used..]);
            bytes.len()
        });
        SPARE.set(spare);
        filled
    }

    fn absorb_incoming(&mut self, buffer: &mut ReadBuf<'_>) {
        let mut incoming = std::mem::take(&mut self.incoming);
        let used = self.absorb(&incoming, buffer);
        if used < incoming.len() {
            self.incoming = incoming.split_off(used);
        }
    }

    /// Hands ciphertext in and plaintext out, as long as rustls wants more of the one and the buffer takes the other. Says
    /// how much of the ciphertext was used.
    fn absorb(&mut self, ciphertext: &[u8], buffer: &mut ReadBuf<'_>) -> usize {
        let mut rest = ciphertext;
        loop {
            self.deliver(buffer);
            if rest.is_empty() || self.failure.is_some() || !self.takes_more() {
                return ciphertext.len() - rest.len();
            }
            let processed = match self.state.read_tls(&mut rest) {
                Ok(_) => self.state.process_new_packets(),
                Err(error) => Err(Error::General(error.to_string())),
            };
            match processed {
                Ok(io) => self.peer_has_closed = io.peer_has_closed(),
                Err(failure) => {
                    self.failure = Some(failure);
                    self.refused = verify::take_refused();
                }
            }
        }
    }

    /// Whether rustls has room. In a handshake it would rather send first; but two ends that both insist on that wait for
    /// each other for ever when little fits in between.
    fn takes_more(&self) -> bool {
        if self.state.is_handshaking() { !self.peer_has_closed } else { self.state.wants_read() }
    }

    /// Hands out what is decrypted already.
    fn deliver(&mut self, buffer: &mut ReadBuf<'_>) {
        while buffer.remaining() > 0 {
            let mut reader = self.state.reader();
            let Ok(chunk) = reader.fill_buf() else { return };
            if chunk.is_empty() {
                return;
            }
            let count = chunk.len().min(buffer.remaining());
            buffer.put_slice(&chunk[..count]);
            reader.consume(count);
        }
    }

    /// How the bytes end, if they have. An end without a `close_notify` may be the work of somebody on the way (RFC 8446,
    /// section 6.1).
    fn end(&mut self) -> Option<io::Result<()>> {
        if let Some(failure) = &self.failure {
            return Some(Err(self.explain(failure).into()));
        }
        match self.state.reader().fill_buf() {
            // Nothing is left, and nothing will come.
            Ok(_) => Some(Ok(())),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let text = "the connection ended without a close_notify, so that what came may be cut short";
                let text = format!("TLS with {}: {text}", self.transport.peer());
                Some(Err(TlsError::new(TlsErrorKind::Closed, text).into()))
            }
            Err(_) => None,
        }
    }

    fn explain(&self, failure: &Error) -> TlsError {
        let circumstances = Circumstances {
            server_name: self.server_name.as_deref(),
            opening: &self.opening,
            refused: self.refused.clone(),
        };
        let (kind, text) = circumstances.explain(failure);
        TlsError::new(kind, format!("TLS with {}: {text}", self.transport.peer()))
            .because(failure.clone())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({}, over {:?})", self.info, self.transport)
    }
}

thread_local! {
    /// Where ciphertext is read to. It belongs to the thread, so that a connection that waits holds none.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The transport as rustls writes to it.
struct Writer<'a, 'b, 'c> {
    transport: &'a mut Connection,
    cx: &'b mut Context<'c>,
}

impl Write for Writer<'_, '_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.transport).poll_write(self.cx, bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        now(Pin::new(&mut *self.transport).poll_write_vectored(self.cx, slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        now(Pin::new(&mut *self.transport).poll_flush(self.cx))
    }
}

fn now<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
