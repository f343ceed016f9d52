//! Remote procedure calls: a procedure that lives in another process, called like one of your own.
//!
//! A [`Server`] listens at endpoints and takes calls for the services added to it. A [`Channel`] is a client's lasting route
//! to a server; generated clients make calls on it. A call is a value, [`Pending`], and awaiting it sends it. Messages of a
//! stream come through [`Inbound`] and go through [`Outbound`]. What goes beside the messages is in [`Call`]; a failure is a
//! [`Status`].
//!
//! Stubs are generated from .proto files at build time by `farcall-build` and included by [`include_protos!`].
//!
//! This crate joins three others and adds no protocol of its own: bytes are moved by `farcall-socket`, frames are
//! understood by `farcall-wire`, calls by `farcall-core`.

// Generated code names this crate from the outside, also where it is part of it.
extern crate self as farcall;

mod budget;
mod call;
mod client;
mod driver;
mod engine;
mod farewell;
pub mod http;
mod interceptor;
pub mod limits;
mod link;
mod mailbox;
mod messages;
mod pending;
mod protos;
mod server;
mod service;
mod services;
#[doc(hidden)]
pub mod stub;
pub mod websocket;

pub use call::Call;
pub use client::{Channel, ChannelConfig};
pub use farcall_core::metadata::Value;
pub use farcall_core::{
    Any, Code, Codec, Deadline, Encoding, Idempotency, Kind, Limits, Message, Metadata,
    MetadataError, Method, Protocol, Result, Status, UnknownFields, cors::Cors, json,
};
pub use farcall_socket as socket;
pub use farcall_socket::tls;
pub use farcall_socket::{
    Address, BindError, BindErrorKind, ConnectError, ConnectErrorKind, Credentials, Endpoint,
    EndpointError, Listener, Options, Peer, Scheme,
};
pub use interceptor::{Interceptor, Next, Reply};
pub use messages::{Inbound, Outbound};
pub use pending::{Pending, WithMetadata};
pub use server::{Bound, Server};
pub use service::{IntoService, Service};
pub use services::{health, reflection};

#[doc(hidden)]
pub use {buffa, buffa_types, serde};

/// Includes everything that `farcall-build` has generated, as modules named like the packages.
///
/// ```text
/// mod proto {
///     farcall::include_protos!();
/// }
/// use proto::greet::v1::GreeterClient;
/// ```
#[macro_export]
macro_rules! include_protos {
    () => {
        include!(concat!(env!("OUT_DIR"), "/farcall.rs"));
    };
}
