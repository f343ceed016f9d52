//! A look at a JSON text that bounds what parsing it may cost. It judges no grammar: that is the parser's.

use std::error::Error;
use std::fmt;

use memchr::memchr2;

use crate::limits::{
    JSON_ELEMENT_MEMORY, JSON_MEMBER_MEMORY, JSON_OBJECT_MEMORY, Limits, MAX_JSON_DEPTH,
    MAX_JSON_NUMBER,
};

// Which of the levels are arrays is kept in the bits of one number.
const _: () = assert!(MAX_JSON_DEPTH < u128::BITS);

/// Bytes of a string that are looked at one by one.
const SHORT: usize = 32;

/// What is too much about a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// Arrays and objects within one another.
    Depth { limit: u32, at: usize },
    /// Characters of one number.
    Number { at: usize },
    /// Bytes that the elements may take when they are decoded.
    Memory { limit: usize },
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Depth { limit, at } => {
                write!(f, "more than {limit} levels of nesting, the limit, at byte {at}")
            }
            Self::Number { at } => write!(
                f,
                "expected a number of at most {MAX_JSON_NUMBER} characters, got more at byte {at}"
            ),
            Self::Memory { limit } => {
                write!(f, "the elements may take more than {limit} bytes of memory, the limit")
            }
        }
    }
}

impl Error for Excess {}

/// Checks a text against the limits on depth, on the length of numbers and on the memory of elements.
pub(crate) fn check(text: &[u8], limits: &Limits) -> Result<(), Excess> {
    let max_depth = limits.max_depth.min(MAX_JSON_DEPTH);
    let is_short = text.len() <= limits.max_element_memory / JSON_OBJECT_MEMORY;
    if is_short && has_few_brackets(text, max_depth) && !may_have_long_number(text) {
        return Ok(());
    }
    check_closely(text, max_depth, limits.max_element_memory)
}

/// Whether there are so few arrays and objects that they cannot be too deep, whatever stands in strings.
fn has_few_brackets(text: &[u8], max_depth: u32) -> bool {
    // The two differ in one bit. Sums that a byte holds are made of many bytes at once.
    let count = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>();
    let chunks = text.chunks(usize::from(u8::MAX));
    chunks.map(|chunk| usize::from(count(chunk))).sum::<usize>() <= max_depth as usize
}

/// Whether there is a run of characters, in strings or not, that may be a number that is too long: it would cover one of the
/// bytes that are looked at.
fn may_have_long_number(text: &[u8]) -> bool {
    (0..text.len()).step_by(MAX_JSON_NUMBER).filter(|at| is_numeric(text[*at])).any(|at| {
        let before = text[..at].iter().rev().take_while(|byte| is_numeric(**byte)).count();
        let behind = text[at..].iter().take_while(|byte| is_numeric(**byte)).count();
        before + behind > MAX_JSON_NUMBER
    })
}

fn is_numeric(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// Reads the text, strings apart.
fn check_closely(text: &[u8], max_depth: u32, max_memory: usize) -> Result<(), Excess> {
    // The lowest bit is the innermost level: set within an array.
    let (mut depth, mut arrays) = (0_u32, 0_u128);
    let (mut memory, mut at) = (0_u64, 0_usize);
    while let Some(byte) = text.get(at) {
        match *byte {
            b'"' => at = end_of_string(text, at + 1),
            bracket @ (b'{' | b'[') => {
                let is_array = bracket == b'[';
                memory += if is_array { JSON_ELEMENT_MEMORY } else { JSON_OBJECT_MEMORY } as u64;
                depth += 1;
                arrays = arrays << 1 | u128::from(is_array);
                if depth > max_depth {
                    return Err(Excess::Depth { limit: max_depth, at });
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                arrays >>= 1;
            }
            b',' => {
                let in_array = arrays & 1 != 0;
                memory += if in_array { JSON_ELEMENT_MEMORY } else { JSON_MEMBER_MEMORY } as u64;
            }
            b'0'..=b'9' | b'-' => at = end_of_number(text, at)?,
            _ => {}
        }
        at += 1;
    }
    if memory > max_memory as u64 {
        return Err(Excess::Memory { limit: max_memory });
    }
    Ok(())
}

/// The position of the quote that ends a string, or one behind the text.
#[inline]
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start;
    // Names and most values are shorter than what a search would cost to begin.
    while at < start + SHORT {
        match text.get(at) {
            None | Some(b'"') => return at,
            // The character behind a backslash ends nothing.
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if text[at] == b'"' {
            return at;
        }
        at += 2;
    }
    text.len()
}

/// The position of a number's last character.
fn end_of_number(text: &[u8], start: usize) -> Result<usize, Excess> {
    let len = text[start..].iter().take_while(|byte| is_numeric(**byte)).count();
    if len > MAX_JSON_NUMBER { Err(Excess::Number { at: start }) } else { Ok(start + len - 1) }
}
