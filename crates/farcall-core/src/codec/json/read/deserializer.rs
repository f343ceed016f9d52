//! Values as visitors take them.

use std::convert::Infallible;
use std::fmt;

use serde::de::{Deserializer, Expected, Visitor};
use serde::forward_to_deserialize_any;

use super::Result;
use super::fault::Error;
use super::reader::Reader;
use super::variant::{Holding, Named};

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.next() {
            b'"' => match self.string()? {
                Some(text) => visitor.visit_borrowed_str(text),
                None => visitor.visit_str(&self.scratch),
            },
            b'-' | b'0'..=b'9' => self.number()?.visit(visitor),
            b'{' => self.object(visitor),
            b'[' => self.array(visitor),
            b't' => self.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word("false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.word("null").and_then(|()| visitor.visit_unit()),
            _ => Err(self.expected("a value")),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.next() == b'n' {
            self.word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.next() == b'{' { self.object(visitor) } else { Err(self.mismatch(&visitor)) }
    }

    /// A message is an object. An array with its fields in their order is what serde's derived code would take too, and no
    /// other protobuf.
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.next() {
            b'"' => visitor.visit_enum(Named(self)),
            b'{' => {
                self.open_object()?;
                let value = visitor.visit_enum(Holding(&mut *self));
                self.depth += 1;
                let value = value?;
                self.take(b'}', "'}'")?;
                Ok(value)
            }
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.large_integer(&visitor)? {
            Some(value) => visitor.visit_i128(value),
            None => Err(self.expected("a number of 128 bits")),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.large_integer(&visitor)? {
            Some(value) => visitor.visit_u128(value),
            None => Err(self.expected("a number of 128 bits")),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.next() != b'"' {
            return self.deserialize_any(visitor);
        }
        match self.string()? {
            Some(text) => visitor.visit_borrowed_bytes(text.as_bytes()),
            None => visitor.visit_bytes(self.scratch.as_bytes()),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.unknown()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string unit unit_struct seq tuple tuple_struct identifier
    }
}

impl Reader<'_> {
    /// Takes a whole number; none when it does not fit.
    fn large_integer<T: std::str::FromStr>(
        &mut self,
        expected: &dyn Expected,
    ) -> Result<Option<T>> {
        if !matches!(self.next(), b'-' | b'0'..=b'9') {
            return Err(self.mismatch(expected));
        }
        let digits = self.digits()?;
        Ok(digits.text.parse().ok().filter(|_| digits.is_whole))
    }

    /// What is next is of another kind than what is expected.
    #[cold]
    pub(super) fn mismatch(&mut self, expected: &dyn Expected) -> Error {
        match self.deserialize_any(Mismatch(expected)) {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }
}

/// Takes no value and says what it got.
struct Mismatch<'a>(&'a dyn Expected);

impl Visitor<'_> for Mismatch<'_> {
    type Value = Infallible;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
