//! `grpc-message`: UTF-8 with percent-escapes for all but printable ASCII.

use crate::limits::MAX_STATUS_MESSAGE;

const ESCAPED_SPACE: &[u8; 3] = b"%20";
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Escapes a message. What would take more than [`MAX_STATUS_MESSAGE`] bytes is cut at a character. A space at either end
/// is escaped too: RFC 9113 section 8.2.1 allows none there.
pub(super) fn encode(message: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len().min(MAX_STATUS_MESSAGE));
    let mut buffer = [0; 4];
    for character in message.chars() {
        let bytes = character.encode_utf8(&mut buffer).as_bytes();
        if out.is_empty() && bytes == b" " {
            out.extend_from_slice(ESCAPED_SPACE);
            continue;
        }
        let size: usize = bytes.iter().map(|byte| if is_plain(*byte) { 1 } else { 3 }).sum();
        if out.len() + size > MAX_STATUS_MESSAGE {
            break;
        }
        for byte in bytes {
            push(&mut out, *byte);
        }
    }
    if out.pop_if(|last| *last == b' ').is_some()
        && out.len() + ESCAPED_SPACE.len() <= MAX_STATUS_MESSAGE
    {
        out.extend_from_slice(ESCAPED_SPACE);
    }
    out
}

fn push(out: &mut Vec<u8>, byte: u8) {
    if is_plain(byte) {
        out.push(byte);
    } else {
        out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0x0f)]]);
    }
}

/// The bytes that stand for themselves: space to tilde without the percent sign.
fn is_plain(byte: u8) -> bool {
    matches!(byte, 0x20..=0x24 | 0x26..=0x7e)
}

/// Reads a message. A broken escape stands for itself and bytes that are no UTF-8 become the replacement character: a
/// message is never refused.
pub(super) fn decode(text: &[u8]) -> String {
    if !text.contains(&b'%') {
        return String::from_utf8_lossy(text).into_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        if let [b'%', high, low, behind @ ..] = rest
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            bytes.push(high << 4 | low);
            rest = behind;
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
