//! Base64 of RFC 4648 section 4, written with or without padding and read with or without it; and that of section 5,
//! whose alphabet suits URLs.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What stands for no digit in [`DIGITS`].
const INVALID: u8 = 0xff;

/// The value of each byte as a digit.
const DIGITS: [u8; 256] = digits();

const fn digits() -> [u8; 256] {
    let mut digits = [INVALID; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        digits[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    digits
}

/// Writes `bytes` as Base64 without padding.
pub(crate) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(encoded_len(bytes.len()).next_multiple_of(4));
    let (groups, rest) = bytes.as_chunks::<3>();
    for [a, b, c] in groups {
        text.extend_from_slice(&digits_of([*a, *b, *c]));
    }
    match rest {
        [a, b] => text.extend_from_slice(&digits_of([*a, *b, 0])[..3]),
        [a] => text.extend_from_slice(&digits_of([*a, 0, 0])[..2]),
        _ => {}
    }
    text
}

/// Four digits for three bytes.
fn digits_of([a, b, c]: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, a, b, c]);
    [bits >> 18, bits >> 12, bits >> 6, bits].map(|digit| ALPHABET[(digit & 0x3f) as usize])
}

/// Writes `bytes` as Base64 with padding.
pub(crate) fn encode_padded(bytes: &[u8]) -> Vec<u8> {
    let mut text = encode(bytes);
    text.resize(text.len().next_multiple_of(4), b'=');
    text
}

/// Writes `bytes` in the alphabet for URLs, without padding.
pub(crate) fn encode_url(bytes: &[u8]) -> Vec<u8> {
    let mut text = encode(bytes);
    for digit in &mut text {
        *digit = match *digit {
            b'+' => b'-',
            b'/' => b'_',
            digit => digit,
        };
    }
    text
}

/// Reads the alphabet for URLs, with or without padding; none when it is neither.
pub(crate) fn decode_url(mut text: Vec<u8>) -> Option<Vec<u8>> {
    for digit in &mut text {
        *digit = match *digit {
            b'-' => b'+',
            b'_' => b'/',
            b'+' | b'/' => return None,
            digit => digit,
        };
    }
    decode(&text)
}

/// The length of `len` bytes when written.
pub(crate) const fn encoded_len(len: usize) -> usize {
    len / 3 * 4 + [0, 2, 3][len % 3]
}

/// Reads Base64 with or without padding; none when it is neither.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digits = without_padding(text)?;
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        let bits = read_group(group)?;
        let [_, a, b, c] = bits.to_be_bytes();
        bytes.extend_from_slice(&[a, b, c][..group.len() - 1]);
    }
    Some(bytes)
}

/// Whether [`decode`] would succeed; allocates nothing.
pub(crate) fn is_valid(text: &[u8]) -> bool {
    without_padding(text)
        .is_some_and(|digits| digits.iter().all(|digit| DIGITS[usize::from(*digit)] != INVALID))
}

/// The digits alone, when their number and that of the padding can be right.
fn without_padding(text: &[u8]) -> Option<&[u8]> {
    let digits = match text {
        [digits @ .., b'=', b'='] | [digits @ .., b'='] if text.len().is_multiple_of(4) => digits,
        digits => digits,
    };
    (digits.len() % 4 != 1).then_some(digits)
}

/// 24 bits of two to four digits, zeros where digits are missing.
fn read_group(group: &[u8]) -> Option<u32> {
    let mut bits = 0;
    for digit in group {
        let value = DIGITS[usize::from(*digit)];
        if value == INVALID {
            return None;
        }
        bits = bits << 6 | u32::from(value);
    }
    Some(bits << (6 * (4 - group.len())))
}

/// Reads Base64 that comes in pieces, cut anywhere: pieces of bytes that were each padded by themselves, one behind the
/// other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reader {
    /// A group that is not complete.
    group: [u8; 4],
    len: usize,
}

impl Reader {
    /// Reads on; none when it is no Base64.
    pub(crate) fn read(&mut self, mut text: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity((self.len + text.len()) / 4 * 3);
        if self.len > 0 {
            let missing = text.split_off(..text.len().min(4 - self.len))?;
            self.group[self.len..][..missing.len()].copy_from_slice(missing);
            self.len += missing.len();
            if self.len < 4 {
                return Some(bytes);
            }
            self.len = 0;
            read_padded(self.group, &mut bytes)?;
        }
        let (groups, rest) = text.as_chunks();
        for group in groups {
            match group.map(|digit| DIGITS[usize::from(digit)]) {
                // Digits are below 64.
                [a, b, c, d] if a | b | c | d < 64 => {
                    bytes.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
                }
                _ => read_padded(*group, &mut bytes)?,
            }
        }
        self.group[..rest.len()].copy_from_slice(rest);
        self.len = rest.len();
        Some(bytes)
    }

    /// Digits of a group that is not complete.
    pub(crate) fn pending(&self) -> usize {
        self.len
    }
}

/// One group of four, padding included.
fn read_padded(group: [u8; 4], bytes: &mut Vec<u8>) -> Option<()> {
    let digits = match &group[..] {
        [digits @ .., b'=', b'='] | [digits @ .., b'='] | digits => digits,
    };
    let [_, a, b, c] = read_group(digits)?.to_be_bytes();
    bytes.extend_from_slice(&[a, b, c][..digits.len() - 1]);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 section 10, padding dropped.
    const VECTORS: [(&[u8], &[u8]); 7] = [
        (b"", b""),
        (b"f", b"Zg"),
        (b"fo", b"Zm8"),
        (b"foo", b"Zm9v"),
        (b"foob", b"Zm9vYg"),
        (b"fooba", b"Zm9vYmE"),
        (b"foobar", b"Zm9vYmFy"),
    ];

    #[test]
    fn the_vectors_of_rfc_4648_hold_padded_and_unpadded() {
        for (bytes, text) in VECTORS {
            assert_eq!(encode(bytes), text);
            assert_eq!(encoded_len(bytes.len()), text.len());
            assert_eq!(decode(text).as_deref(), Some(bytes));
            let mut padded = text.to_vec();
            padded.resize(text.len().next_multiple_of(4), b'=');
            assert_eq!(decode(&padded).as_deref(), Some(bytes));
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in [
            &b"A"[..],
            b"AAAAA",
            b"A===",
            b"AA=",
            b"====",
            b"A=AA",
            b"AA-_",
            b"AA A",
            b"\xff\xff\xff\xff",
            b"=",
        ] {
            assert_eq!(decode(text), None, "{}", text.escape_ascii());
            assert!(!is_valid(text), "{}", text.escape_ascii());
        }
    }
}
