//! Arrays and objects as visitors take them: element by element, member by member.

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::Result;
use super::fault::Error;
use super::key::Key;
use super::reader::Reader;

/// What is left of an array or of an object.
pub(super) struct Items<'a, 'de> {
    reader: &'a mut Reader<'de>,
    is_first: bool,
}

impl<'de> Reader<'de> {
    /// Takes an array, whose bracket is next.
    #[inline]
    pub(super) fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        self.open_array()?;
        let value = visitor.visit_seq(Items { reader: self, is_first: true });
        self.depth += 1;
        let value = value?;
        self.take(b']', "a comma or ']'")?;
        Ok(value)
    }

    /// Takes an object, whose bracket is next.
    #[inline]
    pub(super) fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        self.open_object()?;
        let value = visitor.visit_map(Items { reader: self, is_first: true });
        self.depth += 1;
        let value = value?;
        self.take(b'}', "a comma or '}'")?;
        Ok(value)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        match (self.reader.next(), self.is_first) {
            (b']', _) => return Ok(None),
            (_, true) => self.is_first = false,
            (b',', _) => self.reader.comma(false)?,
            _ => return Err(self.reader.expected("a comma or ']'")),
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        match (self.reader.next(), self.is_first) {
            (b'}', _) => return Ok(None),
            (_, true) => self.is_first = false,
            (b',', _) => self.reader.comma(true)?,
            _ => return Err(self.reader.expected("a comma or '}'")),
        }
        Key::deserialize(self.reader, seed).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        self.reader.take(b':', "a colon")?;
        seed.deserialize(&mut *self.reader)
    }
}
