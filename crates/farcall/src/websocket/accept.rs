//! A WebSocket of the HTTP application: the server's side of the handshake.

use std::future::Future;

use farcall_wire::http2::Role;
use farcall_wire::websocket::handshake::{self, Refused};
use http::{Request, Response};

use super::{Config, DeflateOptions, Transport, WebSocket, engine};
use crate::http::{Body, Upgrade, response};

/// Accepts the WebSocket that `request` asks for and hands it to `handler`, on a task of its own. Returns the response
/// that the application is to give; it says what is wrong when the request asks for no WebSocket.
///
/// Which pages may open one has been decided before: those of this server, and those that [`Cors`](crate::Cors) lists.
pub fn accept<B, F, Fut>(request: &Request<B>, handler: F) -> Response<Body>
where
    F: FnOnce(WebSocket) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    Accept::default().run(request, handler)
}

/// How a WebSocket is accepted, where the defaults do not suit.
#[derive(Clone, Debug, Default)]
pub struct Accept {
    config: Config,
    subprotocols: Vec<String>,
    deflate: Option<DeflateOptions>,
}

impl Accept {
    /// The defaults: no subprotocol, no compression.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets bounds and timers.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Speaks a subprotocol, where the client offers it; the one added first is liked best.
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.subprotocols.push(name.into());
        self
    }

    /// Compresses messages, where the client offers it (RFC 7692).
    #[must_use]
    pub fn deflate(mut self, options: DeflateOptions) -> Self {
        self.deflate = Some(options);
        self
    }

    /// As [`accept`].
    pub fn run<B, F, Fut>(&self, request: &Request<B>, handler: F) -> Response<Body>
    where
        F: FnOnce(WebSocket) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let Some(upgrade) = request.extensions().get::<Upgrade>().cloned() else {
            return refuse(&Refused { status: 426, reason: "expected a request for a WebSocket" });
        };
        let offer = match handshake::check(upgrade.head(), upgrade.is_end(), &self.config.limits) {
            Ok(offer) => offer,
            Err(refused) => return refuse(&refused),
        };
        let subprotocol = self.subprotocols.iter().find(|name| offer.speaks(name));
        let (head, agreed) = offer.accept(subprotocol.map(String::as_str), self.deflate.as_ref());
        let engine = engine(Role::Server, &self.config, agreed.deflate);
        tokio::spawn(async move {
            if let Ok(pipe) = upgrade.upgraded().await {
                let transport = Transport::Upgraded(pipe);
                handler(WebSocket::new(transport, engine, agreed.subprotocol)).await;
            }
        });
        response(&head, Body::empty())
    }
}

fn refuse(refused: &Refused) -> Response<Body> {
    response(&refused.head(), Body::from(format!("{}\n", refused.reason)))
}
