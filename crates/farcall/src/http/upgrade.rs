//! A request that becomes another protocol: the raw bytes of both directions.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use farcall_socket::{Connection, Peer};
use farcall_wire::event::RequestHead;
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http::flow::Flow;

/// Bytes that one write takes at most.
const WRITE_SIZE: usize = 16 * 1024;

/// In the extensions of a request that asks for another protocol: an `upgrade` field over HTTP/1.1, an extended CONNECT
/// over HTTP/2 (RFC 8441).
///
/// A response that accepts is given to the client only while the `Upgrade` or a clone of it is there: else nobody would
/// speak the other protocol, and the response becomes one of status 500.
#[derive(Clone)]
pub struct Upgrade {
    claim: Arc<Claim>,
    head: Arc<RequestHead>,
    /// Nothing followed the head.
    end: bool,
}

/// How another protocol is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Offer {
    Upgrade,
    ExtendedConnect,
}

impl Offer {
    /// Whether a response of this status accepts (RFC 9110 section 7.8, RFC 8441 section 4).
    pub(crate) fn is_accepted_by(self, status: StatusCode) -> bool {
        match self {
            Self::Upgrade => status == StatusCode::SWITCHING_PROTOCOLS,
            Self::ExtendedConnect => status.is_success(),
        }
    }
}

/// The right to the raw bytes, while nobody has taken them.
struct Claim(Arc<Flow>);

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.forsake();
    }
}

impl Upgrade {
    pub(crate) fn new(flow: &Arc<Flow>, head: &RequestHead, end: bool) -> Self {
        let claim = Arc::new(Claim(Arc::clone(flow)));
        Self { claim, head: Arc::new(head.clone()), end }
    }

    /// How the client asks for the other protocol.
    pub(crate) fn offer(&self) -> Offer {
        if self.head.protocol().is_some() { Offer::ExtendedConnect } else { Offer::Upgrade }
    }

    /// Whether nothing followed the head.
    pub(crate) fn is_end(&self) -> bool {
        self.end
    }

    /// The request as it came.
    pub(crate) fn head(&self) -> &RequestHead {
        &self.head
    }

    /// Waits until the response has gone that accepts the upgrade: status 101, or 200 to an extended CONNECT. To be
    /// awaited in a task of its own, because the handler has to return that response first.
    ///
    /// # Errors
    /// The request was answered otherwise, or the client has gone.
    pub async fn upgraded(self) -> io::Result<Upgraded> {
        poll_fn(|cx| self.claim.0.poll_upgraded(cx)).await?;
        Ok(Upgraded(Arc::clone(&self.claim.0)))
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrade")
    }
}

/// A pipe of bytes that was an HTTP request once. Dropping it ends it.
pub struct Upgraded(pub(crate) Arc<Flow>);

impl Upgraded {
    /// A connection for what is inside.
    pub(crate) fn into_connection(self, peer: Arc<Peer>) -> Connection {
        Connection::from_stream(self, peer)
    }

    /// Whether the connection is to end. Whoever waits to read or to write is woken when that begins.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.is_draining()
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(data) = ready!(self.0.poll_data(into.remaining(), cx))? {
            into.put_slice(&data);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.0.poll_room(cx))?;
        let now = &from[..from.len().min(WRITE_SIZE)];
        self.0.send(Bytes::copy_from_slice(now));
        Poll::Ready(Ok(now.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.finish(None);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Upgraded {
    fn drop(&mut self) {
        self.0.finish(None);
        self.0.ignore();
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgraded")
    }
}
