//! The end of a reply: PROTOCOL-HTTP2.md, "Trailers" and "Trailers-Only".

use std::borrow::Cow;
use std::sync::LazyLock;

use farcall_wire::fields::Fields;

use super::{CONTENT_TYPE, DETAILS, MESSAGE, STATUS};
use super::{code, percent};
use crate::base64;
use crate::code::Code;
use crate::limits::MAX_STATUS_DETAILS;
use crate::metadata::Metadata;
use crate::protocol::Dialect;
use crate::protocol::field::quote;
use crate::status::{Status, details};

/// The status of a call that went well.
const OK: &str = "0";

static OK_TRAILERS: LazyLock<Fields> = LazyLock::new(|| [(STATUS, OK)].into_iter().collect());

/// The trailers of a reply that has had its head.
pub(in crate::protocol) fn trailers(
    result: Result<(), &Status>,
    trailing: &Metadata,
) -> Cow<'static, Fields> {
    match result {
        Ok(()) if trailing.is_empty() => Cow::Borrowed(&*OK_TRAILERS),
        Ok(()) => {
            let mut fields = OK_TRAILERS.clone();
            trailing.emit(&mut fields);
            Cow::Owned(fields)
        }
        Err(status) => {
            let mut fields = Fields::new();
            push_failure(&mut fields, status, trailing);
            Cow::Owned(fields)
        }
    }
}

/// Head and trailers in one. It says which encodings are read here: the failure may be about that.
pub(in crate::protocol) fn trailers_only(
    dialect: Dialect,
    status: &Status,
    metadata: &Metadata,
) -> Fields {
    let names = dialect.compression_fields();
    let mut fields = Fields::new();
    fields.push(":status", "200");
    fields.push(CONTENT_TYPE, dialect.content_type());
    fields.push(names.accept, names.accepted);
    push_failure(&mut fields, status, metadata);
    fields
}

fn push_failure(fields: &mut Fields, status: &Status, metadata: &Metadata) {
    fields.push(STATUS, status.code().as_u32().to_string());
    if !status.message().is_empty() {
        fields.push(MESSAGE, percent::encode(status.message()));
    }
    if !status.details().is_empty()
        && base64::encoded_len(details::encoded_len(status)) <= MAX_STATUS_DETAILS
    {
        fields.push(DETAILS, base64::encode(&details::encode(status)));
    }
    status.metadata().emit(fields);
    metadata.emit(fields);
}

/// Reads the fields that end a reply.
pub(crate) fn read_trailers(fields: Fields) -> Result<Metadata, Status> {
    let Some(value) = fields.get(STATUS) else {
        return Err(no_status().with_metadata(Metadata::received(fields)));
    };
    let status = match parse_status(value) {
        Some(0) => return Ok(Metadata::received(fields)),
        Some(number) => read_failure(number, &fields),
        None => unreadable(value),
    };
    Err(status.with_metadata(Metadata::received(fields)))
}

/// A number without a sign; leading zeros are overlooked.
fn parse_status(value: &[u8]) -> Option<u32> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn read_failure(number: u32, fields: &Fields) -> Status {
    let mut message = percent::decode(fields.get(MESSAGE).unwrap_or_default());
    let details = read_details(fields);
    // The message in the details was not cut.
    if details.message.len() > message.len() && details.message.starts_with(&message) {
        message = details.message;
    }
    let code = Code::from_u32(number).unwrap_or_else(|| {
        if message.is_empty() {
            message = format!("the peer ended the call with status {number}; expected 0 to 16");
        }
        Code::Unknown
    });
    Status::received(code, message).with_details(details.details)
}

/// The details of a failure. What cannot be read is left out: the failure itself counts.
fn read_details(fields: &Fields) -> details::Decoded {
    let value = fields.get(DETAILS).and_then(base64::decode).unwrap_or_default();
    details::decode(&value).unwrap_or_default()
}

/// statuscodes.md: an unreadable status is `UNKNOWN`.
#[cold]
fn unreadable(value: &[u8]) -> Status {
    Status::unknown(format!("{STATUS} \"{}\": expected a number", quote(value)))
}

#[cold]
fn no_status() -> Status {
    Status::new(code::from_http(200), format!("the reply's trailers have no {STATUS}"))
}

/// A reply that ends without trailers has no status, so it cannot be taken for a success.
#[cold]
pub(crate) fn no_trailers() -> Status {
    Status::new(
        code::from_http(200),
        format!("the reply ended without trailers, so without {STATUS}"),
    )
}
