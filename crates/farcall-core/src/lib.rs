//! Calls: what a remote procedure call is, whatever carries it.
//!
//! A call has a [`Method`], [`Metadata`], a [`Deadline`], messages in [`Envelope`]s and an end, which is either fine or a
//! [`Status`]. [`ServerExchange`] and [`ClientExchange`] are the two sides of one call: they take the heads, bytes and
//! trailers that an HTTP engine reports and turn them into messages and an outcome. A [`Dialect`] is what the two speak:
//! gRPC, gRPC-Web or Connect, with messages in protobuf or JSON; it words heads and ends.
//!
//! This crate never opens a socket, never reads a clock and never starts a task: bytes and time are arguments. Which
//! header names a protocol uses is known below [`protocol`] only.

mod base64;

pub mod call;
pub mod code;
pub mod codec;
pub mod compression;
pub mod cors;
pub mod deadline;
pub mod envelope;
pub mod exchange;
pub mod limits;
pub mod metadata;
pub mod method;
pub mod protocol;
pub mod status;

pub use call::{Answer, CallHead, Ending, Outgoing, Refusal};
pub use code::Code;
pub use codec::json::Json;
pub use codec::{Codec, Message, UnknownFields, json};
pub use compression::{Encoding, Encodings};
pub use cors::Cors;
pub use deadline::Deadline;
pub use envelope::{Decoder, Envelope};
pub use exchange::{Cardinality, ClientExchange, Incoming, Lane, Next, Sender, ServerExchange};
pub use limits::Limits;
pub use metadata::{Metadata, MetadataError};
pub use method::{Idempotency, Kind, Method};
pub use protocol::{Dialect, Protocol};
pub use status::{Any, Result, Status};
