//! The heads of requests and replies: PROTOCOL-HTTP2.md, "Requests" and "Responses".

use farcall_wire::event::{RequestHead, ResponseHead};
use farcall_wire::fields::{Field, Fields};

use super::{CONTENT_TYPE, STATUS, TIMEOUT};
use super::{code, timeout, trailers};
use crate::call::{CallHead, Outgoing, Refusal};
use crate::compression::{ACCEPTED_OR_IDENTITY, Encoding, Encodings};
use crate::metadata::Metadata;
use crate::protocol::field::{is_readable, quote};
use crate::protocol::reply::{Closing, ReplyHead, refusal};
use crate::protocol::{Accepted, Dialect, Protocol, content_type};
use crate::status::Status;

const ENCODING: &str = "grpc-encoding";
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";

/// How this library names itself, in the structure that PROTOCOL-HTTP2.md recommends.
const USER_AGENT: &str = concat!("grpc-rust-farcall/", env!("CARGO_PKG_VERSION"));

/// Takes the head of a request.
pub(in crate::protocol) fn accept(
    dialect: Dialect,
    head: RequestHead,
) -> Result<Accepted, Refusal> {
    let mut accepted = CallHead::default();
    for field in head.fields() {
        if let Err(status) = read_request_field(field, &mut accepted) {
            return Err(refusal(dialect, &status));
        }
    }
    accepted.metadata = Metadata::received(head.into_fields());
    Ok(Accepted { dialect, head: accepted, message: None })
}

fn read_request_field(field: Field<'_>, head: &mut CallHead) -> Result<(), Status> {
    if field.name.starts_with(b"grpc-") {
        return read_own_field(field, head);
    }
    check_binary(field)
}

fn read_own_field(field: Field<'_>, head: &mut CallHead) -> Result<(), Status> {
    if field.name == TIMEOUT.as_bytes() {
        let timeout = timeout::parse(field.value).ok_or_else(|| bad_timeout(field.value))?;
        head.timeout = Some(timeout);
    } else if field.name == ENCODING.as_bytes() {
        head.encoding =
            Encoding::from_name(field.value).ok_or_else(|| unknown_encoding(field.value))?;
    } else if field.name == ACCEPT_ENCODING.as_bytes() {
        head.accept = head.accept.union(Encodings::from_list(field.value));
    }
    Ok(())
}

#[cold]
fn bad_timeout(value: &[u8]) -> Status {
    Status::internal(format!(
        "{TIMEOUT} \"{}\": expected 1 to 8 digits and one of H M S m u n",
        quote(value)
    ))
}

/// compression.md: the client is told what it could have used, in the head of the refusal and in its message.
#[cold]
fn unknown_encoding(value: &[u8]) -> Status {
    Status::unimplemented(format!(
        "{ENCODING} \"{}\" is not supported; supported are {ACCEPTED_OR_IDENTITY}",
        quote(value)
    ))
}

/// A value that is no Base64 fails its call, and only that.
fn check_binary(field: Field<'_>) -> Result<(), Status> {
    if is_readable(field) {
        return Ok(());
    }
    Err(Status::internal(format!("metadata \"{}\" is not Base64", quote(field.name))))
}

/// The head of a request: pseudo-fields, timeout, the rest of the call's definition, metadata.
pub(in crate::protocol) fn request_head(dialect: Dialect, call: &Outgoing<'_>) -> Fields {
    let texts = call.path.len() + call.authority.len() + call.metadata.wire_size();
    let mut head = Fields::with_capacity(11 + call.metadata.len(), 256 + texts);
    head.push(":method", "POST");
    head.push(":scheme", call.scheme);
    head.push(":path", call.path);
    head.push(":authority", call.authority);
    if let Some(timeout) = call.timeout {
        head.push(TIMEOUT, timeout::emit(timeout));
    }
    head.push(CONTENT_TYPE, dialect.content_type());
    match dialect.protocol() {
        Protocol::GrpcWeb => head.push("x-grpc-web", "1"),
        _ => head.push("te", "trailers"),
    }
    if call.encoding != Encoding::Identity {
        head.push(ENCODING, call.encoding.name());
    }
    head.push(ACCEPT_ENCODING, ACCEPTED_OR_IDENTITY);
    if !call.metadata.contains("user-agent") {
        head.push("user-agent", USER_AGENT);
    }
    call.metadata.emit(&mut head);
    head
}

/// Reads the head of a reply; `end`: nothing follows.
pub(in crate::protocol) fn read_head(dialect: Dialect, head: ResponseHead, end: bool) -> ReplyHead {
    let (status, fields) = (head.status(), head.into_fields());
    let has_status = fields.get(STATUS).is_some();
    if (end || status != 200) && has_status {
        return ReplyHead::Over(trailers::read_trailers(fields));
    }
    let encoding = match read_open_head(dialect, status, &fields, end) {
        Ok(encoding) => encoding,
        Err(status) => return ReplyHead::Broken(status),
    };
    let closing = match dialect.protocol() {
        // The end of the body may come late and turn out to be all of it.
        Protocol::GrpcWeb => Closing::InBody { head: has_status.then(|| Box::new(fields.clone())) },
        _ => Closing::Trailers,
    };
    ReplyHead::Open { metadata: Metadata::received(fields), encoding, closing }
}

fn read_open_head(
    dialect: Dialect,
    status: u16,
    fields: &Fields,
    end: bool,
) -> Result<Encoding, Status> {
    let content_type = fields.get(CONTENT_TYPE).unwrap_or_default();
    let spoken = content_type::read(content_type)
        .filter(|spoken| status == 200 && spoken.protocol() == dialect.protocol());
    match spoken {
        None => return Err(no_reply(dialect, status, content_type)),
        Some(spoken) if spoken.number() != dialect.number() => {
            return Err(Status::internal(format!(
                "expected a reply of content-type \"{}\", got \"{}\"",
                dialect.content_type(),
                quote(content_type)
            )));
        }
        Some(_) if end => return Err(trailers::no_trailers()),
        Some(_) => {}
    }
    for field in fields {
        check_binary(field)?;
    }
    let name = fields.get(ENCODING).unwrap_or(Encoding::Identity.name().as_bytes());
    // compression.md: INTERNAL on the client's side, UNIMPLEMENTED on the server's.
    Encoding::from_name(name).ok_or_else(|| Status::internal(unknown_encoding(name).message()))
}

#[cold]
fn no_reply(dialect: Dialect, status: u16, content_type: &[u8]) -> Status {
    let name = match dialect.protocol() {
        Protocol::GrpcWeb => "gRPC-Web",
        _ => "gRPC",
    };
    let content_type = quote(content_type);
    let what = format!(
        "expected a {name} reply, got HTTP status {status} with content-type \"{content_type}\""
    );
    Status::new(code::from_http(status), what)
}
