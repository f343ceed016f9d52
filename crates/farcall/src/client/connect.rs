//! Making a connection: attempts, one after the other, until one is open or nobody waits for it any more.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use farcall_core::{Result, Status};
use farcall_socket::tls::ClientTls;
use farcall_socket::{Connection, Endpoint, Scheme as EndpointScheme};
use farcall_wire::http1::Scheme;
use farcall_wire::http2::Role as End;
use farcall_wire::websocket::SUBPROTOCOL;
use farcall_wire::websocket::handshake::RequestTarget;

use crate::client::channel::{ChannelConfig, Routes};
use crate::client::connection::ClientConnection;
use crate::driver::Driver;
use crate::engine::Spoken;
use crate::websocket;

/// Where a channel leads.
pub(crate) enum Target {
    /// To an endpoint.
    Remote(Endpoint),
    /// To a server in this program, which is given its end of each connection.
    InProcess(Box<dyn Fn(Connection) + Send + Sync>),
}

impl Target {
    /// How requests name where they go.
    pub(crate) fn origin(&self) -> Origin {
        match self {
            Self::Remote(endpoint) => Origin {
                scheme: if endpoint.is_tls() { "https" } else { "http" },
                authority: endpoint.authority(),
            },
            Self::InProcess(_) => Origin { scheme: "http", authority: "localhost".to_owned() },
        }
    }

    /// A connection with the engine for what is spoken on it.
    async fn connect(&self, config: &ChannelConfig) -> Result<(Connection, Spoken)> {
        match self {
            Self::Remote(endpoint) => {
                let connection = Connection::connect(endpoint, &config.options)
                    .await
                    .map_err(Status::unavailable)?;
                // A WebSocket begins with HTTP/1.1.
                let http1 = config.http1 || is_websocket(endpoint);
                let connection = secure(connection, endpoint, config.tls.as_ref(), http1).await?;
                speak(connection, endpoint, config).await
            }
            Self::InProcess(serve) => {
                let (ours, theirs) = Connection::pair();
                serve(theirs);
                Ok((ours, spoken(config)))
            }
        }
    }
}

/// Where requests say that they go.
pub(crate) struct Origin {
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// Host and port.
    pub(crate) authority: String,
}

/// Speaks TLS on the connection where the endpoint asks for it.
pub(crate) async fn secure(
    connection: Connection,
    endpoint: &Endpoint,
    tls: Option<&ClientTls>,
    http1: bool,
) -> Result<Connection> {
    if !endpoint.is_tls() {
        return Ok(connection);
    }
    let tls = tls.cloned().unwrap_or_default();
    let tls = tls.alpn(if http1 { ["http/1.1"] } else { ["h2"] });
    let host = endpoint.host().unwrap_or_default();
    tls.connect(connection, host)
        .await
        .map_err(|error| Status::unavailable(format!("connect to {endpoint}: {error}")))
}

fn is_websocket(endpoint: &Endpoint) -> bool {
    matches!(endpoint.scheme(), EndpointScheme::Ws | EndpointScheme::Wss)
}

async fn speak(
    connection: Connection,
    endpoint: &Endpoint,
    config: &ChannelConfig,
) -> Result<(Connection, Spoken)> {
    if !is_websocket(endpoint) {
        return Ok((connection, spoken(config)));
    }
    let authority = endpoint.authority();
    let scheme = if endpoint.is_tls() { "https" } else { "http" };
    let target = RequestTarget { scheme, authority: &authority, path: "/" };
    let connection = websocket::open(connection, target, SUBPROTOCOL)
        .await
        .map_err(|error| Status::unavailable(format!("connect to {endpoint}: {error}")))?;
    Ok((connection, Spoken::CallsOverWebSocket))
}

fn spoken(config: &ChannelConfig) -> Spoken {
    if config.http1 { Spoken::Http1(Scheme::default()) } else { Spoken::Http2 }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(endpoint) => endpoint.fmt(f),
            Self::InProcess(_) => f.write_str("in-process"),
        }
    }
}

/// Connects after `rest`, and again while calls insist on it.
pub(crate) async fn run(routes: Arc<Routes>, mut rest: Duration) {
    loop {
        tokio::time::sleep(rest).await;
        let Err(status) = attempt(&routes).await else { return };
        match routes.failed(&status) {
            Some(wait) => rest = wait,
            None => return,
        }
    }
}

/// One attempt: it has succeeded when streams can be opened. That is no sooner than the peer's first SETTINGS where there
/// are such, because a connection may be established that no server has accepted.
async fn attempt(routes: &Arc<Routes>) -> Result<()> {
    let limit = routes.config.connect_timeout;
    let opened = tokio::time::timeout(limit, async {
        let (connection, spoken) = routes.target.connect(&routes.config).await?;
        let (opened, answer) = tokio::sync::oneshot::channel();
        let role = ClientConnection::new(routes, Arc::clone(connection.peer()), spoken, opened);
        tokio::spawn(Driver::new(connection, spoken, End::Client, role));
        answer.await.unwrap_or_else(|_| Err(Status::unavailable("the connection's task ended")))
    });
    opened.await.unwrap_or_else(|_| {
        Err(Status::unavailable(format!(
            "connect to {}: no answer within {limit:?}",
            routes.target
        )))
    })
}
