//! Strings on their way out.

use std::fmt;

use super::super::plain::{is_plain, plain_len};
use super::Result;
use super::writer::Writer;

impl Writer {
    /// Writes a text in quotes.
    #[inline]
    pub(in crate::codec::json) fn string(&mut self, text: &str) -> Result {
        let text = text.as_bytes();
        if !is_plain(text) {
            return self.escaped_string(text);
        }
        if let [first, inner @ .., last] = self.room(text.len() + 2)? {
            *first = b'"';
            inner.copy_from_slice(text);
            *last = b'"';
        }
        Ok(())
    }

    /// Writes a member's name, with a comma before it and a colon behind it. Where the name is known,
    /// nothing of this is left but a copy.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a third of all writing: inlined, a name is a copy of known bytes"
    )]
    pub(super) fn name(&mut self, is_first: bool, name: &'static str) -> Result {
        let name = name.as_bytes();
        if !is_plain(name) {
            return self.escaped_name(is_first, name);
        }
        if !is_first {
            self.byte(b',')?;
        }
        if let [first, inner @ .., last, colon] = self.room(name.len() + 3)? {
            *first = b'"';
            inner.copy_from_slice(name);
            *last = b'"';
            *colon = b':';
        }
        Ok(())
    }

    #[cold]
    fn escaped_name(&mut self, is_first: bool, name: &[u8]) -> Result {
        if !is_first {
            self.byte(b',')?;
        }
        self.escaped_string(name)?;
        self.byte(b':')
    }

    #[inline(never)]
    fn escaped_string(&mut self, text: &[u8]) -> Result {
        self.byte(b'"')?;
        self.escaped(text)?;
        self.byte(b'"')
    }

    /// Writes the inner part of a string.
    fn escaped(&mut self, text: &[u8]) -> Result {
        let mut rest = text;
        loop {
            let (plain, special) = rest.split_at(plain_len(rest));
            self.bytes(plain)?;
            let Some((byte, behind)) = special.split_first() else { return Ok(()) };
            self.escape(*byte)?;
            rest = behind;
        }
    }

    fn escape(&mut self, byte: u8) -> Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            _ => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]);
                return self.bytes(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        };
        self.bytes(&[b'\\', short])
    }

    /// Writes what has a text, in quotes.
    pub(super) fn display<T: fmt::Display + ?Sized>(&mut self, value: &T) -> Result {
        self.byte(b'"')?;
        let mut inner = Inner { writer: self, result: Ok(()) };
        let written = fmt::write(&mut inner, format_args!("{value}"));
        inner.result?;
        written.map_err(serde::ser::Error::custom)?;
        self.byte(b'"')
    }
}

/// The inner part of a string, written bit by bit.
struct Inner<'w> {
    writer: &'w mut Writer,
    result: Result,
}

impl fmt::Write for Inner<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.result = self.writer.escaped(part.as_bytes());
        if self.result.is_ok() { Ok(()) } else { Err(fmt::Error) }
    }
}
