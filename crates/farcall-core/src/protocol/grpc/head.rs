//! The heads of requests and replies: PROTOCOL-HTTP2.md, "Requests" and "Responses".

use std::borrow::Cow;
use std::sync::LazyLock;

use farcall_wire::event::{RequestHead, ResponseHead};
use farcall_wire::fields::{Field, Fields};

use super::{ACCEPT_ENCODING, ACCEPTED, APPLICATION_GRPC, CONTENT_TYPE, ENCODING, STATUS, TIMEOUT};
use super::{code, timeout, trailers};
use crate::call::{CallHead, Outgoing, Refusal};
use crate::compression::{Encoding, Encodings};
use crate::limits::MAX_QUOTED;
use crate::metadata::{Metadata, base64, is_binary, pieces};
use crate::protocol::{ReplyHead, refuse};
use crate::status::Status;

/// How this library names itself, in the structure that PROTOCOL-HTTP2.md recommends.
const USER_AGENT: &str = concat!("grpc-rust-farcall/", env!("CARGO_PKG_VERSION"));

/// Whether a request of this content type is one in gRPC with protobuf messages.
pub(in crate::protocol) fn is_content_type(value: &[u8]) -> bool {
    subtype(value)
        .is_some_and(|subtype| subtype.is_empty() || subtype.eq_ignore_ascii_case(b"+proto"))
}

/// What follows `application/grpc` up to the parameters; none when the value does not begin so.
fn subtype(value: &[u8]) -> Option<&[u8]> {
    let (beginning, rest) = value.split_at_checked(APPLICATION_GRPC.len())?;
    if !beginning.eq_ignore_ascii_case(APPLICATION_GRPC.as_bytes()) {
        return None;
    }
    let end = rest.iter().position(|byte| *byte == b';').unwrap_or(rest.len());
    let subtype = rest[..end].trim_ascii_end();
    // "application/grpc-web" begins the same and is another protocol.
    matches!(subtype.first(), None | Some(b'+')).then_some(subtype)
}

/// Takes the head of a request.
pub(in crate::protocol) fn accept(head: RequestHead) -> Result<CallHead, Refusal> {
    if head.method() != b"POST" {
        return Err(refuse(405, Some(("allow", "POST"))));
    }
    let mut accepted = CallHead::default();
    for field in head.fields() {
        if let Err(status) = read_request_field(field, &mut accepted) {
            let head = trailers::trailers_only(&status, &Metadata::new());
            return Err(Refusal { head, body: None });
        }
    }
    accepted.metadata = Metadata::received(head.into_fields());
    Ok(accepted)
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
        "{ENCODING} \"{}\" is not supported; supported are {ACCEPTED}",
        quote(value)
    ))
}

/// A value that is no Base64 fails its call, and only that.
fn check_binary(field: Field<'_>) -> Result<(), Status> {
    if !is_binary(field.name) || pieces(field).all(base64::is_valid) {
        return Ok(());
    }
    Err(Status::internal(format!("metadata \"{}\" is not Base64", quote(field.name))))
}

/// A peer's text as an error shows it: escaped, and no more than a beginning of it.
fn quote(text: &[u8]) -> impl std::fmt::Display {
    text.get(..MAX_QUOTED).unwrap_or(text).escape_ascii().to_string()
}

static RESPONSE_HEAD: LazyLock<Fields> = LazyLock::new(|| response_fields(Encoding::Identity));
static RESPONSE_HEAD_GZIP: LazyLock<Fields> = LazyLock::new(|| response_fields(Encoding::Gzip));

/// The head of a reply.
pub(in crate::protocol) fn response_head(
    metadata: &Metadata,
    encoding: Encoding,
) -> Cow<'static, Fields> {
    let plain = match encoding {
        Encoding::Identity => &*RESPONSE_HEAD,
        Encoding::Gzip => &*RESPONSE_HEAD_GZIP,
    };
    if metadata.is_empty() {
        return Cow::Borrowed(plain);
    }
    let mut head =
        Fields::with_capacity(plain.len() + metadata.len(), plain.size() + metadata.wire_size());
    head.extend(plain);
    metadata.emit(&mut head);
    Cow::Owned(head)
}

fn response_fields(encoding: Encoding) -> Fields {
    let mut head = Fields::new();
    head.push(":status", "200");
    head.push(CONTENT_TYPE, APPLICATION_GRPC);
    if encoding != Encoding::Identity {
        head.push(ENCODING, encoding.name());
    }
    head.push(ACCEPT_ENCODING, ACCEPTED);
    head
}

/// The head of a request: pseudo-fields, timeout, the rest of the call's definition, metadata.
pub(in crate::protocol) fn request_head(call: &Outgoing<'_>) -> Fields {
    let texts = call.path.len() + call.authority.len() + call.metadata.wire_size();
    let mut head = Fields::with_capacity(11 + call.metadata.len(), 256 + texts);
    head.push(":method", "POST");
    head.push(":scheme", call.scheme);
    head.push(":path", call.path);
    head.push(":authority", call.authority);
    if let Some(timeout) = call.timeout {
        head.push(TIMEOUT, timeout::emit(timeout));
    }
    head.push(CONTENT_TYPE, APPLICATION_GRPC);
    head.push("te", "trailers");
    if call.encoding != Encoding::Identity {
        head.push(ENCODING, call.encoding.name());
    }
    head.push(ACCEPT_ENCODING, ACCEPTED);
    if !call.metadata.contains("user-agent") {
        head.push("user-agent", USER_AGENT);
    }
    call.metadata.emit(&mut head);
    head
}

/// Reads the head of a reply; `end`: nothing follows.
pub(in crate::protocol) fn read_head(head: ResponseHead, end: bool) -> ReplyHead {
    let (status, fields) = (head.status(), head.into_fields());
    if (end || status != 200) && fields.get(STATUS).is_some() {
        return ReplyHead::Over(trailers::read_trailers(fields));
    }
    match read_open_head(status, &fields, end) {
        Ok(encoding) => ReplyHead::Open { metadata: Metadata::received(fields), encoding },
        Err(status) => ReplyHead::Broken(status),
    }
}

fn read_open_head(status: u16, fields: &Fields, end: bool) -> Result<Encoding, Status> {
    let content_type = fields.get(CONTENT_TYPE).unwrap_or_default();
    if status != 200 || !is_content_type(content_type) {
        let content_type = quote(content_type);
        let what = format!(
            "expected a gRPC reply, got HTTP status {status} with content-type \"{content_type}\""
        );
        return Err(Status::new(code::from_http(status), what));
    }
    if end {
        return Err(trailers::no_trailers());
    }
    for field in fields {
        check_binary(field)?;
    }
    let name = fields.get(ENCODING).unwrap_or(Encoding::Identity.name().as_bytes());
    // compression.md: INTERNAL on the client's side, UNIMPLEMENTED on the server's.
    Encoding::from_name(name).ok_or_else(|| Status::internal(unknown_encoding(name).message()))
}
