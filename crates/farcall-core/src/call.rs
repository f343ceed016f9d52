//! What stands at the beginning of a call: on the way out, on the way in, and when it is refused there.

use std::borrow::Cow;
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
    /// How messages that are to be compressed will be. Where the body is the message alone, in Connect's unary calls: how
    /// the message is compressed.
    pub encoding: Encoding,
    /// The message of a Connect call that is to be sent as a GET, as the [`Sender`](crate::Sender) has encoded it. The
    /// request has no body then. Overlooked where no GET is possible.
    pub get: Option<&'a Bytes>,
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

    /// The compression that the client named first among those that are supported here; none when it named none.
    pub fn best_encoding(&self) -> Encoding {
        self.accept.preferred()
    }
}

/// What ends a stream of replies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The last piece of the body. When no trailers follow, it ends the stream.
    pub body: Option<Bytes>,
    /// The trailers, which end the stream.
    pub trailers: Option<Cow<'static, Fields>>,
}

/// A whole reply. What is there of it goes in this order, and the last of it ends the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `:status` first.
    pub head: Cow<'static, Fields>,
    /// The body.
    pub body: Option<Bytes>,
    /// The trailers.
    pub trailers: Option<Cow<'static, Fields>>,
}

/// The answer to a request that does not become a call: no handler sees it, the stream ends with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `:status` first.
    pub head: Fields,
    /// What follows the head; when there is nothing, the head ends the stream.
    pub body: Option<Bytes>,
}
