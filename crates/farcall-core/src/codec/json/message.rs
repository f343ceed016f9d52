//! What generated code says of a message: the JSON names of its fields, and how each of them is present.

use buffa::json::{JsonParseOptions, with_json_parse_options};
use buffa::map_codec::MapStorage;
use buffa::{MessageField, ProtoBox, UnknownFields, extension_registry};

use super::name::Name;
use super::read::{self, Reader};
use super::value::{Json, Key};
use super::write::{self, Members};

/// Implicit presence, as fields of proto3 have it unless they say otherwise, is that the default value is left out.
impl Members<'_> {
    /// Writes a field of implicit presence.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "where the name is known its check is gone")]
    pub fn implicit<T: Json>(&mut self, name: &'static str, value: &T) -> write::Result {
        if value.is_default() { Ok(()) } else { self.always(name, value) }
    }

    /// Writes a field of explicit presence.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "where the name is known its check is gone")]
    pub fn optional<T: Json>(&mut self, name: &'static str, value: &Option<T>) -> write::Result {
        value.as_ref().map_or(Ok(()), |value| self.always(name, value))
    }

    /// Writes a message.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "where the name is known its check is gone")]
    pub fn message<M: Json + Default, P: ProtoBox<M>>(
        &mut self,
        name: &'static str,
        value: &MessageField<M, P>,
    ) -> write::Result {
        value.as_option().map_or(Ok(()), |value| self.always(name, value))
    }

    /// Writes a repeated field, unless it has no elements.
    #[inline]
    pub fn repeated<T: Json>(&mut self, name: &'static str, values: &[T]) -> write::Result {
        if values.is_empty() {
            return Ok(());
        }
        self.name(name)?.array(values)
    }

    /// Writes a map, unless it has no entries.
    #[inline]
    pub fn map<C>(&mut self, name: &'static str, map: &C) -> write::Result
    where
        C: MapStorage<Key: Key, Value: Json>,
    {
        if map.storage_len() == 0 {
            return Ok(());
        }
        let mut entries = self.name(name)?.object()?;
        for (key, value) in map.storage_iter() {
            value.write(entries.key(key)?)?;
        }
        entries.end()
    }
}

impl Reader<'_> {
    /// Takes an object, field by field: `field` takes the value of the one of that number among the names. What has none of
    /// the names is skipped or refused, unless it is an extension and the last of the names is for these.
    #[inline]
    pub fn message(
        &mut self,
        names: &'static [Name],
        mut field: impl FnMut(&mut Self, usize) -> read::Result,
    ) -> read::Result {
        let mut members = self.members(names)?;
        while let Some(index) = members.next(self)? {
            field(self, index)?;
        }
        Ok(())
    }

    /// Takes a field of implicit presence, or one that is required.
    #[inline]
    pub fn implicit<T: Json>(&mut self, value: &mut T) -> read::Result {
        if self.absent::<T>()? { Ok(()) } else { value.read(self).map(drop) }
    }

    /// Takes a field of explicit presence.
    #[inline]
    pub fn optional<T: Json + Default>(&mut self, value: &mut Option<T>) -> read::Result {
        if !self.absent::<T>()? {
            let mut present = T::default();
            if present.read(self)? {
                *value = Some(present);
            }
        }
        Ok(())
    }

    /// Takes a message.
    #[inline]
    pub fn field<M: Json + Default, P: ProtoBox<M>>(
        &mut self,
        value: &mut MessageField<M, P>,
    ) -> read::Result {
        if self.absent::<M>()? {
            return Ok(());
        }
        value.get_or_insert_default().read(self).map(drop)
    }

    /// Takes a member of the oneof called `name`.
    pub fn oneof<T: Json + Default, K>(
        &mut self,
        name: &'static str,
        kind: &mut Option<K>,
        make: impl FnOnce(T) -> K,
    ) -> read::Result {
        if self.absent::<T>()? {
            return Ok(());
        }
        let mut value = T::default();
        if value.read(self)? {
            if kind.is_some() {
                return Err(read::Error::new(format_args!("more than one of the oneof {name}")));
            }
            *kind = Some(make(value));
        }
        Ok(())
    }

    /// Takes a repeated field.
    pub fn repeated<T: Json + Default>(&mut self, values: &mut Vec<T>) -> read::Result {
        if self.null()? {
            return Ok(());
        }
        let mut elements = self.elements()?;
        while elements.next(self)? {
            // Where it stays: a message is large, and moving it is what reading it would cost most.
            values.push(T::default());
            let Some(value) = values.last_mut() else { continue };
            if !value.read(self)? {
                values.pop();
            }
        }
        Ok(())
    }

    /// Takes a map.
    pub fn map<C>(&mut self, map: &mut C) -> read::Result
    where
        C: MapStorage<Key: Key, Value: Json + Default>,
    {
        if self.null()? {
            return Ok(());
        }
        let mut entries = self.entries()?;
        while let Some(key) = entries.key(self)? {
            let mut value = C::Value::default();
            if value.read(self)? {
                map.storage_insert(key, value);
            }
        }
        Ok(())
    }

    /// Takes the value of an extension, whose name was read last.
    pub fn extension(&mut self, extended: &str, fields: &mut UnknownFields) -> read::Result {
        let name = self.take_scratch();
        let value = self.by_serde()?;
        let options = JsonParseOptions::new().ignore_unknown_enum_values(self.ignores_unknown());
        let records = with_json_parse_options(&options, || {
            extension_registry::deserialize_extension_key(extended, &name, value)
        });
        for record in records.transpose().map_err(read::Error::new)?.into_iter().flatten() {
            fields.push(record);
        }
        Ok(())
    }

    /// Takes `null` where it is not a value of its own.
    #[inline]
    fn absent<T: Json>(&mut self) -> read::Result<bool> {
        if T::is_nullable() { Ok(false) } else { self.null() }
    }
}
