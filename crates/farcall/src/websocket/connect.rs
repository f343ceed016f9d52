//! The client's side of the handshake.

use farcall_core::{Result, Status};
use farcall_socket::tls::ClientTls;
use farcall_socket::{Connection, Endpoint, Options};
use farcall_wire::http2::Role;
use farcall_wire::websocket::handshake::{Agreed, Request, RequestTarget};

use super::shake_hands::shake_hands;
use super::{Config, DeflateOptions, Transport, WebSocket, engine};
use crate::client::{lot, secure};

/// How a WebSocket is asked for.
#[derive(Clone, Debug, Default)]
pub struct Connect {
    config: Config,
    path: Option<String>,
    subprotocols: Vec<String>,
    deflate: Option<DeflateOptions>,
    options: Options,
    tls: Option<ClientTls>,
}

impl WebSocket {
    /// Opens a WebSocket at `endpoint`, `ws://host:port` or `wss://host:port`, path `/`. [`Connect`] has more to say.
    ///
    /// # Errors
    /// As [`Connect::open`].
    pub async fn connect(endpoint: impl AsRef<str>) -> Result<Self> {
        Connect::default().open(endpoint).await
    }
}

impl Connect {
    /// The defaults: path `/`, no subprotocol, no compression, the roots of this machine.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets bounds and timers.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Sets path and query.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Offers a subprotocol, behind those offered before.
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.subprotocols.push(name.into());
        self
    }

    /// Offers to compress messages (RFC 7692).
    #[must_use]
    pub fn deflate(mut self, options: DeflateOptions) -> Self {
        self.deflate = Some(options);
        self
    }

    /// Sets the options of the socket.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Sets how TLS is spoken with `wss`.
    #[must_use]
    pub fn tls(mut self, tls: ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Connects and opens the WebSocket.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the endpoint is not one, `UNAVAILABLE` when nobody answers or the answer is no WebSocket.
    pub async fn open(&self, endpoint: impl AsRef<str>) -> Result<WebSocket> {
        let endpoint: Endpoint = endpoint.as_ref().parse().map_err(Status::invalid_argument)?;
        let failed = |error: String| Status::unavailable(format!("connect to {endpoint}: {error}"));
        let connection =
            Connection::connect(&endpoint, &self.options).await.map_err(Status::unavailable)?;
        let connection = secure(connection, &endpoint, self.tls.as_ref(), true).await?;
        let mut request = Request::http1(nonce());
        for name in &self.subprotocols {
            request = request.subprotocol(name);
        }
        if let Some(options) = &self.deflate {
            request = request.deflate(*options);
        }
        let authority = endpoint.authority();
        let target = RequestTarget {
            scheme: if endpoint.is_tls() { "https" } else { "http" },
            authority: &authority,
            path: self.path.as_deref().unwrap_or("/"),
        };
        let (connection, agreed) = shake(connection, &request, target).await.map_err(failed)?;
        let engine = engine(Role::Client, &self.config, agreed.deflate);
        Ok(WebSocket::new(Transport::Connection(connection), engine, agreed.subprotocol))
    }
}

/// Makes a WebSocket of a connection, for calls: the subprotocol must be agreed on.
pub(crate) async fn open(
    connection: Connection,
    target: RequestTarget<'_>,
    subprotocol: &str,
) -> Result<Connection, String> {
    let request = Request::http1(nonce()).subprotocol(subprotocol);
    let (connection, agreed) = shake(connection, &request, target).await?;
    match agreed.subprotocol {
        Some(_) => Ok(connection),
        None => {
            Err(format!("the server opens WebSockets, but takes no calls ({subprotocol}) on them"))
        }
    }
}

fn nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&lot().to_le_bytes());
    nonce[8..].copy_from_slice(&lot().to_le_bytes());
    nonce
}

/// Shakes hands; what came behind the response is put back.
async fn shake(
    mut connection: Connection,
    request: &Request,
    target: RequestTarget<'_>,
) -> Result<(Connection, Agreed), String> {
    let (agreed, behind) = shake_hands(&mut connection, request, target).await?;
    connection.unread(behind);
    Ok((connection, agreed))
}
