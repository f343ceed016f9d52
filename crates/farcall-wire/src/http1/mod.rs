//! HTTP/1.1 (RFC 9112) as a pure machine: [`Engine`].
//!
//! One engine is one end of one connection, with the shape and the events of the
//! [HTTP/2 engine](crate::http2::Engine), so that one driver serves both: a request with its
//! response is a stream, and there is one at a time. It knows heads, framing and persistence; it
//! never sees a socket, never reads a clock, never decides what a request means, and never repairs
//! a message whose framing leaves a doubt: two readers of a doubtful message disagree where the
//! next one begins. What it refuses and how much it keeps is in
//! [`Http1Limits`](crate::limits::Http1Limits).

mod chunked;
mod config;
mod emit;
mod engine;
mod grammar;
mod head;
mod refusal;
mod request;
mod response;
mod sort;
mod target;
mod trailers;

pub use crate::http2::{ConnectionError, ErrorCode, Gone, OpenError, Role};
pub use config::{Config, Scheme};
pub use engine::Engine;
