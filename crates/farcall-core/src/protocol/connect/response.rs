//! The head of a reply, and the whole of a unary one: sections "Unary-Response" and "Streaming-Response".

use std::borrow::Cow;

use bytes::Bytes;
use farcall_wire::event::ResponseHead;
use farcall_wire::fields::{Field, Fields};

use super::{CONTENT_LENGTH, CONTENT_TYPE, ErrorReply, TRAILER_PREFIX, code, error};
use crate::call::Answer;
use crate::code::Code;
use crate::codec::Codec;
use crate::compression::{ACCEPTED, Encoding};
use crate::metadata::Metadata;
use crate::protocol::field::{Decimal, is_readable, quote};
use crate::protocol::reply::{self, Closing, ReplyHead};
use crate::protocol::{Dialect, Protocol, content_type, grpc};
use crate::status::Status;

/// The whole reply of a unary call that went well. It has no `content-length`: an engine of HTTP/1.1 sees the whole body
/// and knows, and in HTTP/2 every other length would be one more field that no table has.
pub(in crate::protocol) fn whole(
    dialect: Dialect,
    metadata: &Metadata,
    encoding: Encoding,
    message: Bytes,
    trailing: &Metadata,
) -> Answer {
    let mut head = reply::head(dialect, metadata, encoding);
    if dialect.is_get() {
        push_vary(head.to_mut());
    }
    if !trailing.is_empty() {
        push_trailing(head.to_mut(), trailing);
    }
    Answer { head, body: Some(message), trailers: None }
}

/// The whole reply of a unary call that failed.
pub(in crate::protocol) fn failure(
    dialect: Dialect,
    status: &Status,
    metadata: &Metadata,
    trailing: &Metadata,
) -> Answer {
    let mut body = Vec::with_capacity(64 + status.message().len());
    error::write(&mut body, status);
    let http_status = match status.code() {
        // Nothing is there, and it is no method that is missing.
        Code::Unimplemented if !dialect.has_method() => "404",
        code => code::http_status(code),
    };
    let mut head = Fields::with_capacity(5, 128 + metadata.wire_size() + trailing.wire_size());
    head.push(":status", http_status);
    head.push(CONTENT_TYPE, "application/json");
    head.push(CONTENT_LENGTH, Decimal::new(body.len()));
    if status.code() == Code::Unimplemented {
        // It may be about an encoding (RFC 9110 section 12.5.3).
        head.push("accept-encoding", ACCEPTED);
    }
    if dialect.is_get() {
        push_vary(&mut head);
    }
    metadata.emit(&mut head);
    push_trailing(&mut head, status.metadata());
    push_trailing(&mut head, trailing);
    Answer { head: Cow::Owned(head), body: Some(body.into()), trailers: None }
}

/// A cache must not give one client what was compressed for another.
fn push_vary(head: &mut Fields) {
    head.push("vary", "accept-encoding");
}

/// Adds what trails under names that say so.
fn push_trailing(head: &mut Fields, trailing: &Metadata) {
    if trailing.is_empty() {
        return;
    }
    let mut fields = Fields::new();
    trailing.emit(&mut fields);
    for field in &fields {
        let name = [TRAILER_PREFIX.as_bytes(), field.name].concat();
        head.push_field(Field { name: &name, ..field });
    }
}

/// Reads the head of a reply.
pub(in crate::protocol) fn read_head(dialect: Dialect, head: ResponseHead) -> ReplyHead {
    let (status, fields) = (head.status(), head.into_fields());
    match check_head(dialect, status, &fields) {
        Err(status) => ReplyHead::Broken(status),
        Ok(encoding) if !dialect.is_bare() => ReplyHead::Open {
            metadata: Metadata::received(fields),
            encoding,
            closing: Closing::InBody { head: None },
        },
        Ok(encoding) => {
            let (metadata, trailing) = split_trailing(fields);
            let closing = match status {
                200 => Closing::Body { trailing },
                _ => Closing::Error(Box::new(ErrorReply::new(status, encoding, trailing))),
            };
            ReplyHead::Open { metadata, encoding, closing }
        }
    }
}

/// Takes the fields apart that trail.
fn split_trailing(fields: Fields) -> (Metadata, Metadata) {
    let prefix = TRAILER_PREFIX.as_bytes();
    if !fields.iter().any(|field| field.name.starts_with(prefix)) {
        return (Metadata::received(fields), Metadata::new());
    }
    let (mut leading, mut trailing) = (Fields::new(), Fields::new());
    for field in &fields {
        match field.name.strip_prefix(prefix) {
            Some(name) => trailing.push_field(Field { name, ..field }),
            None => leading.push_field(field),
        }
    }
    (Metadata::received(leading), Metadata::received(trailing))
}

fn check_head(dialect: Dialect, status: u16, fields: &Fields) -> Result<Encoding, Status> {
    let content_type = fields.get(CONTENT_TYPE).unwrap_or_default();
    let spoken =
        content_type::read(content_type).filter(|spoken| spoken.protocol() == Protocol::Connect);
    // Errors are in JSON, whatever the messages are in.
    let is_error = dialect.is_bare()
        && status != 200
        && spoken.is_some_and(|spoken| spoken.is_bare() && spoken.codec() == Codec::Json);
    if !is_error {
        if status != 200 {
            return Err(no_reply(grpc::from_http(status), dialect, status, content_type));
        }
        match spoken {
            Some(spoken) if spoken.number() == dialect.number() => {}
            // Another codec, known or not; anything else is not Connect's at all.
            _ if is_like(dialect, content_type) => {
                return Err(no_reply(Code::Internal, dialect, status, content_type));
            }
            _ => return Err(no_reply(Code::Unknown, dialect, status, content_type)),
        }
    }
    let name = dialect.compression_fields().encoding;
    for field in fields {
        if !is_readable(field) {
            let name = quote(field.name);
            return Err(Status::internal(format!("metadata \"{name}\" is not Base64")));
        }
    }
    let encoding = fields.get(name).unwrap_or(Encoding::Identity.name().as_bytes());
    Encoding::from_name(encoding).ok_or_else(|| {
        let encoding = quote(encoding);
        Status::internal(format!(
            "{name} \"{encoding}\" is not supported; supported are {ACCEPTED}"
        ))
    })
}

/// Whether a content type begins as those of the dialect do.
fn is_like(dialect: Dialect, content_type: &[u8]) -> bool {
    let beginning = if dialect.is_bare() { "application/" } else { "application/connect+" };
    content_type
        .split_at_checked(beginning.len())
        .is_some_and(|(start, _)| start.eq_ignore_ascii_case(beginning.as_bytes()))
}

#[cold]
fn no_reply(code: Code, dialect: Dialect, status: u16, content_type: &[u8]) -> Status {
    Status::new(
        code,
        format!(
            "expected a Connect reply of content-type \"{}\", got HTTP status {status} with content-type \"{}\"",
            dialect.content_type(),
            quote(content_type)
        ),
    )
}
