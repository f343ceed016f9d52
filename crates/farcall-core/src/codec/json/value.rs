//! What has a form in JSON: scalars, enums, messages.

mod bytes;
mod enumeration;
mod key;
mod number;
mod text;
mod well_known;

pub use key::Key;

use super::read::{self, Reader};
use super::write::{self, Writer};

pub use enumeration::{read_enum, write_enum};

/// A value with a form in protobuf's canonical JSON.
///
/// Generated messages and enums have it, and the types of scalars. A type with an implementation of `serde`'s traits gets one
/// by way of [`Reader::by_serde`] and [`Writer::by_serde`].
pub trait Json {
    /// Writes the value.
    ///
    /// # Errors
    /// When the text gets too long or the value has no form in JSON.
    fn write(&self, writer: &mut Writer) -> write::Result;

    /// Reads the value over this one, which is the default. Returns false, and leaves it as it was, for the name of an
    /// enum's value that is not known, where these are skipped.
    ///
    /// # Errors
    /// When the text is no JSON or no such value, or costs more than the limits allow.
    fn read(&mut self, reader: &mut Reader<'_>) -> read::Result<bool>;

    /// Whether a field without explicit presence leaves this value out.
    fn is_default(&self) -> bool {
        false
    }

    /// Whether `null` is a value of this type, and not that there is none.
    fn is_nullable() -> bool {
        false
    }
}

impl<T: Json + ?Sized> Json for Box<T> {
    fn write(&self, writer: &mut Writer) -> write::Result {
        (**self).write(writer)
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> read::Result<bool> {
        (**self).read(reader)
    }
}
