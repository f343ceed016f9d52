//! gRPC-Web, as PROTOCOL-WEB.md of the gRPC project has it: gRPC whose trailers are the last envelope of the body, in the
//! form of an HTTP/1.1 header block. Heads and the fields of the trailers are those of gRPC.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};
use farcall_wire::fields::Fields;

use super::field::{is_legal, quote};
use super::{Dialect, Framing, grpc};
use crate::base64;
use crate::envelope::{PREFIX_LEN, put_prefix};
use crate::limits::MAX_END_FIELDS;
use crate::metadata::Metadata;
use crate::status::{Result, Status};

/// The bit of an envelope's flag that marks trailers.
pub(super) const END: u8 = 0x80;

/// The end of a call that went well and has no trailing metadata.
pub(super) const OK: &[u8] = b"\x80\0\0\0\x10grpc-status: 0\r\n";
/// The same in the text form.
const OK_TEXT: &[u8] = b"gAAAABBncnBjLXN0YXR1czogMA0K";

/// The end of a reply, as the last piece of the body.
pub(super) fn end(dialect: Dialect, result: Result<(), &Status>, trailing: &Metadata) -> Bytes {
    let is_text = dialect.framing() == Framing::EnvelopedText;
    let fields = match grpc::trailers(result, trailing) {
        // Only a success without metadata costs nothing.
        Cow::Borrowed(_) if is_text => return Bytes::from_static(OK_TEXT),
        Cow::Borrowed(_) => return Bytes::from_static(OK),
        Cow::Owned(fields) => fields,
    };
    let end = envelope(&fields);
    if is_text { base64::encode_padded(&end).into() } else { end.freeze() }
}

fn envelope(fields: &Fields) -> BytesMut {
    // A field takes four bytes more than its name and value.
    let mut out = BytesMut::with_capacity(PREFIX_LEN + fields.size());
    out.put_bytes(0, PREFIX_LEN);
    for field in fields {
        out.extend_from_slice(field.name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(field.value);
        out.extend_from_slice(b"\r\n");
    }
    let len = (out.len() - PREFIX_LEN) as u32;
    put_prefix(&mut &mut out[..PREFIX_LEN], END, len);
    out
}

/// Reads the end of a reply.
pub(super) fn read_end(block: &[u8]) -> Result<Metadata> {
    let mut fields = Fields::with_capacity(4, block.len());
    for line in block.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        if fields.len() == MAX_END_FIELDS {
            return Err(Status::internal(format!(
                "the trailers have more than {MAX_END_FIELDS} fields, the limit"
            )));
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or_else(|| no_field(line))?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if !is_legal(name, value) {
            return Err(no_field(line));
        }
        fields.push(name.to_ascii_lowercase(), value);
    }
    grpc::read_trailers(fields)
}

#[cold]
fn no_field(line: &[u8]) -> Status {
    Status::internal(format!("expected \"name: value\" in the trailers, got \"{}\"", quote(line)))
}
