//! Variants of enums: a string, or an object with the variant's name before what it holds. Those of protobuf are no enums of
//! serde, but the types in a message's fields may have some.

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Unexpected, VariantAccess, Visitor};

use super::Result;
use super::fault::Error;
use super::key::Key;
use super::reader::Reader;

/// A variant in a string.
pub(super) struct Named<'a, 'de>(pub(super) &'a mut Reader<'de>);

/// A variant in an object, whose bracket is open.
pub(super) struct Holding<'a, 'de>(pub(super) &'a mut Reader<'de>);

impl<'de> EnumAccess<'de> for Named<'_, 'de> {
    type Error = Error;
    type Variant = Nothing;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Nothing)> {
        Ok((seed.deserialize(self.0)?, Nothing))
    }
}

impl<'a, 'de> EnumAccess<'de> for Holding<'a, 'de> {
    type Error = Error;
    type Variant = Held<'a, 'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Held<'a, 'de>)> {
        let variant = Key::deserialize(self.0, seed)?;
        self.0.take(b':', "a colon")?;
        Ok((variant, Held(self.0)))
    }
}

/// What a variant in a string holds.
pub(super) struct Nothing;

impl<'de> VariantAccess<'de> for Nothing {
    type Error = Error;

    fn unit_variant(self) -> Result {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value> {
        Err(holds_nothing("newtype variant"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value> {
        Err(holds_nothing("tuple variant"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value> {
        Err(holds_nothing("struct variant"))
    }
}

#[cold]
fn holds_nothing(expected: &'static str) -> Error {
    serde::de::Error::invalid_type(Unexpected::UnitVariant, &expected)
}

/// What a variant in an object holds.
pub(super) struct Held<'a, 'de>(&'a mut Reader<'de>);

impl<'de> VariantAccess<'de> for Held<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result {
        serde::Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.0.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.0.deserialize_struct("", fields, visitor)
    }
}
