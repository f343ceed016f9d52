//! gRPC over HTTP/2, as PROTOCOL-HTTP2.md, compression.md, statuscodes.md and http-grpc-status-mapping.md of the gRPC
//! project have it.
//!
//! Knows heads and trailers; messages between them are the envelope's and the exchange's business.

mod code;
mod head;
mod percent;
mod timeout;
mod trailers;

use crate::compression::Encoding;

pub(super) use code::reset;
pub(super) use head::{accept, is_content_type, read_head, request_head, response_head};
pub(super) use trailers::{no_trailers, read_trailers, trailers, trailers_only};

const CONTENT_TYPE: &str = "content-type";
const TIMEOUT: &str = "grpc-timeout";
const ENCODING: &str = "grpc-encoding";
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";
const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
const DETAILS: &str = "grpc-status-details-bin";

/// The content type that is sent.
const APPLICATION_GRPC: &str = "application/grpc";

/// The encodings that are read here, as they are told to the peer.
const ACCEPTED: &str = "identity,gzip";

// A new encoding must be told.
const _: () = assert!(Encoding::ALL.len() == 2);

/// Whether the name is gRPC's own: all names with its prefix are, known or not.
pub(super) fn is_reserved(name: &[u8]) -> bool {
    name.starts_with(b"grpc-")
}
