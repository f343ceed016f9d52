//! The names of members: strings, in which the keys of maps may be numbers and booleans.

use serde::de::{DeserializeSeed, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::Result;
use super::fault::Error;
use super::reader::Reader;

/// A name whose quote is next.
pub(super) struct Key<'a, 'de>(&'a mut Reader<'de>);

impl<'a, 'de> Key<'a, 'de> {
    /// Takes a name, behind white space.
    #[inline]
    pub(super) fn deserialize<K: DeserializeSeed<'de>>(
        reader: &'a mut Reader<'de>,
        seed: K,
    ) -> Result<K::Value> {
        if reader.next() != b'"' {
            return Err(reader.expected("a name in quotes"));
        }
        seed.deserialize(Key(reader))
    }

    /// Takes a number in quotes, without white space.
    fn number<T>(self, read: impl FnOnce(&mut Reader<'de>) -> Result<T>) -> Result<T> {
        self.0.at += 1;
        if !matches!(self.0.peek(), b'-' | b'0'..=b'9') {
            return Err(self.0.expected("a number in quotes"));
        }
        let value = read(self.0)?;
        self.end()?;
        Ok(value)
    }

    fn end(self) -> Result {
        if self.0.peek() != b'"' {
            return Err(self.0.expected("the closing quote"));
        }
        self.0.at += 1;
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.number(|reader| reader.number()?.visit(visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'_, 'de> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0.string()? {
            Some(name) => visitor.visit_borrowed_str(name),
            None => visitor.visit_str(&self.0.scratch),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(|reader| reader.deserialize_i128(visitor))
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(|reader| reader.deserialize_u128(visitor))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.0.at += 1;
        let (word, value) = match self.0.peek() {
            b't' => ("true", true),
            b'f' => ("false", false),
            _ => return Err(self.0.expected("true or false in quotes")),
        };
        self.0.word(word)?;
        self.end()?;
        visitor.visit_bool(value)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        // No name is null.
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.0.deserialize_bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.0.deserialize_bytes(visitor)
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
