//! Text and truth.

use super::super::read::{self, Reader};
use super::super::write::{self, Writer};
use super::Json;

impl Json for String {
    #[inline]
    fn write(&self, writer: &mut Writer) -> write::Result {
        writer.string(self)
    }

    #[inline]
    fn read(&mut self, reader: &mut Reader<'_>) -> read::Result<bool> {
        *self = String::from(reader.text("a string")?);
        Ok(true)
    }

    #[inline]
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Json for bool {
    #[inline]
    fn write(&self, writer: &mut Writer) -> write::Result {
        writer.bool(*self)
    }

    #[inline]
    fn read(&mut self, reader: &mut Reader<'_>) -> read::Result<bool> {
        *self = reader.truth()?;
        Ok(true)
    }

    #[inline]
    fn is_default(&self) -> bool {
        !*self
    }
}
