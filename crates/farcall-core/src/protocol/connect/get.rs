//! Unary calls by GET, with the message in the query: section "Unary-Get-Request".

use bytes::Bytes;
use farcall_wire::event::RequestHead;

use super::request;
use crate::base64;
use crate::call::Refusal;
use crate::codec::Codec;
use crate::compression::Encoding;
use crate::metadata::Metadata;
use crate::method::Method;
use crate::protocol::field::quote;
use crate::protocol::reply::{refusal, wrong_content_type};
use crate::protocol::{Accepted, Dialect, Framing, Protocol};
use crate::status::Status;

/// The parameters that mean something, as they are in a query.
#[derive(Default)]
struct Query<'a> {
    connect: Option<&'a [u8]>,
    base64: Option<&'a [u8]>,
    compression: Option<&'a [u8]>,
    encoding: Option<&'a [u8]>,
    message: Option<&'a [u8]>,
}

/// Whether a GET has a query that Connect gives its calls.
pub(in crate::protocol) fn is_query(head: &RequestHead) -> bool {
    let Ok(query) = Query::read(head.path()) else { return true };
    query.connect.is_some_and(|version| version == b"v1")
        || query.encoding.is_some() && query.message.is_some()
}

/// Takes the head of a GET for a method that may be called so.
pub(in crate::protocol) fn accept(
    head: RequestHead,
    method: Option<&Method>,
) -> Result<Accepted, Refusal> {
    let unspoken = Dialect::new(Protocol::Connect, Codec::Json, Framing::Bare)
        .with_method(method.is_some())
        .with_get();
    let query = Query::read(head.path());
    if method.is_none() && !is_query(&head) {
        return Err(wrong_content_type(None));
    }
    let read = query.and_then(|query| query.check().map(|()| query));
    let (query, name) = match &read {
        Ok(query) => (query, query.encoding.unwrap_or_default()),
        Err(status) => return Err(refusal(unspoken, status)),
    };
    let Some(codec) = Codec::from_name(name) else { return Err(wrong_content_type(method)) };
    let dialect = Dialect::new(Protocol::Connect, codec, Framing::Bare)
        .with_method(method.is_some())
        .with_get();
    let encoding = query.compression.filter(|name| !name.is_empty());
    let encoding = encoding.unwrap_or(Encoding::Identity.name().as_bytes());
    let mut accepted = request::read_fields(dialect, head.fields())
        .and_then(|mut accepted| {
            accepted.encoding = request::read_encoding("compression", encoding)?;
            // Who has not said what it reads can read what it has written itself.
            if head.fields().get("accept-encoding").is_none() {
                accepted.accept = accepted.accept.with(accepted.encoding);
            }
            Ok((accepted, query.message()?))
        })
        .map_err(|status| refusal(dialect, &status))?;
    accepted.0.metadata = Metadata::received(head.into_fields());
    Ok(Accepted { dialect, head: accepted.0, message: Some(accepted.1) })
}

impl<'a> Query<'a> {
    /// Reads the query of a path. A parameter that stands there twice would mean one thing here and another elsewhere.
    fn read(path: &'a [u8]) -> Result<Self, Status> {
        let mut query = Self::default();
        let start = path.iter().position(|byte| *byte == b'?').map_or(path.len(), |mark| mark + 1);
        for parameter in path[start..].split(|byte| *byte == b'&') {
            let end = parameter.iter().position(|byte| *byte == b'=').unwrap_or(parameter.len());
            let (name, value) = parameter.split_at(end);
            let slot = match name {
                b"connect" => &mut query.connect,
                b"base64" => &mut query.base64,
                b"compression" => &mut query.compression,
                b"encoding" => &mut query.encoding,
                b"message" => &mut query.message,
                _ => continue,
            };
            if slot.replace(value.strip_prefix(b"=").unwrap_or(value)).is_some() {
                return Err(Status::invalid_argument(format!(
                    "query parameter \"{}\" stands twice",
                    quote(name)
                )));
            }
        }
        Ok(query)
    }

    fn check(&self) -> Result<(), Status> {
        if let Some(version) = self.connect.filter(|version| *version != b"v1") {
            let version = quote(version);
            return Err(Status::invalid_argument(format!(
                "query parameter connect=\"{version}\": expected \"v1\""
            )));
        }
        for (name, value) in [("encoding", self.encoding), ("message", self.message)] {
            if value.is_none() {
                return Err(Status::invalid_argument(format!("query parameter {name} is missing")));
            }
        }
        Ok(())
    }

    fn message(&self) -> Result<Bytes, Status> {
        let text = unescape(self.message.unwrap_or_default()).ok_or_else(|| {
            Status::invalid_argument("the message in the query has a broken percent-escape")
        })?;
        if self.base64 != Some(b"1") {
            return Ok(text.into());
        }
        let message = base64::decode_url(text);
        message.map(Bytes::from).ok_or_else(|| {
            Status::invalid_argument("the message in the query is not URL-safe Base64")
        })
    }
}

/// Undoes percent-escapes; a plus sign is a space, as forms have it. None when an escape is broken.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        rest = behind;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let digits = rest.split_off(..2)?;
                digit(digits[0])? << 4 | digit(digits[1])?
            }
            byte => *byte,
        });
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The path of a GET, its parameters in the order that the specification gives them.
pub(super) fn path(path: &str, codec: Codec, encoding: Encoding, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 64 + message.len() * 3 / 2);
    out.extend_from_slice(path.as_bytes());
    out.extend_from_slice(b"?connect=v1");
    let is_text = codec == Codec::Json && encoding == Encoding::Identity;
    if !is_text {
        out.extend_from_slice(b"&base64=1");
    }
    if encoding != Encoding::Identity {
        out.extend_from_slice(b"&compression=");
        out.extend_from_slice(encoding.name().as_bytes());
    }
    out.extend_from_slice(b"&encoding=");
    out.extend_from_slice(codec.name().as_bytes());
    out.extend_from_slice(b"&message=");
    if is_text {
        escape(message, &mut out);
    } else {
        out.extend_from_slice(&base64::encode_url(message));
    }
    out
}

/// Escapes all but the unreserved characters of RFC 3986 section 2.3.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(*byte);
        } else {
            out.extend_from_slice(&[
                b'%',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 0x0f)],
            ]);
        }
    }
}
