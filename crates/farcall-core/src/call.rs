//! What stands at the beginning of a call: on the way out, on the way in, and when it is refused there.

use std::time::Duration;

use bytes::Bytes;
use farcall_wire::fields::Fields;

use crate::compression::{Encoding, Encodings};
use crate::metadata::Metadata;

/// What a client says when it begins a call.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The method's path: `/greet.v1.Greeter/SayHello`.
    pub path: &'a str,
    /// Host and port as the caller named them.
    pub authority: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The user's metadata.
    pub metadata: &'a Metadata,
    /// The time left; cut to the wire's resolution upwards, so that the server does not give up first.
    pub timeout: Option<Duration>,
    /// How messages that are to be compressed will be.
    pub encoding: Encoding,
}

/// What a server learns when a call begins.
#[derive(Clone, Debug, Default)]
pub struct CallHead {
    /// The user's metadata.
    pub metadata: Metadata,
    /// The time that the client gives; at most [`MAX_TIMEOUT`](crate::deadline::MAX_TIMEOUT), and zero when the call is
    /// late already: then it is answered with `DEADLINE_EXCEEDED` and no handler runs.
    pub timeout: Option<Duration>,
    /// How the client's compressed messages are.
    pub encoding: Encoding,
    /// What the client can decompress.
    pub accept: Encodings,
}

impl CallHead {
    /// `preferred` when the client can read it, else no compression.
    pub fn reply_encoding(&self, preferred: Encoding) -> Encoding {
        if self.accept.contains(preferred) { preferred } else { Encoding::Identity }
    }
}

/// The answer to a request that does not become a call: no handler sees it, the stream ends with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `:status` first.
    pub head: Fields,
    /// What follows the head; when there is nothing, the head ends the stream.
    pub body: Option<Bytes>,
}
