//! The pipe of bytes under a WebSocket: a client's own connection, or what a request of a server has become.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use farcall_socket::Connection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http::Upgraded;

pub(super) enum Transport {
    Connection(Connection),
    Upgraded(Upgraded),
}

impl Transport {
    /// Whether the server at this end lets the connection end. Whoever waits to read or to write is woken when that begins.
    pub(super) fn is_draining(&self) -> bool {
        match self {
            Self::Connection(_) => false,
            Self::Upgraded(pipe) => pipe.is_draining(),
        }
    }
}

/// Does the same with whichever pipe it is.
macro_rules! each {
    ($self:expr, $pipe:ident => $act:expr) => {
        match $self.get_mut() {
            Transport::Connection(pipe) => {
                let $pipe = Pin::new(pipe);
                $act
            }
            Transport::Upgraded(pipe) => {
                let $pipe = Pin::new(pipe);
                $act
            }
        }
    };
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, pipe => pipe.poll_read(cx, into))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, pipe => pipe.poll_write(cx, from))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, pipe => pipe.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, pipe => pipe.poll_shutdown(cx))
    }
}
