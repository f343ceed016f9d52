//! Errors as JSON: section "Error and `EndStreamResponse`".

use bytes::Bytes;
use serde_json::Value;

use super::code;
use crate::base64;
use crate::code::Code;
use crate::compression::Encoding;
use crate::limits::{MAX_DETAILS, MAX_ERROR_BODY, MAX_ERROR_MESSAGE, MAX_STATUS_DETAILS};
use crate::metadata::Metadata;
use crate::protocol::grpc;
use crate::status::{Any, Status};

/// What stands before the name in the URL of a type.
const TYPE_URL_PREFIX: &str = "type.googleapis.com/";

/// Appends a failure as an object. A message above [`MAX_ERROR_MESSAGE`] is cut at a character, details above
/// [`MAX_STATUS_DETAILS`] are left out.
pub(super) fn write(out: &mut Vec<u8>, status: &Status) {
    out.extend_from_slice(b"{\"code\":\"");
    out.extend_from_slice(code::name(status.code()).as_bytes());
    out.push(b'"');
    let message = status.message();
    if !message.is_empty() {
        out.extend_from_slice(b",\"message\":");
        write_text(out, &message[..message.floor_char_boundary(MAX_ERROR_MESSAGE)]);
    }
    let size = |any: &Any| base64::encoded_len(any.value.len()) + any.type_url.len();
    let details = status.details();
    if !details.is_empty() && details.iter().map(size).sum::<usize>() <= MAX_STATUS_DETAILS {
        out.extend_from_slice(b",\"details\":[");
        for (number, any) in details.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            write_detail(out, any);
        }
        out.push(b']');
    }
    out.push(b'}');
}

fn write_detail(out: &mut Vec<u8>, any: &Any) {
    let name = any.type_url.rsplit_once('/').map_or(&*any.type_url, |(_, name)| name);
    out.extend_from_slice(b"{\"type\":");
    write_text(out, name);
    out.extend_from_slice(b",\"value\":\"");
    out.extend_from_slice(&base64::encode(&any.value));
    out.extend_from_slice(b"\"}");
}

/// Appends a text in quotes.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    // Writing to memory does not fail, and every text has a JSON form.
    let _ = serde_json::to_writer(out, text);
}

/// Reads a failure; `inferred` is the code when it says none. None when it is no object.
pub(super) fn read(error: &Value, inferred: Code) -> Option<Status> {
    let error = error.as_object()?;
    let code = error.get("code").and_then(Value::as_str).and_then(code::from_name);
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    let details = error.get("details").and_then(Value::as_array);
    let details = details.into_iter().flatten().take(MAX_DETAILS).filter_map(read_detail);
    let status = Status::received(code.unwrap_or(inferred), message.to_owned());
    Some(status.with_details(details.collect()))
}

/// A detail; one that cannot be read is left out: the failure itself counts.
fn read_detail(detail: &Value) -> Option<Any> {
    let name = detail.get("type")?.as_str()?;
    let value = base64::decode(detail.get("value")?.as_str()?.as_bytes())?;
    let type_url =
        if name.contains('/') { name.to_owned() } else { format!("{TYPE_URL_PREFIX}{name}") };
    Some(Any { type_url, value: value.into() })
}

/// A unary reply whose head says that the call failed; the body says how.
#[derive(Debug)]
pub(crate) struct ErrorReply {
    /// The HTTP status.
    status: u16,
    /// How the body is compressed.
    encoding: Encoding,
    /// What trails.
    trailing: Metadata,
    body: Vec<u8>,
    is_too_large: bool,
}

impl ErrorReply {
    pub(super) fn new(status: u16, encoding: Encoding, trailing: Metadata) -> Self {
        Self { status, encoding, trailing, body: Vec::new(), is_too_large: false }
    }

    /// Takes a piece of the body.
    pub(crate) fn push(&mut self, data: &[u8]) {
        self.is_too_large |= self.body.len() + data.len() > MAX_ERROR_BODY;
        if !self.is_too_large {
            self.body.extend_from_slice(data);
        }
    }

    /// The failure. A body that is missing, too large or no error leaves it to the HTTP status.
    pub(crate) fn read(self) -> Status {
        let inferred = grpc::from_http(self.status);
        let status = self.status;
        let body = (!self.is_too_large).then(|| Bytes::from(self.body));
        let body = body.and_then(|body| self.encoding.decompress(&body, MAX_ERROR_BODY).ok());
        let error = body.and_then(|body| serde_json::from_slice(&body).ok());
        let status = error.and_then(|error| read(&error, inferred)).unwrap_or_else(|| {
            let what =
                format!("the server answered with HTTP status {status} without a readable error");
            Status::new(inferred, what)
        });
        status.with_metadata(self.trailing)
    }
}
