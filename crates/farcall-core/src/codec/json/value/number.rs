//! Numbers: whole ones of 64 bits are strings, since JavaScript's numbers have fewer.

use super::super::read::{self, Reader};
use super::super::write::{self, Writer};
use super::Json;

macro_rules! integers {
    ($($type:ident $what:literal $write:ident,)*) => {$(
        impl Json for $type {
            #[inline]
            fn write(&self, writer: &mut Writer) -> write::Result {
                writer.$write(*self)
            }

            #[inline]
            fn read(&mut self, reader: &mut Reader<'_>) -> read::Result<bool> {
                *self = reader.integer($what)?;
                Ok(true)
            }

            #[inline]
            fn is_default(&self) -> bool {
                *self == 0
            }
        }
    )*};
}

integers! {
    i32 "a whole number of 32 bits" integer,
    u32 "a whole number from 0 to 4294967295" integer,
    i64 "a whole number of 64 bits" quoted_integer,
    u64 "a whole number from 0 to 18446744073709551615" quoted_integer,
}

/// What is no finite number has a name.
macro_rules! floats {
    ($($type:ident $read:ident,)*) => {$(
        impl Json for $type {
            #[inline]
            fn write(&self, writer: &mut Writer) -> write::Result {
                if self.is_finite() {
                    return writer.float(*self, true);
                }
                writer.string(if self.is_nan() {
                    "NaN"
                } else if *self > 0.0 {
                    "Infinity"
                } else {
                    "-Infinity"
                })
            }

            #[inline]
            fn read(&mut self, reader: &mut Reader<'_>) -> read::Result<bool> {
                *self = reader.$read()?;
                Ok(true)
            }

            #[inline]
            fn is_default(&self) -> bool {
                *self == 0.0
            }
        }
    )*};
}

floats! { f32 float, f64 double, }
