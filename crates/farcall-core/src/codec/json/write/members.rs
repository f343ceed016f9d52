//! The objects of messages and maps on their way out.

use buffa::{UnknownFields, extension_registry};
use serde_json::Value;

use super::Result;
use super::writer::Writer;
use crate::codec::json::value::{Json, Key};

/// An object that is not closed yet.
#[derive(Debug)]
pub struct Members<'w> {
    writer: &'w mut Writer,
    is_first: bool,
}

impl Writer {
    /// Opens an object.
    ///
    /// # Errors
    /// When the text gets too long.
    #[inline]
    pub fn object(&mut self) -> Result<Members<'_>> {
        self.byte(b'{')?;
        Ok(Members { writer: self, is_first: true })
    }

    /// Writes an array.
    ///
    /// # Errors
    /// When the text gets too long or a value has no form in JSON.
    pub fn array<T: Json>(&mut self, values: &[T]) -> Result {
        self.byte(b'[')?;
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.byte(b',')?;
            }
            value.write(self)?;
        }
        self.byte(b']')
    }
}

impl Members<'_> {
    /// Writes a member, whatever its value.
    ///
    /// # Errors
    /// When the text gets too long or the value has no form in JSON.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "where the name is known its check is gone")]
    pub fn always<T: Json>(&mut self, name: &'static str, value: &T) -> Result {
        value.write(self.name(name)?)
    }

    /// Writes the name of a member, whose value is to be written next.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "where the name is known its check is gone")]
    pub(in crate::codec::json) fn name(&mut self, name: &'static str) -> Result<&mut Writer> {
        self.writer.name(self.is_first, name)?;
        self.is_first = false;
        Ok(self.writer)
    }

    /// Writes the key of an entry, whose value is to be written next.
    pub(in crate::codec::json) fn key(&mut self, key: &impl Key) -> Result<&mut Writer> {
        self.comma()?;
        key.write(self.writer)?;
        self.writer.byte(b':')?;
        Ok(self.writer)
    }

    /// Writes those unknown fields that are extensions, of the message called `extended`, whose types are known.
    ///
    /// # Errors
    /// When the text gets too long or a value has no form in JSON.
    pub fn extensions(&mut self, extended: &str, fields: &UnknownFields) -> Result {
        if fields.is_empty() {
            return Ok(());
        }
        let serializer = serde_json::value::Serializer;
        let extensions = extension_registry::serialize_extensions(extended, fields, serializer);
        if let Value::Object(extensions) = extensions.map_err(serde::ser::Error::custom)? {
            for (name, value) in &extensions {
                self.key(name)?.by_serde(value)?;
            }
        }
        Ok(())
    }

    fn comma(&mut self) -> Result {
        if self.is_first {
            self.is_first = false;
            return Ok(());
        }
        self.writer.byte(b',')
    }

    /// Closes the object.
    ///
    /// # Errors
    /// When the text gets too long.
    #[inline]
    pub fn end(self) -> Result {
        self.writer.byte(b'}')
    }
}
