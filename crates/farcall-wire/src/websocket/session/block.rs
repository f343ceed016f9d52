//! Fields as text: one line each, `name: value` and a line feed.
//!
//! What is read is judged like in HTTP/2 (RFC 9113 section 8.2.1). What is written is judged too,
//! since a line feed in a value would be another field to the peer: a field that cannot be written is
//! left out.

use crate::fields::{FIELD_OVERHEAD, Field, Fields};
use crate::legality::{check_name, check_value};

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
        let Some(end) = line_end(rest) else {
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

/// Where the first line feed is, looked for eight octets at a time.
fn line_end(octets: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    const ENDS: u64 = u64::from_ne_bytes([LINE_END; 8]);
    let (words, rest) = octets.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        // A line feed is zero now, and the lowest octet with a high bit here is a zero.
        let word = u64::from_le_bytes(*word) ^ ENDS;
        let zeros = word.wrapping_sub(ONES) & !word & HIGHS;
        if zeros != 0 {
            return Some(at * 8 + zeros.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|octet| *octet == LINE_END)?;
    Some(words.len() * 8 + at)
}

fn parse_line(line: &[u8]) -> Result<Field<'_>, &'static str> {
    // The colon of a pseudo-field is part of its name.
    let colon =
        line.iter().skip(1).position(|octet| *octet == b':').ok_or("a field without \": \"")?;
    let (name, rest) = line.split_at(colon + 1);
    let value = rest.strip_prefix(COLON).ok_or("a field without \": \"")?;
    match check_name(name).or_else(|| check_value(value)) {
        Some(illegal) => Err(illegal.reason()),
        None => Ok(Field::new(name, value)),
    }
}

/// Writes a block.
pub(super) fn emit(fields: &Fields, out: &mut Vec<u8>) {
    for field in fields {
        if check_name(field.name).or_else(|| check_value(field.value)).is_none() {
            out.extend_from_slice(field.name);
            out.extend_from_slice(COLON);
            out.extend_from_slice(field.value);
            out.push(LINE_END);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_feed_is_found_wherever_it_is() {
        for length in 0..40 {
            for at in 0..length {
                // Neighbours that borrow from each other in the word: 0x0b, 0x09, 0x8a.
                let mut octets: Vec<u8> =
                    [0x0b, 0x09, 0x8a].into_iter().cycle().take(length).collect();
                assert_eq!(line_end(&octets), None);
                octets[at] = LINE_END;
                assert_eq!(line_end(&octets), Some(at));
                octets[length - 1] = LINE_END;
                assert_eq!(line_end(&octets), Some(at));
            }
        }
    }
}
