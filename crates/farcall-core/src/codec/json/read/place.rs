//! Where in a text something is: for a person, who may see it formatted or as one long line.

use std::fmt;

use crate::limits::MAX_QUOTED;

/// A place in a text.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) line: usize,
    /// Characters of the line up to here.
    pub(super) column: usize,
    /// The members and elements that lead here: `lines[2].title`. It is cut; a text may have long names.
    pub(super) path: String,
}

impl Place {
    /// The place `ahead` characters behind the first `len` bytes.
    pub(super) fn of(text: &[u8], len: usize, ahead: usize) -> Self {
        let text = &text[..len.min(text.len())];
        let line_start = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let is_first = |byte: &&u8| **byte & 0xc0 != 0x80;
        Self {
            line: text.split(|byte| *byte == b'\n').count(),
            column: text[line_start..].iter().filter(is_first).count() + ahead,
            path: path(text),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " at line {} column {}", self.line, self.column)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, ", in {:?}", self.path) }
    }
}

/// A level of nesting that is open where the text ends.
enum Level<'a> {
    /// An object, and the name of its last member.
    Object(Option<&'a [u8]>),
    /// An array, and the number of its last element.
    Array(usize),
}

/// The members and elements that are open where a text ends that is JSON up to there.
fn path(text: &[u8]) -> String {
    let mut levels = Vec::new();
    let mut at = 0;
    let mut is_name = false;
    while let Some(byte) = text.get(at) {
        let start = at + 1;
        at = start;
        match byte {
            b'"' => {
                at = end_of_string(text, start);
                if let (true, Some(Level::Object(name))) = (is_name, levels.last_mut()) {
                    *name = text.get(start..at - 1);
                }
                is_name = false;
            }
            b'{' => levels.push(Level::Object(None)),
            b'[' => levels.push(Level::Array(0)),
            b'}' | b']' => drop(levels.pop()),
            b',' => match levels.last_mut() {
                Some(Level::Array(number)) => *number += 1,
                Some(Level::Object(name)) => *name = None,
                None => {}
            },
            _ => {}
        }
        if matches!(byte, b'{' | b',') {
            is_name = matches!(levels.last(), Some(Level::Object(_)));
        }
    }
    words(&levels)
}

/// The position behind a string's closing quote, or behind a text that ends within it.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len() + 1
}

fn words(levels: &[Level<'_>]) -> String {
    let mut path = String::new();
    for level in levels {
        match level {
            Level::Object(Some(name)) => {
                let dot = if path.is_empty() { "" } else { "." };
                path.extend([dot, &*String::from_utf8_lossy(name)]);
            }
            Level::Object(None) => {}
            Level::Array(number) => path.extend(["[", &number.to_string(), "]"]),
        }
    }
    path.chars().take(MAX_QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_line_a_column_and_a_path() {
        for (text, place) in [
            ("", " at line 1 column 1"),
            ("{", " at line 1 column 2"),
            ("{\n  \"a\": ", " at line 2 column 8, in \"a\""),
            (r#"{"a":1,"b":[{},{"c":[[],[1,2"#, r#" at line 1 column 29, in "b[1].c[1][1]""#),
            (r#"{"a":{"b":1},"c""#, r#" at line 1 column 17, in "c""#),
            (r#"{"b":{"a":1,"#, r#" at line 1 column 13, in "b""#),
            (r#"{"é\"{":"[{""#, r#" at line 1 column 13, in "é\\\"{""#),
            (r#"{"a":"b\"#, r#" at line 1 column 9, in "a""#),
            (r#"{"a":["b"#, r#" at line 1 column 9, in "a[0]""#),
            ("[[[]]]", " at line 1 column 7"),
        ] {
            assert_eq!(Place::of(text.as_bytes(), text.len(), 1).to_string(), place, "{text}");
        }
    }
}
