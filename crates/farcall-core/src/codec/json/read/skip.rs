//! What nobody asked for: it has to be JSON, and is not kept.

use super::Result;
use super::reader::Reader;
use crate::limits::MAX_JSON_DEPTH;

// Which of the levels are objects is kept in the bits of one number.
const _: () = assert!(MAX_JSON_DEPTH <= u128::BITS);

/// The levels that are open within what is passed over.
#[derive(Clone, Copy, Default)]
struct Levels {
    count: u32,
    /// The lowest bit is the innermost level: set for an object.
    objects: u128,
}

impl Levels {
    fn is_object(self) -> bool {
        self.objects & 1 != 0
    }
}

impl Reader<'_> {
    /// Passes over a value. Nothing is charged for it.
    pub(super) fn skip(&mut self) -> Result {
        let mut levels = Levels::default();
        loop {
            let is_open = self.skip_start(&mut levels)?;
            if !is_open && self.skip_ends(&mut levels)? {
                return Ok(());
            }
        }
    }

    /// Passes over a value without brackets, an empty array or object, or the start of another one up to its first value.
    /// Whether it was such a start.
    fn skip_start(&mut self, levels: &mut Levels) -> Result<bool> {
        match self.next() {
            b'"' => self.skip_string()?,
            b'-' | b'0'..=b'9' => drop(self.digits()?),
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            bracket @ (b'{' | b'[') => {
                if levels.count >= self.depth {
                    return Err(self.too_deep());
                }
                self.at += 1;
                let is_object = bracket == b'{';
                if self.next() == if is_object { b'}' } else { b']' } {
                    self.at += 1;
                    return Ok(false);
                }
                levels.count += 1;
                levels.objects = levels.objects << 1 | u128::from(is_object);
                if is_object {
                    self.skip_name()?;
                }
                return Ok(true);
            }
            _ => return Err(self.expected("a value")),
        }
        Ok(false)
    }

    /// Passes over brackets that close, and over a comma if there is one. Whether all is closed.
    fn skip_ends(&mut self, levels: &mut Levels) -> Result<bool> {
        while levels.count > 0 {
            match (self.next(), levels.is_object()) {
                (b'}', true) | (b']', false) => {
                    self.at += 1;
                    levels.count -= 1;
                    levels.objects >>= 1;
                }
                (b',', is_object) => {
                    self.at += 1;
                    if is_object {
                        self.skip_name()?;
                    }
                    return Ok(false);
                }
                (_, true) => return Err(self.expected("a comma or '}'")),
                (_, false) => return Err(self.expected("a comma or ']'")),
            }
        }
        Ok(true)
    }

    fn skip_name(&mut self) -> Result {
        if self.next() != b'"' {
            return Err(self.expected("a name in quotes"));
        }
        self.skip_string()?;
        self.take(b':', "a colon")
    }
}
