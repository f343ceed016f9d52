//! What protocols say on the wire around the messages of a call.
//!
//! Everything outside this module speaks of metadata, statuses and timeouts; the names and forms they have in a protocol
//! are known here only. A new protocol is one more [`Protocol`], one more file and one more arm in `accept`.

mod grpc;

use std::borrow::Cow;

use farcall_wire::event::{RequestHead, ResponseHead};
use farcall_wire::fields::Fields;

use crate::call::{CallHead, Outgoing, Refusal};
use crate::compression::Encoding;
use crate::metadata::Metadata;
use crate::status::{Result, Status};

/// The protocols that can carry a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// gRPC over HTTP/2.
    Grpc,
}

/// What the head of a reply means for the call.
#[derive(Debug)]
pub(crate) enum ReplyHead {
    /// Messages and an end follow.
    Open { metadata: Metadata, encoding: Encoding },
    /// The server has ended the call with it.
    Over(Result<Metadata>),
    /// It is no reply to a call.
    Broken(Status),
}

/// Takes the head of a request in whatever protocol it is.
pub(crate) fn accept(head: RequestHead) -> Result<(Protocol, CallHead), Refusal> {
    let Some(protocol) = Protocol::of(&head) else {
        return Err(refuse(415, None));
    };
    let accepted = match protocol {
        Protocol::Grpc => grpc::accept(head),
    };
    accepted.map(|head| (protocol, head))
}

impl Protocol {
    /// What a request speaks, told by its content type; none when it is no call in any protocol.
    pub fn of(head: &RequestHead) -> Option<Self> {
        let content_type = head.fields().get("content-type")?;
        grpc::is_content_type(content_type).then_some(Self::Grpc)
    }

    /// The head of a reply. It costs nothing when there is no metadata.
    pub fn response_head(self, metadata: &Metadata, encoding: Encoding) -> Cow<'static, Fields> {
        match self {
            Self::Grpc => grpc::response_head(metadata, encoding),
        }
    }

    /// The trailers of a reply that has had its head. They cost nothing for a success without metadata.
    pub fn trailers(
        self,
        result: Result<(), &Status>,
        trailing: &Metadata,
    ) -> Cow<'static, Fields> {
        match self {
            Self::Grpc => grpc::trailers(result, trailing),
        }
    }

    /// Head and trailers in one, for a failure before anything was sent.
    pub fn trailers_only(self, status: &Status, metadata: &Metadata) -> Fields {
        match self {
            Self::Grpc => grpc::trailers_only(status, metadata),
        }
    }

    /// The head of a request, pseudo-fields first.
    pub fn request_head(self, call: &Outgoing<'_>) -> Fields {
        match self {
            Self::Grpc => grpc::request_head(call),
        }
    }

    /// The failure of a call whose stream was reset by the peer with an error code of RFC 9113 section 7.
    pub fn reset(self, code: u32) -> Status {
        match self {
            Self::Grpc => grpc::reset(code),
        }
    }

    pub(crate) fn read_head(self, head: ResponseHead, end: bool) -> ReplyHead {
        match self {
            Self::Grpc => grpc::read_head(head, end),
        }
    }

    pub(crate) fn read_trailers(self, fields: Fields) -> Result<Metadata> {
        match self {
            Self::Grpc => grpc::read_trailers(fields),
        }
    }

    /// The failure of a call whose reply ends without trailers.
    pub(crate) fn no_trailers(self) -> Status {
        match self {
            Self::Grpc => grpc::no_trailers(),
        }
    }
}

/// Whether a field belongs to HTTP or to a protocol above it, so that no user may write or see it as metadata.
pub(crate) fn is_reserved(name: &[u8]) -> bool {
    const HTTP: [&[u8]; 10] = [
        b"connection",
        b"content-length",
        b"content-type",
        b"host",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    ];
    name.starts_with(b":") || HTTP.contains(&name) || grpc::is_reserved(name)
}

/// A plain HTTP answer with nothing to read; `field` says more.
fn refuse(status: u16, field: Option<(&str, &str)>) -> Refusal {
    let mut head = Fields::with_capacity(3, 40);
    head.push(":status", status.to_string());
    head.push("content-length", "0");
    if let Some((name, value)) = field {
        head.push(name, value);
    }
    Refusal { head, body: None }
}
