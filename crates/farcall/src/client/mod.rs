//! The client: a lasting [`Channel`], the connections behind it, and the calls on them.

mod backoff;
pub(crate) mod channel;
mod connect;
mod connection;
pub(crate) mod request;
pub(crate) mod stub;

pub(crate) use backoff::lot;
pub use channel::{Channel, ChannelConfig};
pub(crate) use connect::{Target, secure};
