//! Replies as all protocols have them: their heads, and what a head means to a client.

use std::borrow::Cow;
use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use farcall_wire::fields::Fields;

use super::{Dialect, Protocol, connect};
use crate::call::{Answer, Refusal};
use crate::compression::{ACCEPTED, ACCEPTED_OR_IDENTITY, Encoding};
use crate::metadata::Metadata;
use crate::method::{Kind, Method};
use crate::status::{Result, Status};

/// The content types that are sent, by [`Dialect::number`].
pub(super) const CONTENT_TYPES: [&str; 10] = [
    "application/grpc",
    "application/grpc+json",
    "application/grpc-web+proto",
    "application/grpc-web+json",
    "application/grpc-web-text+proto",
    "application/grpc-web-text+json",
    "application/connect+proto",
    "application/connect+json",
    "application/proto",
    "application/json",
];

/// The names of the fields that are about compression.
pub(super) struct CompressionFields {
    /// How the sender compresses.
    pub(super) encoding: &'static str,
    /// What the sender can read.
    pub(super) accept: &'static str,
    /// What this library can read.
    pub(super) accepted: &'static str,
}

impl Dialect {
    pub(super) fn compression_fields(self) -> CompressionFields {
        match self.protocol() {
            Protocol::Grpc | Protocol::GrpcWeb => CompressionFields {
                encoding: "grpc-encoding",
                accept: "grpc-accept-encoding",
                accepted: ACCEPTED_OR_IDENTITY,
            },
            Protocol::Connect if self.is_bare() => CompressionFields {
                encoding: "content-encoding",
                accept: "accept-encoding",
                accepted: ACCEPTED,
            },
            Protocol::Connect => CompressionFields {
                encoding: "connect-content-encoding",
                accept: "connect-accept-encoding",
                accepted: ACCEPTED,
            },
        }
    }
}

/// The heads without metadata, by dialect and encoding.
static HEADS: LazyLock<Vec<Fields>> = LazyLock::new(|| {
    let mut heads = vec![Fields::new(); CONTENT_TYPES.len() * ENCODINGS];
    for dialect in (0..CONTENT_TYPES.len()).map(Dialect::numbered) {
        for encoding in Encoding::ALL {
            heads[place(dialect, *encoding)] = plain_head(dialect, *encoding);
        }
    }
    heads
});

/// One more than the largest number of an encoding.
const ENCODINGS: usize = Encoding::ALL.len();

fn place(dialect: Dialect, encoding: Encoding) -> usize {
    dialect.number() * ENCODINGS + encoding as usize
}

fn plain_head(dialect: Dialect, encoding: Encoding) -> Fields {
    let names = dialect.compression_fields();
    let mut head = Fields::new();
    head.push(":status", "200");
    head.push("content-type", dialect.content_type());
    if encoding != Encoding::Identity {
        head.push(names.encoding, encoding.name());
    }
    // In a reply of plain HTTP it would be about requests in general.
    if !dialect.is_bare() {
        head.push(names.accept, names.accepted);
    }
    head
}

/// The head of a reply with status 200.
pub(super) fn head(
    dialect: Dialect,
    metadata: &Metadata,
    encoding: Encoding,
) -> Cow<'static, Fields> {
    let plain = &HEADS[place(dialect, encoding)];
    if metadata.is_empty() {
        return Cow::Borrowed(plain);
    }
    let mut head =
        Fields::with_capacity(plain.len() + metadata.len(), plain.size() + metadata.wire_size());
    head.extend(plain);
    metadata.emit(&mut head);
    Cow::Owned(head)
}

/// A message with the end of the reply behind it: in place when the message has no other owner and room.
pub(super) fn join(message: Bytes, end: &[u8]) -> Bytes {
    let mut body = message.try_into_mut().unwrap_or_else(|shared| {
        let mut copy = BytesMut::with_capacity(shared.len() + end.len());
        copy.extend_from_slice(&shared);
        copy
    });
    body.extend_from_slice(end);
    body.freeze()
}

/// What the head of a reply means for the call.
#[derive(Debug)]
pub(crate) enum ReplyHead {
    /// Messages and an end follow, or nothing does if the head was all.
    Open { metadata: Metadata, encoding: Encoding, closing: Closing },
    /// The server has ended the call with it.
    Over(Result<Metadata>),
    /// It is no reply to a call.
    Broken(Status),
}

/// How a reply will say how the call went.
#[derive(Debug, Default)]
pub(crate) enum Closing {
    /// The head has not come.
    #[default]
    Unknown,
    /// In trailers.
    Trailers,
    /// In the last envelope of the body; or, if there is no body at all, in the head, which is kept for that.
    InBody { head: Option<Box<Fields>> },
    /// It has been said: it went well if the body is complete.
    Body { trailing: Metadata },
    /// It has been said that it failed: the body says how.
    Error(Box<connect::ErrorReply>),
}

/// A plain HTTP answer with nothing to read; the fields say more.
fn refuse(status: &str, fields: &[(&str, &str)]) -> Refusal {
    let mut head = Fields::with_capacity(2 + fields.len(), 128);
    head.push(":status", status);
    head.push("content-length", "0");
    for (name, value) in fields {
        head.push(name, value);
    }
    Refusal { head, body: None }
}

/// The answer to a verb that the method cannot be called by; `is_readable`: it can be called by a GET, and none: there is no
/// method.
#[cold]
pub(super) fn wrong_verb(is_readable: Option<bool>) -> Refusal {
    match is_readable {
        None => refuse("404", &[]),
        Some(true) => refuse("405", &[("allow", "GET, POST")]),
        Some(false) => refuse("405", &[("allow", "POST")]),
    }
}

/// The answer to a body that the method does not take; none: there is no method.
#[cold]
pub(super) fn wrong_content_type(method: Option<&Method>) -> Refusal {
    const UNARY: &str = "application/grpc, application/grpc+proto, application/grpc+json, \
        application/grpc-web, application/grpc-web+proto, application/grpc-web+json, \
        application/grpc-web-text, application/grpc-web-text+proto, application/grpc-web-text+json, \
        application/proto, application/json";
    const STREAM: &str = "application/grpc, application/grpc+proto, application/grpc+json, \
        application/grpc-web, application/grpc-web+proto, application/grpc-web+json, \
        application/grpc-web-text, application/grpc-web-text+proto, application/grpc-web-text+json, \
        application/connect+proto, application/connect+json";
    match method.map(|method| method.kind) {
        None => refuse("404", &[]),
        Some(Kind::Unary) => refuse("415", &[("accept-post", UNARY)]),
        Some(_) => refuse("415", &[("accept-post", STREAM)]),
    }
}

/// A failure as the answer to a request that does not become a call.
#[cold]
pub(super) fn refusal(dialect: Dialect, status: &Status) -> Refusal {
    // Without leading metadata, no protocol needs trailers that stand apart.
    let Answer { head, body, trailers: _ } =
        dialect.failure(status, &Metadata::new(), &Metadata::new());
    Refusal { head: head.into_owned(), body }
}
