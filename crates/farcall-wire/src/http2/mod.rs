//! HTTP/2 (RFC 9113) as a pure machine: [`Engine`].
//!
//! One engine is one end of one connection. It knows frames, streams and windows; it never sees a
//! socket, never reads a clock and never decides what a request means. What it refuses and how
//! often is in [`Limits`](crate::Limits).

mod config;
mod engine;
mod error;
mod error_code;
pub mod frame;

pub use config::{Config, Role};
pub use engine::{Engine, Snapshot, StreamSnapshot};
pub use error::{ConnectionError, Gone, OpenError};
pub use error_code::ErrorCode;
