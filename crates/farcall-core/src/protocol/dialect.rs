//! A protocol with all that the heads of a call leave open.

use std::borrow::Cow;

use bytes::Bytes;
use farcall_wire::event::ResponseHead;
use farcall_wire::fields::Fields;

use super::{Protocol, ReplyHead, connect, grpc, grpc_web, reply};
use crate::call::{Answer, Ending, Outgoing};
use crate::codec::Codec;
use crate::compression::Encoding;
use crate::metadata::Metadata;
use crate::method::{Kind, Method};
use crate::status::{Result, Status};

/// A protocol with all that the heads of a call leave open: how messages are written and how they stand in the body.
///
/// It words replies for a server and requests for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dialect {
    protocol: Protocol,
    codec: Codec,
    framing: Framing,
    /// Whether the request named a method: Connect answers one that did not like any other page that is not there.
    has_method: bool,
    /// Whether the request was a GET, whose answer may be cached.
    is_get: bool,
}

/// How messages stand in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Framing {
    /// Each in its envelope.
    Enveloped,
    /// The same in Base64.
    EnvelopedText,
    /// The body is the one message.
    Bare,
}

impl Dialect {
    pub(super) const fn new(protocol: Protocol, codec: Codec, framing: Framing) -> Self {
        Self { protocol, codec, framing, has_method: true, is_get: false }
    }

    /// What a client uses to call `method`.
    pub fn for_call(protocol: Protocol, codec: Codec, method: &Method) -> Self {
        let framing = match (protocol, method.kind) {
            (Protocol::Connect, Kind::Unary) => Framing::Bare,
            _ => Framing::Enveloped,
        };
        Self::new(protocol, codec, framing)
    }

    /// gRPC-Web in its text form, for carriers that spoil bytes; any other protocol stays as it is.
    #[must_use]
    pub fn text(self) -> Self {
        match self.protocol {
            Protocol::GrpcWeb => Self { framing: Framing::EnvelopedText, ..self },
            Protocol::Grpc | Protocol::Connect => self,
        }
    }

    pub(super) fn with_method(self, has_method: bool) -> Self {
        Self { has_method, ..self }
    }

    pub(super) fn with_get(self) -> Self {
        Self { is_get: true, ..self }
    }

    /// The protocol.
    pub fn protocol(self) -> Protocol {
        self.protocol
    }

    /// How messages are written.
    pub fn codec(self) -> Codec {
        self.codec
    }

    /// Whether the body is the one message, without an envelope: Connect's unary calls.
    pub fn is_bare(self) -> bool {
        self.framing == Framing::Bare
    }

    pub(crate) fn framing(self) -> Framing {
        self.framing
    }

    pub(super) fn has_method(self) -> bool {
        self.has_method
    }

    pub(super) fn is_get(self) -> bool {
        self.is_get
    }

    /// Whether the method can be called in this: of Connect's two forms, each is for its kind of method.
    pub(super) fn suits(self, method: Option<&Method>) -> bool {
        let Some(method) = method else { return true };
        let is_unary = method.kind == Kind::Unary;
        self.protocol != Protocol::Connect || self.is_bare() == is_unary
    }

    /// The content type of bodies.
    pub(super) fn content_type(self) -> &'static str {
        reply::CONTENT_TYPES[self.number()]
    }

    /// The place in tables of what depends on protocol, framing and codec alone.
    pub(super) fn number(self) -> usize {
        let family = match (self.protocol, self.framing) {
            (Protocol::Grpc, _) => 0,
            (Protocol::GrpcWeb, Framing::EnvelopedText) => 2,
            (Protocol::GrpcWeb, _) => 1,
            (Protocol::Connect, Framing::Bare) => 4,
            (Protocol::Connect, _) => 3,
        };
        2 * family + self.codec as usize
    }

    /// The dialect of that [`number`](Self::number).
    pub(super) const fn numbered(number: usize) -> Self {
        let (protocol, framing) = match number / 2 {
            0 => (Protocol::Grpc, Framing::Enveloped),
            1 => (Protocol::GrpcWeb, Framing::Enveloped),
            2 => (Protocol::GrpcWeb, Framing::EnvelopedText),
            3 => (Protocol::Connect, Framing::Enveloped),
            _ => (Protocol::Connect, Framing::Bare),
        };
        let codec = if number.is_multiple_of(2) { Codec::Proto } else { Codec::Json };
        Self::new(protocol, codec, framing)
    }

    /// Bytes that are worth keeping free behind a message, because the end of the reply may be put there.
    pub(crate) fn spare(self) -> usize {
        match (self.protocol, self.framing) {
            (Protocol::GrpcWeb, Framing::Enveloped) => grpc_web::OK.len(),
            (Protocol::Connect, Framing::Enveloped) => connect::OK.len(),
            _ => 0,
        }
    }

    /// The bits of an envelope's flag that mark the end of a reply; zero when no envelope does.
    pub(crate) fn end_flag(self) -> u8 {
        match self.protocol {
            Protocol::Grpc => 0,
            Protocol::GrpcWeb => grpc_web::END,
            Protocol::Connect => connect::END,
        }
    }
}

