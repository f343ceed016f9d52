//! The head of a request: sections "Unary-Request" and "Streaming-Request".

use farcall_wire::event::RequestHead;
use farcall_wire::fields::{Field, Fields};

use super::{CONTENT_LENGTH, CONTENT_TYPE, PROTOCOL_VERSION, TIMEOUT, VERSION, get, timeout};
use crate::call::{CallHead, Outgoing, Refusal};
use crate::compression::{ACCEPTED, Encoding, Encodings};
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::protocol::field::{is_readable, number, quote};
use crate::protocol::reply::refusal;
use crate::protocol::{Accepted, Dialect};
use crate::status::Status;

/// How this library names itself.
const USER_AGENT: &str = concat!("connect-rust-farcall/", env!("CARGO_PKG_VERSION"));

/// Takes the head of a POST.
pub(in crate::protocol) fn accept(
    dialect: Dialect,
    head: RequestHead,
    limits: &Limits,
) -> Result<Accepted, Refusal> {
    let read = read_fields(dialect, head.fields())
        .and_then(|accepted| check_length(dialect, head.fields(), limits).map(|()| accepted));
    let mut accepted = read.map_err(|status| refusal(dialect, &status))?;
    accepted.metadata = Metadata::received(head.into_fields());
    Ok(Accepted { dialect, head: accepted, message: None })
}

/// Reads what the fields say about the call.
pub(super) fn read_fields(dialect: Dialect, fields: &Fields) -> Result<CallHead, Status> {
    let names = dialect.compression_fields();
    let mut head = CallHead::default();
    let mut accept = None;
    for Field { name, value, .. } in fields {
        if name == names.encoding.as_bytes() {
            head.encoding = read_encoding(names.encoding, value)?;
        } else if name == names.accept.as_bytes() {
            let before = accept.unwrap_or(Encodings::IDENTITY);
            accept = Some(before.union(Encodings::from_list(value)));
        } else if name == TIMEOUT.as_bytes() {
            head.timeout = Some(timeout::parse(value).ok_or_else(|| bad_timeout(value))?);
        } else if name == PROTOCOL_VERSION.as_bytes() && value != VERSION.as_bytes() {
            return Err(bad_version(value));
        } else if name == b"content-encoding" {
            // The body of a stream as a whole is never compressed.
            let encoding = read_encoding("content-encoding", value)?;
            if encoding != Encoding::Identity {
                return Err(compressed_stream(encoding));
            }
        } else if !is_readable(Field::new(name, value)) {
            return Err(bad_metadata(name));
        }
    }
    // Who says nothing can read what it has written itself.
    head.accept = accept.unwrap_or_else(|| Encodings::IDENTITY.with(head.encoding));
    Ok(head)
}

/// The encoding of that name.
pub(super) fn read_encoding(field: &str, name: &[u8]) -> Result<Encoding, Status> {
    Encoding::from_name(name).ok_or_else(|| {
        let name = quote(name);
        Status::unimplemented(format!(
            "{field} \"{name}\" is not supported; supported are {ACCEPTED}"
        ))
    })
}

/// A message that is announced as too large is refused before it comes.
fn check_length(dialect: Dialect, fields: &Fields, limits: &Limits) -> Result<(), Status> {
    if !dialect.is_bare() {
        return Ok(());
    }
    // What is no length is the HTTP engine's to refuse.
    let limit = limits.max_receive_message;
    match fields.get(CONTENT_LENGTH).and_then(number) {
        Some(length) if length > limit as u64 => Err(Status::resource_exhausted(format!(
            "a message of {length} bytes is announced; the limit for receiving is {limit}"
        ))),
        _ => Ok(()),
    }
}

#[cold]
fn bad_timeout(value: &[u8]) -> Status {
    let value = quote(value);
    Status::invalid_argument(format!("{TIMEOUT} \"{value}\": expected 1 to 10 digits"))
}

#[cold]
fn compressed_stream(encoding: Encoding) -> Status {
    Status::unimplemented(format!(
        "content-encoding \"{encoding}\" on a stream: expected its messages to be compressed, as connect-content-encoding says"
    ))
}

#[cold]
fn bad_version(value: &[u8]) -> Status {
    let value = quote(value);
    Status::invalid_argument(format!("{PROTOCOL_VERSION} \"{value}\": expected \"{VERSION}\""))
}

#[cold]
fn bad_metadata(name: &[u8]) -> Status {
    Status::invalid_argument(format!("metadata \"{}\" is not Base64", quote(name)))
}

/// The head of a request: pseudo-fields, the call's definition, metadata.
pub(in crate::protocol) fn request_head(dialect: Dialect, call: &Outgoing<'_>) -> Fields {
    let names = dialect.compression_fields();
    let get = call.get.filter(|_| dialect.is_bare());
    let texts = call.path.len() + call.authority.len() + call.metadata.wire_size();
    let mut head = Fields::with_capacity(11 + call.metadata.len(), 256 + texts);
    head.push(":method", if get.is_some() { "GET" } else { "POST" });
    head.push(":scheme", call.scheme);
    match get {
        Some(message) => {
            head.push(":path", get::path(call.path, dialect.codec(), call.encoding, message));
        }
        None => head.push(":path", call.path),
    }
    head.push(":authority", call.authority);
    if let Some(timeout) = call.timeout.and_then(timeout::emit) {
        head.push(TIMEOUT, timeout);
    }
    // A GET has no body that these could be about, and its query says the version.
    if get.is_none() {
        head.push(CONTENT_TYPE, dialect.content_type());
        head.push(PROTOCOL_VERSION, VERSION);
        if call.encoding != Encoding::Identity {
            head.push(names.encoding, call.encoding.name());
        }
    }
    head.push(names.accept, names.accepted);
    if !call.metadata.contains("user-agent") {
        head.push("user-agent", USER_AGENT);
    }
    call.metadata.emit(&mut head);
    head
}
