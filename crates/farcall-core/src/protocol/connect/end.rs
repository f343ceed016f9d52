//! The end of a stream: an envelope with JSON that says how the call went and what trails.

use bytes::{BufMut, Bytes};
use farcall_wire::fields::Fields;
use serde_json::Value;

use super::error;
use crate::code::Code;
use crate::envelope::{PREFIX_LEN, put_prefix};
use crate::limits::{MAX_END_FIELDS, MAX_QUOTED};
use crate::metadata::Metadata;
use crate::protocol::field::is_legal;
use crate::status::{Result, Status};

/// The bit of an envelope's flag that marks the end.
pub(in crate::protocol) const END: u8 = 2;

/// The end of a call that went well and has no trailing metadata.
pub(in crate::protocol) const OK: &[u8] = b"\x02\0\0\0\x02{}";

/// The end of a stream of replies, as the last piece of the body.
pub(in crate::protocol) fn end(result: Result<(), &Status>, trailing: &Metadata) -> Bytes {
    let mut fields = Fields::new();
    if let Err(status) = result {
        status.metadata().emit(&mut fields);
    }
    trailing.emit(&mut fields);
    if result.is_ok() && fields.is_empty() {
        return Bytes::from_static(OK);
    }
    let mut out = Vec::with_capacity(128 + fields.size());
    out.put_bytes(0, PREFIX_LEN);
    out.push(b'{');
    if let Err(status) = result {
        out.extend_from_slice(b"\"error\":");
        error::write(&mut out, status);
    }
    if !fields.is_empty() {
        if result.is_err() {
            out.push(b',');
        }
        out.extend_from_slice(b"\"metadata\":{");
        write_metadata(&mut out, &fields);
        out.push(b'}');
    }
    out.push(b'}');
    let len = (out.len() - PREFIX_LEN) as u32;
    put_prefix(&mut &mut out[..PREFIX_LEN], END, len);
    out.into()
}

/// The members of an object: each name once, with all its values. Values that are no text are left out.
fn write_metadata(out: &mut Vec<u8>, fields: &Fields) {
    let mut is_first = true;
    for (number, field) in fields.iter().enumerate() {
        let Ok(name) = std::str::from_utf8(field.name) else { continue };
        if fields.iter().take(number).any(|earlier| earlier.name == field.name) {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        error::write_text(out, name);
        out.extend_from_slice(b":[");
        let values = fields.get_all(name).filter_map(|value| std::str::from_utf8(value).ok());
        for (number, value) in values.enumerate() {
            if number > 0 {
                out.push(b',');
            }
            error::write_text(out, value);
        }
        out.push(b']');
    }
}

/// Reads the end of a stream.
pub(in crate::protocol) fn read_end(end: &[u8]) -> Result<Metadata> {
    let end: Value = serde_json::from_slice(end).map_err(|error| bad_end(&error.to_string()))?;
    let end = end.as_object().ok_or_else(|| bad_end("expected an object"))?;
    let metadata = match end.get("metadata") {
        None | Some(Value::Null) => Metadata::new(),
        Some(metadata) => read_metadata(metadata)
            .ok_or_else(|| bad_end("expected metadata to be lists of field values by name"))?,
    };
    match end.get("error") {
        None | Some(Value::Null) => Ok(metadata),
        Some(error) => {
            let status = error::read(error, Code::Unknown);
            let status = status.unwrap_or_else(|| bad_end("expected the error to be an object"));
            Err(status.with_metadata(metadata))
        }
    }
}

fn read_metadata(metadata: &Value) -> Option<Metadata> {
    let mut fields = Fields::new();
    for (name, values) in metadata.as_object()? {
        for value in values.as_array()? {
            let value = value.as_str()?.trim_matches([' ', '\t']);
            if fields.len() == MAX_END_FIELDS || !is_legal(name.as_bytes(), value.as_bytes()) {
                return None;
            }
            fields.push(name.to_ascii_lowercase(), value);
        }
    }
    Some(Metadata::received(fields))
}

#[cold]
fn bad_end(what: &str) -> Status {
    let what = &what[..what.floor_char_boundary(4 * MAX_QUOTED)];
    Status::internal(format!("the end of the stream cannot be read: {what}"))
}