/// What a server says.
impl Dialect {
    /// The head of a stream of replies. It costs nothing when there is no metadata.
    pub fn response_head(self, metadata: &Metadata, encoding: Encoding) -> Cow<'static, Fields> {
        reply::head(self, metadata, encoding)
    }

    /// What follows the last message of a stream of replies. It costs nothing for a success without metadata.
    pub fn end(self, result: Result<(), &Status>, trailing: &Metadata) -> Ending {
        match self.protocol {
            Protocol::Grpc => {
                Ending { body: None, trailers: Some(grpc::trailers(result, trailing)) }
            }
            Protocol::GrpcWeb => {
                let end = grpc_web::end(self, result, trailing);
                Ending { body: Some(end), trailers: None }
            }
            Protocol::Connect => {
                Ending { body: Some(connect::end(result, trailing)), trailers: None }
            }
        }
    }

    /// The whole reply of a call that went well and has one message, which a [`Sender`](crate::Sender) has encoded.
    /// `encoding` is what the head has to announce: [`Sender::announced`](crate::Sender::announced).
    #[inline]
    pub fn whole(
        self,
        metadata: &Metadata,
        encoding: Encoding,
        message: Bytes,
        trailing: &Metadata,
    ) -> Answer {
        if self.is_bare() {
            return connect::whole(self, metadata, encoding, message, trailing);
        }
        let head = self.response_head(metadata, encoding);
        let (body, trailers) = match self.protocol {
            Protocol::Grpc => (message, Some(grpc::trailers(Ok(()), trailing))),
            Protocol::GrpcWeb => {
                (reply::join(message, &grpc_web::end(self, Ok(()), trailing)), None)
            }
            Protocol::Connect => (reply::join(message, &connect::end(Ok(()), trailing)), None),
        };
        Answer { head, body: Some(body), trailers }
    }

    /// The whole reply of a call that failed before anything was sent.
    pub fn failure(self, status: &Status, metadata: &Metadata, trailing: &Metadata) -> Answer {
        if self.is_bare() {
            return connect::failure(self, status, metadata, trailing);
        }
        if self.protocol == Protocol::Grpc && metadata.is_empty() {
            let head = grpc::trailers_only(self, status, trailing);
            return Answer { head: Cow::Owned(head), body: None, trailers: None };
        }
        let head = self.response_head(metadata, Encoding::Identity);
        let Ending { body, trailers } = self.end(Err(status), trailing);
        Answer { head, body, trailers }
    }
}

/// What a client says, and how it understands a server.
impl Dialect {
    /// The head of a request, pseudo-fields first.
    pub fn request_head(self, call: &Outgoing<'_>) -> Fields {
        match self.protocol {
            Protocol::Grpc | Protocol::GrpcWeb => grpc::request_head(self, call),
            Protocol::Connect => connect::request_head(self, call),
        }
    }

    /// The failure of a call whose stream was reset by the peer with an error code of RFC 9113 section 7.
    pub fn reset(self, code: u32) -> Status {
        // Only gRPC has a table for it, and the codes mean the same to others.
        grpc::reset(code)
    }

    pub(crate) fn read_head(self, head: ResponseHead, end: bool) -> ReplyHead {
        match self.protocol {
            Protocol::Grpc | Protocol::GrpcWeb => grpc::read_head(self, head, end),
            Protocol::Connect => connect::read_head(self, head),
        }
    }

    /// How the end in a body says that the call went.
    pub(crate) fn read_end(self, end: &[u8]) -> Result<Metadata> {
        match self.protocol {
            Protocol::Grpc | Protocol::GrpcWeb => grpc_web::read_end(end),
            Protocol::Connect => connect::read_end(end),
        }
    }

    /// The failure of a call whose body ends without an end that says how it went: it cannot be taken for a success.
    #[cold]
    pub(crate) fn no_end(self) -> Status {
        let end = match self.protocol {
            Protocol::Grpc | Protocol::GrpcWeb => "trailers in its body",
            Protocol::Connect => "an end of the stream",
        };
        Status::internal(format!("the reply ended without {end}, so without an outcome"))
    }
}
