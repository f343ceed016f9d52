//! The text that is written, and the values that go into it.

use std::fmt;

use serde::ser::{Serialize, Serializer};

use super::compound::Compound;
use super::{Error, Result};

/// How `serde_json` marks a number that it keeps as text, which it does when anybody in the build asks for
/// `arbitrary_precision`.
const TEXTUAL_NUMBER: &str = "$serde_json::private::Number";

/// Bytes of the first buffer, which most texts fit into.
const FIRST: usize = 1024;

/// A text that grows up to a limit.
#[derive(Debug)]
pub struct Writer {
    /// The text and the bytes that it may take next, which have any value: whoever writes sees one bound for both, and no
    /// byte is cleared for each text.
    buffer: Vec<u8>,
    len: usize,
    max_len: usize,
}

impl Writer {
    /// A text of at most `max_len` bytes, in a buffer with anything in it.
    pub(super) fn new(mut buffer: Vec<u8>, max_len: usize) -> Self {
        buffer.truncate(max_len);
        Self { buffer, len: 0, max_len }
    }

    /// The text.
    pub(super) fn text(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// The next bytes of the text, to be written.
    #[inline]
    pub(super) fn room(&mut self, count: usize) -> Result<&mut [u8]> {
        let start = self.len;
        let end = start + count;
        if end > self.buffer.len() {
            self.grow(end)?;
        }
        self.len = end;
        self.buffer.get_mut(start..end).ok_or_else(Error::too_long)
    }

    #[cold]
    fn grow(&mut self, end: usize) -> Result {
        if end > self.max_len {
            return Err(Error::too_long());
        }
        let len = end.max(2 * self.buffer.len()).max(FIRST).min(self.max_len);
        self.buffer.resize(len, 0);
        Ok(())
    }

    #[inline]
    pub(in crate::codec::json) fn bytes(&mut self, bytes: &[u8]) -> Result {
        self.room(bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    #[inline]
    pub(in crate::codec::json) fn byte(&mut self, byte: u8) -> Result {
        self.bytes(&[byte])
    }

    pub(in crate::codec::json) fn bool(&mut self, value: bool) -> Result {
        self.bytes(if value { b"true" } else { b"false" })
    }

    /// Writes a value of a type that serde knows.
    ///
    /// # Errors
    /// When the text gets too long or the value has no form in JSON.
    pub fn by_serde<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        value.serialize(self)
    }

    /// Writes a text that is JSON already.
    ///
    /// # Errors
    /// When the text gets too long.
    pub fn raw(&mut self, text: &str) -> Result {
        self.bytes(text.as_bytes())
    }

    /// Writes the digits that stood in a string.
    pub(super) fn textual_number<T: Serialize + ?Sized>(&mut self, digits: &T) -> Result {
        let start = self.len;
        digits.serialize(&mut *self)?;
        // Out of the quotes.
        if let Some([b'"', digits @ .., b'"']) = self.buffer.get_mut(start..self.len) {
            let len = digits.len();
            self.buffer.copy_within(start + 1..start + 1 + len, start);
            self.len = start + len;
        }
        Ok(())
    }

    /// Opens `{"variant":`.
    fn open_variant(&mut self, variant: &'static str) -> Result {
        self.byte(b'{')?;
        self.string(variant)?;
        self.byte(b':')
    }
}

macro_rules! integers {
    ($($method:ident $type:ident,)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result {
            self.integer(value)
        }
    )*};
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'w>;
    type SerializeTuple = Compound<'w>;
    type SerializeTupleStruct = Compound<'w>;
    type SerializeTupleVariant = Compound<'w>;
    type SerializeMap = Compound<'w>;
    type SerializeStruct = Compound<'w>;
    type SerializeStructVariant = Compound<'w>;

    integers! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128,
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result {
        self.bool(value)
    }

    fn serialize_f32(self, value: f32) -> Result {
        self.float(value, value.is_finite())
    }

    fn serialize_f64(self, value: f64) -> Result {
        self.float(value, value.is_finite())
    }

    fn serialize_char(self, value: char) -> Result {
        self.string(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result {
        self.string(value)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result {
        self.display(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        self.bytes(b"null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result {
        self.string(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        self.open_variant(variant)?;
        value.serialize(&mut *self)?;
        self.byte(b'}')
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'w>> {
        Compound::array(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<'w>> {
        Compound::array(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'w>> {
        Compound::array(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'w>> {
        self.open_variant(variant)?;
        Ok(Compound::array(self)?.in_variant())
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'w>> {
        Compound::object(self)
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'w>> {
        if name == TEXTUAL_NUMBER { Ok(Compound::textual(self)) } else { Compound::object(self) }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'w>> {
        self.open_variant(variant)?;
        Ok(Compound::object(self)?.in_variant())
    }
}
