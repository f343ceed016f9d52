//! Strings as RFC 8259 section 7 has them.

use super::super::plain::plain_len;
use super::Result;
use super::reader::Reader;

/// Bytes that a string with escapes is expected to have at least.
const SCRATCH: usize = 256;

impl<'de> Reader<'de> {
    /// Takes a string, whose quote is next. None: it had escapes and is in the scratch.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Option<&'de str>> {
        self.at += 1;
        let (start, rest) = (self.at, self.rest());
        let len = plain_len(rest);
        if rest.get(len) == Some(&b'"') {
            self.at = start + len + 1;
            // A quote begins and ends characters, so this is there.
            return Ok(Some(self.text.get(start..start + len).unwrap_or_default()));
        }
        self.escaped(start, len)?;
        Ok(None)
    }

    /// Takes a string into the scratch: `len` bytes from `start` are plain.
    #[inline(never)]
    fn escaped(&mut self, start: usize, len: usize) -> Result {
        self.scratch.clear();
        self.scratch.reserve(SCRATCH.max(2 * len).min(self.text.len() - start));
        let (mut start, mut len) = (start, len);
        loop {
            self.scratch.push_str(self.text.get(start..start + len).unwrap_or_default());
            self.at = start + len;
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => {
                    let character = self.escape()?;
                    self.scratch.push(character);
                }
                _ => return Err(self.expected("the rest of a string")),
            }
            start = self.at;
            len = plain_len(self.rest());
        }
    }

    /// Takes an escape, whose backslash is next.
    fn escape(&mut self) -> Result<char> {
        let start = self.at;
        self.at += 2;
        Ok(match self.text.as_bytes().get(start + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(start),
            _ => {
                self.at = start;
                return Err(self.expected("an escape of JSON"));
            }
        })
    }

    /// Takes the digits of the escape at `start`, and a second escape if it is needed.
    fn code_point(&mut self, start: usize) -> Result<char> {
        let first = self.hex(start)?;
        let code_point = match first {
            0xd800..0xdc00 => {
                self.low_surrogate().map(|low| 0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00))
            }
            _ => Some(first),
        };
        code_point.and_then(char::from_u32).ok_or_else(|| {
            self.at = start;
            self.expected("both halves of a surrogate pair")
        })
    }

    fn low_surrogate(&mut self) -> Option<u32> {
        let start = self.at;
        self.word("\\u").ok()?;
        self.hex(start).ok().filter(|low| (0xdc00..0xe000).contains(low))
    }

    /// Takes four digits of the escape at `start`.
    fn hex(&mut self, start: usize) -> Result<u32> {
        let digits = self.rest().first_chunk::<4>();
        let value = digits.and_then(|digits| {
            digits
                .iter()
                .try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
        });
        let Some(value) = value else {
            self.at = start;
            return Err(self.expected("four hexadecimal digits in an escape"));
        };
        self.at += 4;
        Ok(value)
    }

    /// Passes over a string, whose quote is next. As nobody asks for it, halves of surrogate pairs may be alone.
    pub(super) fn skip_string(&mut self) -> Result {
        self.at += 1;
        loop {
            self.at += plain_len(self.rest());
            let start = self.at;
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' if self.text.as_bytes().get(start + 1) == Some(&b'u') => {
                    self.at += 2;
                    self.hex(start)?;
                }
                b'\\' => drop(self.escape()?),
                _ => return Err(self.expected("the rest of a string")),
            }
        }
    }
}
