//! Connect, as its Protocol Reference (connectrpc.com/docs/protocol) has it.
//!
//! It has two forms. The body of a unary call is the message alone, a failure is an HTTP status with JSON, and what
//! trails stands in the head under names that say so. A stream has envelopes, of which the last is JSON that says how
//! the call went. Neither uses the trailers of HTTP.

mod code;
mod end;
mod error;
mod get;
mod request;
mod response;
mod timeout;

pub(super) use end::{END, OK, end, read_end};
pub(crate) use error::ErrorReply;
pub(super) use get::{accept as accept_get, is_query};
pub(super) use request::{accept, request_head};
pub(super) use response::{failure, read_head, whole};

const CONTENT_TYPE: &str = "content-type";
const CONTENT_LENGTH: &str = "content-length";
const TIMEOUT: &str = "connect-timeout-ms";
const PROTOCOL_VERSION: &str = "connect-protocol-version";

/// What trailing metadata of a unary call is called in the head.
const TRAILER_PREFIX: &str = "trailer-";

/// The version of the protocol, as a field has it.
const VERSION: &str = "1";
