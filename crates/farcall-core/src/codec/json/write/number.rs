//! Numbers on their way out, in as few characters as tell them from their neighbours.

use super::Result;
use super::writer::Writer;

impl Writer {
    #[inline]
    pub(in crate::codec::json) fn integer(&mut self, value: impl itoa::Integer) -> Result {
        self.bytes(itoa::Buffer::new().format(value).as_bytes())
    }

    #[inline]
    pub(in crate::codec::json) fn quoted_integer(&mut self, value: impl itoa::Integer) -> Result {
        self.byte(b'"')?;
        self.integer(value)?;
        self.byte(b'"')
    }

    /// JSON has no words for infinities and for what is no number: they are `null`. Messages say them in strings.
    pub(in crate::codec::json) fn float(
        &mut self,
        value: impl zmij::Float,
        is_finite: bool,
    ) -> Result {
        if !is_finite {
            return self.bytes(b"null");
        }
        self.bytes(zmij::Buffer::new().format_finite(value).as_bytes())
    }
}
