//! The keys of maps on their way out: JSON has none but strings, so numbers and booleans get quotes.

use std::fmt;

use serde::ser::{Error as _, Impossible, Serialize, Serializer};

use super::writer::Writer;
use super::{Error, Result};

/// A place for a key.
pub(super) struct Key<'w>(pub(super) &'w mut Writer);

impl Key<'_> {
    #[inline]
    fn quoted(self, write: impl FnOnce(&mut Writer) -> Result) -> Result {
        self.0.byte(b'"')?;
        write(self.0)?;
        self.0.byte(b'"')
    }

    fn float(self, value: impl zmij::Float, is_finite: bool) -> Result {
        if !is_finite {
            return Err(no_key("a number that is not finite"));
        }
        self.quoted(|writer| writer.float(value, true))
    }
}

#[cold]
fn no_key(got: &str) -> Error {
    Error::custom(format_args!("expected a string, a number or a boolean as a key, got {got}"))
}

macro_rules! integers {
    ($($method:ident $type:ident,)*) => {$(
        fn $method(self, value: $type) -> Result {
            self.quoted(|writer| writer.integer(value))
        }
    )*};
}

impl Serializer for Key<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    integers! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128,
    }

    fn serialize_bool(self, value: bool) -> Result {
        self.quoted(|writer| writer.bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result {
        self.float(value, value.is_finite())
    }

    fn serialize_f64(self, value: f64) -> Result {
        self.float(value, value.is_finite())
    }

    fn serialize_char(self, value: char) -> Result {
        self.0.serialize_char(value)
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result {
        self.0.string(value)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result {
        self.0.display(value)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result {
        self.0.string(variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result {
        Err(no_key("null"))
    }

    fn serialize_unit(self) -> Result {
        Err(no_key("null"))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        Err(no_key("null"))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result {
        Err(no_key("bytes"))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result {
        Err(no_key("an object"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq> {
        Err(no_key("an array"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
        Err(no_key("an array"))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct> {
        Err(no_key("an array"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        Err(no_key("an object"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap> {
        Err(no_key("an object"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        Err(no_key("an object"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        Err(no_key("an object"))
    }
}
