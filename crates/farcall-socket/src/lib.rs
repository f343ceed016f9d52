//! Bytes: where to talk ([`Endpoint`]), who waits there ([`Listener`]), the pipe between two ends ([`Connection`]) and who is
//! at the other end ([`Peer`]).
//!
//! Both are made of [`Socket`], which is a socket as the textbook teaches it: [`Unbound`], [`Bound`], [`Listening`] or
//! [`Connected`], each step a method that takes the socket along, with or without a runtime. See [`lifecycle`].
//!
//! This crate moves bytes over TCP, UDP, Unix sockets and memory inside one process, and through TLS (feature `tls`, on by
//! default; see the module `tls`). It never looks at them: it knows no frame, no call and no service, keeps no log, and
//! starts no task that outlives the call that started it. It is written for Linux.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use farcall_socket::{Connection, Endpoint, Listener, Options};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! let options = Options::default();
//! let listener = Listener::bind(&"tcp://127.0.0.1:0".parse()?, &options).await?;
//! let mut client = Connection::connect(listener.endpoint(), &options).await?;
//! let mut server = listener.accept().await?;
//!
//! client.write_all(b"far call").await?;
//! client.shutdown().await?; // half-close: the server can still answer
//! let mut request = String::new();
//! server.read_to_string(&mut request).await?;
//! assert_eq!(request, "far call");
//! # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
//! ```

mod accept_queue;
mod activate;
mod batch;
mod cgroup;
mod connection;
mod datagram;
mod descriptors;
mod endpoint;
mod error;
mod handover;
mod inherited;
pub mod lifecycle;
mod limits;
mod listener;
mod memory;
mod options;
mod pause;
mod peer;
mod pipe;
mod query;
mod queue;
mod race;
mod resolve;
mod rights;
pub mod robust;
mod services;
pub mod sockaddr;
mod sys;
pub mod table;
mod tcp;
#[cfg(feature = "tls")]
pub mod tls;
mod udp;
mod unix;
mod wait;

pub use activate::activate;
pub use batch::{BlockingBatch, DatagramBatch};
pub use cgroup::memory_limit;
pub use connection::Connection;
pub use datagram::{BlockingDatagrams, DatagramSocket, DatagramTooLong, Received};
pub use descriptors::{descriptor_limit, open_descriptors, raise_descriptor_limit};
pub use endpoint::{Endpoint, Scheme};
pub use error::{
    Attempt, BindError, BindErrorKind, ConnectError, ConnectErrorKind, EndpointError, ResolveError,
};
pub use handover::{Handover, Queued, Takeover};
pub use inherited::Inherited;
pub use lifecycle::{Bound, Connected, Failed, Family, Listening, Socket, Unbound};
pub use limits::ACCEPT_PAUSE;
pub use listener::Listener;
pub use options::{Keepalive, Options};
pub use peer::{Address, Credentials, Peer};
pub use queue::Queue;
pub use resolve::{Resolved, resolve};
#[cfg(feature = "tls")]
pub use tls::{
    Certificate, CertificateName, ClientTls, Identity, Roots, ServerTls, TlsError, TlsErrorKind,
    TlsInfo,
};
