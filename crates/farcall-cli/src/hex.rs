//! Bytes as hexadecimal numbers, to read and to type.

use std::fmt::Write as _;

/// Bytes per line.
const WIDTH: usize = 16;

/// Shows bytes in lines of sixteen, with their place in the whole and what they are as ASCII.
#[derive(Debug, Default)]
pub(crate) struct Dump {
    place: u64,
}

impl Dump {
    /// The bytes that come next, as whole lines.
    pub(crate) fn lines(&mut self, bytes: &[u8]) -> String {
        let mut text = String::new();
        for part in bytes.chunks(WIDTH) {
            let ascii: String = part.iter().map(|byte| printable(*byte)).collect();
            let _ = writeln!(text, "{:08x}  {:<47}  |{ascii}|", self.place, spaced(part));
            self.place += part.len() as u64;
        }
        text
    }
}

/// Two digits per byte, with spaces between them.
pub(crate) fn spaced(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        let _ = write!(text, "{space}{byte:02x}");
    }
    text
}

fn printable(byte: u8) -> char {
    if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '.' }
}

/// The bytes that a typed line stands for: pairs of digits, with or without spaces between them.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn parse(line: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(line.len() / 2);
    for word in line.split(u8::is_ascii_whitespace) {
        for pair in word.chunks(2) {
            let [high, low] = *pair else {
                return Err(format!("`{}` has half a byte", word.escape_ascii()));
            };
            let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                let pair = pair.escape_ascii();
                return Err(format!("`{pair}` is not two hexadecimal digits"));
            };
            bytes.push(high << 4 | low);
        }
    }
    Ok(bytes)
}

fn digit(character: u8) -> Option<u8> {
    let digit = char::from(character).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_place_digits_and_ascii() {
        let mut dump = Dump::default();
        let text = dump.lines(b"GET / HTTP/1.1\r\n\x00");
        let expected = "\
            00000000  47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a  |GET / HTTP/1.1..|\n\
            00000010  00                                               |.|\n";
        assert_eq!(text, expected);
        assert!(dump.lines(b"x").starts_with("00000011  78 "));
    }

    #[test]
    fn what_is_typed_may_have_spaces_and_must_be_whole_bytes() {
        assert_eq!(parse(b"de ad BEEF\n"), Ok(vec![0xde, 0xad, 0xbe, 0xef]));
        assert_eq!(parse(b" \n"), Ok(vec![]));
        assert!(parse(b"abc").unwrap_err().contains("half a byte"));
        assert!(parse(b"0x12").unwrap_err().contains("`0x`"));
    }
}
