//! What an engine is told at its birth.

use crate::limits::Http1Limits;

/// What a connection is to its users; HTTP/1.1 does not say it on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Without TLS.
    #[default]
    Http,
    /// Within TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// How an engine behaves. `Default` is the behaviour for the open Internet.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What the peer may make the engine keep and do.
    pub limits: Http1Limits,
    /// What [`RequestHead::scheme`](crate::RequestHead::scheme) says of each request (server).
    pub scheme: Scheme,
}
