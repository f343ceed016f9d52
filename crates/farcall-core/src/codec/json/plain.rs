//! Where the text of a JSON string stops being plain. Eight or sixteen bytes are looked at at once; neither escapes nor UTF-8 are judged.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;
/// Bytes that fit one vector of any x86-64.
const BLOCK: usize = 16;

/// Bytes before the first quote, backslash or control character; all of them when there is none.
#[inline]
pub(super) fn plain_len(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return 8 * index + special.trailing_zeros() as usize / 8;
        }
    }
    let plain = rest.iter().take_while(|byte| !matches!(byte, 0..0x20 | b'"' | b'\\'));
    8 * words.len() + plain.count()
}

/// Whether there is no quote, backslash or control character. Without a loop for what is as short as names are.
#[inline]
pub(super) fn is_plain(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<BLOCK>() {
        let (blocks, _) = text.as_chunks::<BLOCK>();
        // The last block may cover some bytes a second time.
        return !has_special(last) && !blocks.iter().any(has_special);
    }
    let found = if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk()) {
        special(u64::from_le_bytes(*first)) | special(u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        special(u64::from(first) | u64::from(last) << 32)
    } else {
        match *text {
            [a, b, c] => special(u64::from_le_bytes([a, b, c, c, c, c, c, c])),
            [a, b] => special(u64::from_le_bytes([a, b, b, b, b, b, b, b])),
            [a] => special(u64::from_le_bytes([a; 8])),
            _ => 0,
        }
    };
    found == 0
}

/// Whether any byte is special. Without branches, so that the compiler makes one step of it.
#[inline]
fn has_special(block: &[u8; BLOCK]) -> bool {
    let special =
        |byte: u8| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    block.iter().fold(0, |found, byte| found | special(*byte)) != 0
}

/// The high bit of each byte that is special. The lowest one that is set is exact, those above it may be wrong.
#[inline]
const fn special(word: u64) -> u64 {
    let control = word.wrapping_sub(0x20 * ONES) & !word;
    let quote = zero(word ^ (b'"' as u64 * ONES));
    let backslash = zero(word ^ (b'\\' as u64 * ONES));
    (control | quote | backslash) & HIGH
}

/// The high bit of each byte that is zero, likewise.
#[inline]
const fn zero(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_judged_at_every_place() {
        for len in 0..=40 {
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    // Bytes above ASCII are what the arithmetic may stumble over.
                    for filler in [b'x', 0xff, 0x80] {
                        let mut text = vec![filler; len];
                        text[at] = byte;
                        let is_plain_byte = !matches!(byte, 0..0x20 | b'"' | b'\\');
                        let plain = if is_plain_byte { len } else { at };
                        assert_eq!(plain_len(&text), plain, "{byte} at {at} of {len}");
                        assert_eq!(is_plain(&text), is_plain_byte, "{byte} at {at} of {len}");
                    }
                }
            }
        }
    }
}
