//! Fields as text: one line each, `name: value` and a line feed.
//!
//! What is read is judged like in HTTP/2 (RFC 9113 section 8.2.1). What is written is judged too,
//! since a line feed in a value would be another field to the peer: a field that cannot be written is
//! left out.

use bytes::{BufMut, BytesMut};

use crate::fields::{FIELD_OVERHEAD, Field, Fields};

/// What stands between name and value, and behind the value.
const COLON: &[u8] = b": ";
const LINE_END: u8 = b'\n';

/// What was read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Decoded {
    /// The list's size by the measure of RFC 9113 section 6.5.2.
    pub(super) size: usize,
    /// Fields, stored or not.
    pub(super) count: usize,
    /// There was more than the limits allow: the rest was not stored.
    pub(super) over_limit: bool,
    /// The first thing that is wrong.
    pub(super) malformed: Option<&'static str>,
}

/// Reads a block and stores its fields up to the limits.
pub(super) fn parse(
    block: &[u8],
    max_fields: usize,
    max_size: usize,
    fields: &mut Fields,
) -> Decoded {
    let mut decoded = Decoded::default();
    let mut rest = block;
    while !rest.is_empty() {
        let Some(end) = rest.iter().position(|octet| *octet == LINE_END) else {
            decoded.malformed.get_or_insert("fields whose last line does not end");
            break;
        };
        let (line, behind) = (&rest[..end], &rest[end + 1..]);
        rest = behind;
        match parse_line(line) {
            Ok(field) => {
                decoded.count += 1;
                decoded.size += field.size();
                decoded.over_limit |= decoded.count > max_fields || decoded.size > max_size;
                if !decoded.over_limit {
                    fields.push_field(field);
                }
            }
            Err(reason) => {
                decoded.count += 1;
                decoded.size += line.len() + FIELD_OVERHEAD;
                decoded.malformed.get_or_insert(reason);
            }
        }
    }
    decoded
}

fn parse_line(line: &[u8]) -> Result<Field<'_>, &'static str> {
    // The colon of a pseudo-field is part of its name.
    let colon =
        line.iter().skip(1).position(|octet| *octet == b':').ok_or("a field without \": \"")?;
    let (name, rest) = line.split_at(colon + 1);
    let value = rest.strip_prefix(COLON).ok_or("a field without \": \"")?;
    if !is_name(name) {
        return Err("a field name with an octet that is not allowed");
    }
    if !is_value(value) {
        return Err("a field value with NUL, CR or LF");
    }
    Ok(Field::new(name, value))
}

/// Octets of the block that [`emit`] writes.
pub(super) fn length(fields: &Fields) -> usize {
    legal(fields).map(|field| field.name.len() + COLON.len() + field.value.len() + 1).sum()
}

/// Writes a block.
pub(super) fn emit(fields: &Fields, out: &mut BytesMut) {
    for field in legal(fields) {
        out.put_slice(field.name);
        out.put_slice(COLON);
        out.put_slice(field.value);
        out.put_u8(LINE_END);
    }
}

fn legal(fields: &Fields) -> impl Iterator<Item = Field<'_>> {
    fields.iter().filter(|field| is_name(field.name) && is_value(field.value))
}

/// A token without uppercase letters, or a pseudo-field's name.
fn is_name(name: &[u8]) -> bool {
    let letters = name.strip_prefix(b":").unwrap_or(name);
    !letters.is_empty() && letters.iter().all(|octet| NAME_OCTETS[usize::from(*octet)])
}

fn is_value(value: &[u8]) -> bool {
    // No early end: the loop then works on many octets at once.
    !value.iter().fold(false, |found, octet| found | matches!(octet, b'\0' | b'\r' | b'\n'))
}

/// Octets of a token (RFC 9110 section 5.6.2) without the uppercase letters.
static NAME_OCTETS: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut octet = 0;
    while octet < 256 {
        allowed[octet] = matches!(
            octet as u8,
            b'a'..=b'z' | b'0'..=b'9' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+'
                | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        );
        octet += 1;
    }
    allowed
};
