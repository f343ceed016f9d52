//! JSON values out of a text that comes bit by bit: where each ends is told as soon as its last byte is there.
//!
//! Only ends are looked for; whether a value is good JSON is for its reader to find out.

/// Bytes of one value: some more than a message may have, for white space. Input without an end must not fill the memory.
pub(crate) const MAX_VALUE: usize = 64 * 1024 * 1024;

/// One value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) json: String,
    /// The line of the input on which it begins, counted from 1.
    pub(crate) line: usize,
    /// Characters in front of it on that line.
    pub(crate) indent: usize,
}

/// Cuts an input into its values.
#[derive(Debug, Default)]
pub(crate) struct Values {
    value: Vec<u8>,
    /// Objects and arrays that are open.
    depth: usize,
    within: Within,
    /// Lines that have ended, and characters of the one that has not.
    lines: usize,
    column: usize,
    /// Where the value began.
    began: (usize, usize),
}

/// What the last byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    /// White space between two values.
    #[default]
    Nothing,
    /// An object or an array.
    Structure,
    /// A string, and whether the next character is escaped.
    String { escaped: bool },
    /// A number, or a word such as `true`.
    Word,
}

impl Values {
    /// Takes some bytes, and returns the values that have ended with them.
    ///
    /// # Errors
    /// A value is too long, or no text.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Text>, String> {
        let mut ended = Vec::new();
        for &byte in bytes {
            if self.within == Within::Word && is_end_of_word(byte) && self.depth == 0 {
                ended.push(self.take()?);
            }
            if self.begins_or_goes_on(byte) {
                self.value.push(byte);
                if self.value.len() > MAX_VALUE {
                    return Err(format!("a value has more than {MAX_VALUE} bytes"));
                }
            }
            self.count(byte);
            if !self.value.is_empty() && self.is_over() {
                ended.push(self.take()?);
            }
        }
        Ok(ended)
    }

    /// The input has ended: what is left is a value, whole or not.
    ///
    /// # Errors
    /// It is no text.
    pub(crate) fn finish(&mut self) -> Result<Option<Text>, String> {
        if self.value.is_empty() { Ok(None) } else { self.take().map(Some) }
    }

    /// Whether the byte belongs to a value.
    fn begins_or_goes_on(&mut self, byte: u8) -> bool {
        if self.within == Within::Nothing {
            if byte.is_ascii_whitespace() {
                return false;
            }
            self.began = (self.lines, self.column);
        }
        self.within = match (self.within, byte) {
            (Within::String { escaped: true }, _) => Within::String { escaped: false },
            (Within::String { .. }, b'\\') => Within::String { escaped: true },
            (Within::String { .. }, b'"') if self.depth > 0 => Within::Structure,
            // The end of a value that is a string.
            (Within::String { .. }, b'"') => Within::Nothing,
            (Within::String { .. }, _) | (_, b'"') => Within::String { escaped: false },
            (_, b'{' | b'[') => {
                self.depth += 1;
                Within::Structure
            }
            (_, b'}' | b']') => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 { Within::Nothing } else { Within::Structure }
            }
            (Within::Nothing, _) => Within::Word,
            (within, _) => within,
        };
        true
    }

    fn is_over(&self) -> bool {
        self.within == Within::Nothing
    }

    fn count(&mut self, byte: u8) {
        if byte == b'\n' {
            self.lines += 1;
            self.column = 0;
        } else {
            // The bytes of a character behind its first are no characters.
            self.column += usize::from(byte & 0xc0 != 0x80);
        }
    }

    fn take(&mut self) -> Result<Text, String> {
        self.within = Within::Nothing;
        self.depth = 0;
        let (lines, indent) = self.began;
        let line = lines + 1;
        let json = String::from_utf8(std::mem::take(&mut self.value))
            .map_err(|_| format!("line {line}: the text is not UTF-8"))?;
        Ok(Text { json, line, indent })
    }
}

fn is_end_of_word(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'{' | b'[' | b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: &str = "{\"a\": \"}\\\"{\"}\n\n [1,\n[2]] \"x y\\\\\" 12 true{}\n  null";

    fn cut(input: &str, size: usize) -> Vec<(String, usize, usize)> {
        let mut values = Values::default();
        let mut found = Vec::new();
        for bytes in input.as_bytes().chunks(size) {
            found.extend(values.push(bytes).unwrap());
        }
        found.extend(values.finish().unwrap());
        found.into_iter().map(|text| (text.json, text.line, text.indent)).collect()
    }

    #[test]
    fn values_are_found_however_the_input_comes() {
        let expected = [
            ("{\"a\": \"}\\\"{\"}", 1, 0),
            ("[1,\n[2]]", 3, 1),
            ("\"x y\\\\\"", 4, 5),
            ("12", 4, 13),
            ("true", 4, 16),
            ("{}", 4, 20),
            ("null", 5, 2),
        ]
        .map(|(json, line, indent)| (json.to_owned(), line, indent));
        for size in 1..=INPUT.len() {
            assert_eq!(cut(INPUT, size), expected, "{size}");
        }
    }

    #[test]
    fn a_value_is_there_with_its_last_byte() {
        let mut values = Values::default();
        assert!(values.push(b"{\"a\": {").unwrap().is_empty());
        assert_eq!(values.push(b"}}").unwrap().len(), 1);
    }

    #[test]
    fn what_is_broken_is_passed_on_as_it_is() {
        assert_eq!(cut("} {", 1), [("}".to_owned(), 1, 0), ("{".to_owned(), 1, 2)]);
        assert!(cut(" \n ", 1).is_empty());
        let mut values = Values::default();
        assert_eq!(values.push(b"\"\xff\"").unwrap_err(), "line 1: the text is not UTF-8");
    }
}
