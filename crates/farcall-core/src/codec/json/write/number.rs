//! Numbers on their way out, in as few characters as tell them from their neighbours.

use super::Result;
use super::writer::Writer;

impl Writer {
    #[inline]
    pub(super) fn integer(&mut self, value: impl itoa::Integer) -> Result {
        self.bytes(itoa::Buffer::new().format(value).as_bytes())
    }

    /// JSON has no words for infinities and for what is no number: they are `null`. Messages say them in strings.
    pub(super) fn float(&mut self, value: impl zmij::Float, is_finite: bool) -> Result {
        if !is_finite {
            return self.bytes(b"null");
        }
        self.bytes(zmij::Buffer::new().format_finite(value).as_bytes())
    }
}
