//! Enums: the names of their values, or numbers, and `null` for the only value of `google.protobuf.NullValue`.

use std::any::TypeId;

use buffa::{EnumValue, Enumeration};
use buffa_types::google::protobuf::NullValue;

use super::super::read::{self, Reader};
use super::super::write::{self, Writer};
use super::Json;

const WHAT: &str = "the name of an enum's value, or its number";

impl<E: Enumeration + 'static> Json for EnumValue<E> {
    fn write(&self, writer: &mut Writer) -> write::Result {
        match self.as_known() {
            Some(value) => write_enum(&value, writer),
            None => writer.integer(self.to_i32()),
        }
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> read::Result<bool> {
        let value = match read_value::<E>(reader)? {
            Some(Said::Name(value)) => value.into(),
            Some(Said::Number(number)) => number.into(),
            None => return Ok(false),
        };
        *self = value;
        Ok(true)
    }

    fn is_default(&self) -> bool {
        self.to_i32() == 0
    }

    fn is_nullable() -> bool {
        is_null_value::<E>()
    }
}

/// Writes a value of an enum of which no other values are known.
///
/// # Errors
/// When the text gets too long.
pub fn write_enum<E: Enumeration + 'static>(value: &E, writer: &mut Writer) -> write::Result {
    if is_null_value::<E>() { writer.bytes(b"null") } else { writer.string(value.proto_name()) }
}

/// Reads a value of an enum that is closed.
///
/// # Errors
/// As [`Json::read`].
pub fn read_enum<E: Enumeration + 'static>(
    value: &mut E,
    reader: &mut Reader<'_>,
) -> read::Result<bool> {
    let known = match read_value::<E>(reader)? {
        Some(Said::Name(value)) => Some(value),
        Some(Said::Number(number)) => {
            let known = E::from_i32(number);
            if known.is_none() && !reader.ignores_unknown() {
                return Err(read::Error::new(format_args!(
                    "invalid value: {number}, expected {WHAT}"
                )));
            }
            known
        }
        None => None,
    };
    if let Some(known) = known {
        *value = known;
    }
    Ok(known.is_some())
}

/// What stands for a value.
enum Said<E> {
    Name(E),
    Number(i32),
}

/// A value; none for a name that is not known and need not be.
fn read_value<E: Enumeration + 'static>(reader: &mut Reader<'_>) -> read::Result<Option<Said<E>>> {
    if is_null_value::<E>() && reader.null()? {
        return Ok(Some(Said::Number(0)));
    }
    if reader.next() != b'"' {
        return reader.integer_of(WHAT).map(|number| Some(Said::Number(number)));
    }
    let start = reader.at();
    match E::from_proto_name(reader.text(WHAT)?) {
        Some(value) => Ok(Some(Said::Name(value))),
        None if reader.ignores_unknown() => Ok(None),
        None => Err(reader.invalid(start, WHAT)),
    }
}

fn is_null_value<E: 'static>() -> bool {
    TypeId::of::<E>() == TypeId::of::<NullValue>()
}
