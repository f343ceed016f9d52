//! What a WebSocket engine is told at its birth.

use std::time::Duration;

use super::Deflate;
use crate::limits::WebSocketLimits;

/// How an engine behaves. `Default` is the behaviour for the open Internet.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the peer may make the engine keep and do.
    pub limits: WebSocketLimits,
    /// Compression, as the handshake agreed on it.
    pub deflate: Option<Deflate>,
    /// Silence of the peer after which a Ping asks whether it is still there; `None`: never.
    pub keepalive_interval: Option<Duration>,
    /// Time for any answer to that Ping, after which the connection is dead.
    pub keepalive_timeout: Duration,
    /// Where a client's masking keys come from: a secret and random number, another one for each
    /// connection (RFC 6455 section 5.3).
    pub mask_seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: WebSocketLimits::default(),
            deflate: None,
            keepalive_interval: Some(Duration::from_mins(1)),
            keepalive_timeout: Duration::from_secs(20),
            mask_seed: 0,
        }
    }
}
