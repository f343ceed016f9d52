//! What an engine is told at its birth.

use std::time::Duration;

use crate::limits::Limits;

/// Which end of the connection an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Opens streams.
    Client,
    /// Answers them.
    Server,
}

/// How an engine behaves. `Default` is the behaviour for the open Internet.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the peer may make the engine keep and do.
    pub limits: Limits,
    /// Silence of the peer after which a PING asks whether it is still there; `None`: never.
    pub keepalive_interval: Option<Duration>,
    /// Time for any answer to that PING, after which the connection is dead.
    pub keepalive_timeout: Duration,
    /// Send keepalive PINGs even while no stream is open.
    pub keepalive_without_streams: bool,
    /// Accept extended CONNECT (RFC 8441), which carries WebSocket over a stream (server).
    pub extended_connect: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            keepalive_interval: Some(Duration::from_mins(1)),
            keepalive_timeout: Duration::from_secs(20),
            keepalive_without_streams: true,
            extended_connect: false,
        }
    }
}
