//! gRPC over HTTP/2, as PROTOCOL-HTTP2.md, compression.md, statuscodes.md and http-grpc-status-mapping.md of the gRPC
//! project have it.
//!
//! Knows heads and trailers; messages between them are the envelope's and the exchange's business. gRPC-Web has the same
//! heads and the same fields at the end, in another place.

mod code;
mod head;
mod percent;
mod timeout;
mod trailers;

pub(super) use code::{from_http, reset};
pub(super) use head::{accept, read_head, request_head};
pub(crate) use trailers::{no_trailers, read_trailers};
pub(super) use trailers::{trailers, trailers_only};

const CONTENT_TYPE: &str = "content-type";
const TIMEOUT: &str = "grpc-timeout";
const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
const DETAILS: &str = "grpc-status-details-bin";
