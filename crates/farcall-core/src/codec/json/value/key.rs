//! The keys of maps: JSON has none but strings, so numbers and booleans get quotes.

use super::super::read::{self, Reader};
use super::super::write::{self, Writer};

const TRUTH: &str = "true or false in quotes";

/// A type that keys of maps have.
pub trait Key: Sized {
    /// Writes the key in quotes.
    ///
    /// # Errors
    /// When the text gets too long.
    fn write(&self, writer: &mut Writer) -> write::Result;

    /// Reads a key, whose quote is next.
    ///
    /// # Errors
    /// When it is no such key.
    fn read(reader: &mut Reader<'_>) -> read::Result<Self>;
}

impl Key for String {
    fn write(&self, writer: &mut Writer) -> write::Result {
        writer.string(self)
    }

    fn read(reader: &mut Reader<'_>) -> read::Result<Self> {
        reader.text("a name in quotes").map(str::to_owned)
    }
}

impl Key for bool {
    fn write(&self, writer: &mut Writer) -> write::Result {
        writer.string(if *self { "true" } else { "false" })
    }

    fn read(reader: &mut Reader<'_>) -> read::Result<Self> {
        let start = reader.at();
        match reader.text(TRUTH)? {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(reader.invalid(start, TRUTH)),
        }
    }
}

macro_rules! integers {
    ($($type:ident)*) => {$(
        impl Key for $type {
            fn write(&self, writer: &mut Writer) -> write::Result {
                writer.quoted_integer(*self)
            }

            fn read(reader: &mut Reader<'_>) -> read::Result<Self> {
                reader.integer("a whole number in quotes")
            }
        }
    )*};
}

integers! { i32 u32 i64 u64 }
