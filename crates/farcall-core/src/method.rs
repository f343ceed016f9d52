//! What can be called.
//!
//! Generated code describes every method by one static [`Method`]; [`split_path`] is the one place that reads a
//! request's path, so that a router and an interceptor cannot disagree about it.

use std::fmt;

use farcall_wire::event::RequestHead;

/// One method of one service, as its .proto file declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Method {
    /// The service's full name: `greet.v1.Greeter`.
    pub service: &'static str,
    /// The method's name: `SayHello`.
    pub name: &'static str,
    /// The path that a request names: `/greet.v1.Greeter/SayHello`.
    pub path: &'static str,
    /// How many messages go each way.
    pub kind: Kind,
    /// What running the method twice does.
    pub idempotency: Idempotency,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.name)
    }
}

/// How many messages go each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One request, one reply.
    Unary,
    /// Many requests, one reply.
    ClientStreaming,
    /// One request, many replies.
    ServerStreaming,
    /// Many requests, many replies.
    Bidirectional,
}

impl Kind {
    /// Whether the client sends any number of messages rather than exactly one.
    pub const fn streams_requests(self) -> bool {
        matches!(self, Self::ClientStreaming | Self::Bidirectional)
    }

    /// Whether the server sends any number of messages rather than exactly one.
    pub const fn streams_replies(self) -> bool {
        matches!(self, Self::ServerStreaming | Self::Bidirectional)
    }
}

/// What running a method twice does: the `idempotency_level` option of a .proto file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Idempotency {
    /// Not said, so it may do harm.
    #[default]
    Unknown,
    /// The method only reads.
    NoSideEffects,
    /// The second run changes nothing any more.
    Idempotent,
}

/// Splits a request's path into service and method: `/greet.v1.Greeter/SayHello`.
///
/// None for anything but a slash, a name, a slash, a name, where names are letters, digits, `_`, `.` and `-`. A path
/// without its first slash, with empty, doubled or escaped parts or with a query names no method; it is not repaired,
/// because whoever checks permissions must see the very names that the router sees.
pub fn split_path(path: &[u8]) -> Option<(&str, &str)> {
    let path = std::str::from_utf8(path).ok()?;
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    (is_name(service) && is_name(method)).then_some((service, method))
}

/// The part of a request's path that names the method: all of it, but for a GET, whose query carries the message of a
/// Connect call. In any other request a query names no method.
pub fn call_path(head: &RequestHead) -> &[u8] {
    let path = head.path();
    match head.method() {
        b"GET" => path.split(|byte| *byte == b'?').next().unwrap_or_default(),
        _ => path,
    }
}

fn is_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !name.is_empty() && name.bytes().all(legal)
}
