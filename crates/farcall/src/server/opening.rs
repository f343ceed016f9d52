//! The beginning of a connection: its first bytes say what is spoken on it.
//!
//! ```text
//!   bytes --- TLS record ---> handshake ---> bytes (again, inside)
//!     |--- HTTP/2 preface ---> HTTP/2
//!     |--- a method ---------> HTTP/1.1
//!     '--- anything else ----> a refusal in words, and the end
//! ```
//! What was read is put back: the engine sees the connection from its first byte. Whoever is slow to begin is let go after
//! [`LIMIT`]; what it sent byte by byte is recognised or refused all the same.

use std::future::poll_fn;
use std::io;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::BytesMut;
use farcall_socket::tls::ServerTls;
use farcall_socket::{Connection, Endpoint};
use farcall_wire::detect::{Detected, detect};
use farcall_wire::http1::Scheme;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::engine::Spoken;
use crate::mailbox::Mailbox;

/// Time from the connection's beginning to the first request's or the preface's first bytes, TLS included.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// The same once the server has been told to stop: whoever has sent something already is still heard.
const STOPPING_LIMIT: Duration = Duration::from_secs(1);
/// Time that a connection waits for its turn at the handshake.
pub(crate) const TURN_LIMIT: Duration = Duration::from_secs(1);
/// Handshakes under way for each core of the machine: each costs about half a millisecond of it.
pub(crate) const HANDSHAKES_PER_CORE: usize = 200;
/// Bytes read before it is known what they are.
const FIRST_READ: usize = 2048;

static HANDSHAKES: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new(HANDSHAKES_PER_CORE * cores)
});

/// What a listener takes.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    /// TLS, when the server has a certificate.
    pub(crate) tls: Option<ServerTls>,
    /// Nothing but TLS.
    pub(crate) tls_only: bool,
    /// Only this machine can reach it, so that a browser here could be made to: the host of each request is checked.
    pub(crate) loopback: bool,
}

impl Gate {
    /// What the listener at `endpoint` takes.
    pub(crate) fn of(endpoint: &Endpoint, tls: Option<ServerTls>) -> Self {
        let loopback = endpoint.host().is_some_and(|host| {
            host == "localhost"
                || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        });
        Self { tls, tls_only: endpoint.is_tls(), loopback }
    }
}

/// A connection that is understood.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) spoken: Spoken,
}

/// Finds out what is spoken. None: the connection is over, and whatever could be said to the peer has been said.
pub(crate) async fn open(connection: Connection, gate: &Gate, mailbox: &Mailbox) -> Option<Opened> {
    let hurry = async {
        poll_fn(|cx| {
            if mailbox.sleep(cx) { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
        })
        .await;
        tokio::time::sleep(STOPPING_LIMIT).await;
    };
    tokio::select! {
        opened = recognise(connection, gate) => opened.ok().flatten(),
        () = tokio::time::sleep(LIMIT) => None,
        () = hurry => None,
    }
}

async fn recognise(connection: Connection, gate: &Gate) -> io::Result<Option<Opened>> {
    let (detected, mut connection) = first_bytes(connection).await?;
    match (detected, &gate.tls) {
        (Detected::Tls, Some(tls)) => {
            // What went wrong is the peer's to know: TLS has told it with an alert.
            // Who gets no turn is let go: a flood of handshakes must not starve the calls of those who are in.
            let Ok(turn) = timeout(TURN_LIMIT, HANDSHAKES.acquire()).await else { return Ok(None) };
            let connection = tls.accept(connection).await.map_err(io::Error::other)?;
            drop(turn);
            let (detected, connection) = first_bytes(connection).await?;
            speak(detected, connection, Scheme::Https).await
        }
        (Detected::Tls, None) => {
            connection.write_all(&NO_TLS).await?;
            end(connection).await
        }
        (Detected::Http1 | Detected::Http2, _) if gate.tls_only => {
            refuse(connection, "400 Bad Request", "this port takes TLS: use https://").await
        }
        (detected, _) => speak(detected, connection, Scheme::Http).await,
    }
}

/// A TLS alert: fatal, `protocol_version` (RFC 8446 section 6). A client of TLS says so rather than "wrong version number".
const NO_TLS: [u8; 7] = [21, 3, 3, 0, 2, 2, 70];

/// Reads until it is clear what the bytes are, and puts them back.
async fn first_bytes(mut connection: Connection) -> io::Result<(Detected, Connection)> {
    let mut bytes = BytesMut::with_capacity(FIRST_READ);
    loop {
        if connection.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let detected = detect(&bytes);
        if detected != Detected::More {
            connection.unread(bytes.freeze());
            return Ok((detected, connection));
        }
    }
}

async fn speak(
    detected: Detected,
    connection: Connection,
    scheme: Scheme,
) -> io::Result<Option<Opened>> {
    let spoken = match detected {
        Detected::Http2 => Spoken::Http2,
        Detected::Http1 => Spoken::Http1(scheme),
        _ => {
            let expected = "expected TLS, HTTP/2 or HTTP/1.1; these first bytes are none of them";
            return refuse(connection, "400 Bad Request", expected).await;
        }
    };
    Ok(Some(Opened { connection, spoken }))
}

async fn refuse(
    mut connection: Connection,
    status: &str,
    reason: &str,
) -> io::Result<Option<Opened>> {
    let length = reason.len() + 1;
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{reason}\n"
    );
    connection.write_all(text.as_bytes()).await?;
    end(connection).await
}

/// Closes without a reset: what the peer still sends is read, within bounds, so that it can read why it was refused.
async fn end(mut connection: Connection) -> io::Result<Option<Opened>> {
    connection.shutdown().await?;
    let mut scratch = [0; 4096];
    for _ in 0..16 {
        if connection.read(&mut scratch).await? == 0 {
            break;
        }
    }
    Ok(None)
}
