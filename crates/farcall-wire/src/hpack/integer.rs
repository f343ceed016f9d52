//! Integers with a prefix (RFC 7541 section 5.1), read and written.

use bytes::BytesMut;

use super::Error;

/// Octets an integer may take behind its prefix. With a prefix of 7 bits that reaches 2^28 + 126,
/// above every length and table size that an engine allows; more octets could only be padding.
const MAX_CONTINUATION: usize = 4;

/// The unread rest of a header block.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(block: &'a [u8]) -> Self {
        Self { rest: block }
    }

    /// The next octet, not consumed; `None` at the end of the block.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Consumes an integer whose first octet holds it in the low `prefix_bits`.
    #[inline]
    pub(super) fn integer(&mut self, prefix_bits: u32) -> Result<u32, Error> {
        let (&first, rest) = self.rest.split_first().ok_or(Error::Truncated)?;
        self.rest = rest;
        let mask = (1 << prefix_bits) - 1;
        let prefix = u32::from(first) & mask;
        if prefix < mask { Ok(prefix) } else { self.continuation(mask) }
    }

    fn continuation(&mut self, mut value: u32) -> Result<u32, Error> {
        for position in 0..MAX_CONTINUATION {
            let (&octet, rest) = self.rest.split_first().ok_or(Error::Truncated)?;
            self.rest = rest;
            value += u32::from(octet & 0x7f) << (7 * position);
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Error::IntegerTooLong)
    }

    /// Consumes `len` octets.
    pub(super) fn octets(&mut self, len: u32) -> Result<&'a [u8], Error> {
        let (octets, rest) = self.rest.split_at_checked(len as usize).ok_or(Error::Truncated)?;
        self.rest = rest;
        Ok(octets)
    }
}

/// Appends `value` with a prefix of `prefix_bits`; `flags` are the bits of the first octet above
/// it.
pub(super) fn write(value: usize, prefix_bits: u32, flags: u8, out: &mut BytesMut) {
    let mask = (1 << prefix_bits) - 1;
    if value < mask {
        out.extend_from_slice(&[flags | value as u8]);
        return;
    }
    out.extend_from_slice(&[flags | mask as u8]);
    let mut rest = value - mask;
    while rest >= 0x80 {
        out.extend_from_slice(&[0x80 | (rest & 0x7f) as u8]);
        rest >>= 7;
    }
    out.extend_from_slice(&[rest as u8]);
}
