//! From a transport to a TLS connection.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use super::Session;
use crate::Connection;
use crate::pipe::Pipe;
use crate::tls::certificate::Certificate;
use crate::tls::error::{TlsError, TlsErrorKind};
use crate::tls::info::TlsInfo;
use crate::tls::limits::TLS_LINGER;
use crate::tls::wakers::Half;

/// How a handshake can fail.
enum Failure {
    Tls(Error),
    Transport(io::Error),
    Ended,
}

impl Session {
    /// Shakes hands as a server.
    pub(in crate::tls) async fn accept(mut self: Box<Self>) -> Result<Connection, TlsError> {
        match poll_fn(|cx| self.poll_handshake(cx)).await {
            Ok(()) => {
                let is_verified = self.state.peer_certificates().is_some();
                Ok(self.into_connection(is_verified))
            }
            Err(failure) => {
                let error = self.explain_handshake(failure);
                self.linger().await;
                Err(error)
            }
        }
    }

    /// Shakes hands as a client.
    pub(in crate::tls) async fn connect(
        mut self: Box<Self>,
        server_name: &str,
        is_verified: bool,
    ) -> Result<Connection, TlsError> {
        self.server_name = Some(server_name.to_owned());
        match poll_fn(|cx| self.poll_handshake(cx)).await {
            Ok(()) => Ok(self.into_connection(is_verified)),
            Err(failure) => Err(self.explain_handshake(failure)),
        }
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        loop {
            let sent = self.poll_send(Half::Writing, cx).map_err(Failure::Transport)?;
            if let Some(failure) = self.failure.take() {
                return Poll::Ready(Err(Failure::Tls(failure)));
            }
            if !self.state.is_handshaking() {
                // A client's last word is waited for. A server's are session tickets, which a client need not read
                // before it speaks; what the transport did not take of them is sent by the first read or write.
                let is_server = self.server_name.is_none();
                return if is_server { Poll::Ready(Ok(())) } else { sent.map(Ok) };
            }
            if self.peer_has_closed {
                return Poll::Ready(Err(Failure::Ended));
            }
            let mut nowhere = ReadBuf::new(&mut []);
            if self.incoming.is_empty() {
                let filled =
                    ready!(self.poll_fill(cx, &mut nowhere)).map_err(Failure::Transport)?;
                if filled == 0 {
                    return Poll::Ready(Err(Failure::Ended));
                }
            } else {
                self.absorb_incoming(&mut nowhere);
            }
        }
    }

    fn into_connection(mut self: Box<Self>, is_verified: bool) -> Connection {
        self.info = TlsInfo::new(&self.state, self.server_name.as_deref(), is_verified);
        self.opening = Vec::new();
        let certificates = match self.state.peer_certificates() {
            Some(chain) if is_verified => chain.iter().map(|der| Certificate::new(der)).collect(),
            _ => Vec::new(),
        };
        let peer = Arc::new(self.transport.peer().with_certificates(certificates));
        Connection::new(Pipe::Tls(self), peer)
    }

    fn explain_handshake(&self, failure: Failure) -> TlsError {
        let peer = self.transport.peer();
        match failure {
            Failure::Tls(error) => self.explain(&error),
            Failure::Transport(error) => {
                let text =
                    format!("TLS with {peer}: the connection broke during the handshake: {error}");
                TlsError::new(TlsErrorKind::Io, text).because(error)
            }
            Failure::Ended if self.opening.is_empty() && self.server_name.is_some() => {
                let text =
                    "the server closed the connection instead of answering; it may not speak TLS";
                TlsError::new(TlsErrorKind::Closed, format!("TLS with {peer}: {text}"))
            }
            Failure::Ended => {
                let text = "the connection was closed during the handshake";
                TlsError::new(TlsErrorKind::Closed, format!("TLS with {peer}: {text}"))
            }
        }
    }

    /// Waits a moment for a client that was refused to read why and to close.
    async fn linger(mut self: Box<Self>) {
        let (time, mut bytes) = TLS_LINGER;
        let goodbye = async {
            poll_fn(|cx| self.poll_send(Half::Writing, cx)).await?;
            self.transport.shutdown().await?;
            let mut unheard = vec![0; 4096];
            while bytes > 0 {
                match self.transport.read(&mut unheard).await? {
                    0 => break,
                    count => bytes = bytes.saturating_sub(count),
                }
            }
            io::Result::Ok(())
        };
        // There is nobody to tell when not even this works.
        let _ = timeout(time, goodbye).await;
    }
}
