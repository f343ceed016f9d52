//! What protocols say on the wire around the messages of a call.
//!
//! Everything outside this module speaks of metadata, statuses and timeouts; the names and forms they have in a protocol
//! are known here only. A new protocol is one more [`Protocol`], one more folder and its arms in [`Dialect`].

mod connect;
mod content_type;
mod dialect;
mod field;
pub(crate) mod grpc;
mod grpc_web;
mod reply;

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use farcall_wire::event::RequestHead;

use crate::call::{CallHead, Refusal};
use crate::limits::Limits;
use crate::method::{Idempotency, Kind, Method};
use crate::status::Result;

pub use dialect::Dialect;
pub(crate) use dialect::Framing;
pub(crate) use field::is_reserved;
pub(crate) use reply::{Closing, ReplyHead};

/// The protocols that can carry a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// gRPC over HTTP/2.
    #[default]
    Grpc,
    /// gRPC-Web, for those who cannot read trailers.
    GrpcWeb,
    /// Connect, over any HTTP.
    Connect,
}

impl Protocol {
    /// What a request speaks; none when it is no call in any protocol. It is told by the content type, and that of a GET
    /// by the query that Connect gives it. What a browser sends to strangers unasked, plain texts and forms, is no call.
    pub fn of(head: &RequestHead) -> Option<Self> {
        if head.method() == b"GET" {
            return connect::is_query(head).then_some(Self::Connect);
        }
        let content_type = head.fields().get("content-type")?;
        content_type::read(content_type).map(Dialect::protocol)
    }

    /// The name: `grpc`, `grpc-web`, `connect`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::GrpcWeb => "grpc-web",
            Self::Connect => "connect",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, UnknownProtocol> {
        [Self::Grpc, Self::GrpcWeb, Self::Connect]
            .into_iter()
            .find(|protocol| protocol.name() == name)
            .ok_or_else(|| UnknownProtocol(name.to_owned()))
    }
}

/// A name that is no protocol's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProtocol(String);

impl fmt::Display for UnknownProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "protocol {:?}: expected grpc, grpc-web or connect", self.0)
    }
}

impl Error for UnknownProtocol {}

/// A request that has become a call.
pub(crate) struct Accepted {
    pub(crate) dialect: Dialect,
    pub(crate) head: CallHead,
    /// The message, when it came in the head.
    pub(crate) message: Option<Bytes>,
}

/// Takes the head of a request in whatever protocol it is.
pub(crate) fn accept(
    head: RequestHead,
    method: Option<&Method>,
    limits: &Limits,
) -> Result<Accepted, Refusal> {
    match head.method() {
        b"POST" => {}
        b"GET" if method.is_none_or(is_readable) => return connect::accept_get(head, method),
        _ => return Err(reply::wrong_verb(method.map(is_readable))),
    }
    let spoken = head.fields().get("content-type").and_then(content_type::read);
    let Some(dialect) = spoken.filter(|dialect| dialect.suits(method)) else {
        return Err(reply::wrong_content_type(method));
    };
    let dialect = dialect.with_method(method.is_some());
    match dialect.protocol() {
        Protocol::Grpc | Protocol::GrpcWeb => grpc::accept(dialect, head),
        Protocol::Connect => connect::accept(dialect, head, limits),
    }
}

/// Whether the method may be called by a GET: anybody's page can make a browser send one.
fn is_readable(method: &Method) -> bool {
    method.kind == Kind::Unary && method.idempotency == Idempotency::NoSideEffects
}
