//! WebSocket (RFC 6455) as a pure machine, and farcall's calls over it.
//!
//! - [`handshake`] judges and builds the heads that turn an HTTP request into a WebSocket, for
//!   HTTP/1.1 (RFC 6455 section 4) and for HTTP/2 (RFC 8441);
//! - [`frame`] reads and writes frame headers and masks;
//! - [`Engine`] is one end of a WebSocket after the handshake: bytes in, messages out, and back;
//! - [`Session`] carries many calls at once over an `Engine`, in the shape of
//!   [`http2::Engine`](crate::http2::Engine); its messages are described in `docs/websocket.md`.
//!
//! Nothing here sees a socket, reads a clock or makes up randomness, and nothing checks the origin
//! of a browser's request: that is policy, and the server's business.

mod close_code;
mod config;
mod deflate;
mod engine;
mod error;
mod event;
pub mod frame;
pub mod handshake;
mod mask;
mod session;
mod utf8;

pub use close_code::CloseCode;
pub use config::Config;
pub use deflate::{Deflate, DeflateOptions};
pub use engine::Engine;
pub use error::{Error, SendError};
pub use event::Event;
pub use session::{SUBPROTOCOL, Session, SessionConfig, Snapshot, StreamSnapshot};
