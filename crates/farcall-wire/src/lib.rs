//! Frames: pure protocol engines.
//!
//! An engine takes bytes that came from a peer and turns them into [`Event`]s, takes commands and
//! turns them into bytes for the peer, and has one timer. The time is an argument. This crate never
//! opens a socket, never reads a clock, never starts a task and knows nothing of calls.
//!
//! The law of driving an engine: give it one input, drain its events, fill and write its output,
//! sleep until its timeout.

mod bucket;
pub mod detect;
pub mod event;
pub mod fields;
pub mod hpack;
pub mod http1;
pub mod http2;
mod legality;
pub mod limits;
mod lines;
mod message;
mod stream;
mod streams;
pub mod websocket;

pub use event::{Event, RequestHead, ResponseHead, Side, StreamId};
pub use fields::{Field, Fields};
pub use limits::{Limits, WebSocketLimits};
