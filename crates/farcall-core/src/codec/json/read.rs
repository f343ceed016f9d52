//! Values out of JSON, within limits. What a message looks like is the business of its [`Json`].
//!
//! The text is looked at once. It never recurses deeper than the limit, and not at all over what nobody asked for.

mod deserializer;
mod fault;
mod items;
mod key;
mod members;
mod number;
mod place;
mod reader;
mod scalar;
mod skip;
mod string;
mod variant;

use std::fmt;

use super::value::Json;
use crate::limits::Limits;
use fault::Fault;
use place::Place;

pub use fault::Error;
pub use reader::Reader;

/// What reading comes to.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Reads a value that is all of the text.
///
/// # Errors
/// When the text is no JSON or no such value, or costs more than the limits allow.
pub(super) fn read<T: Json + Default>(text: &[u8], limits: &Limits) -> Result<T, Unreadable> {
    let text = smoothutf8::from_utf8(text).ok_or_else(|| not_utf8(text))?;
    let mut reader = Reader::new(text, limits);
    let mut value = T::default();
    let read = value.read(&mut reader).and_then(|_| reader.end());
    read.map(|()| value).map_err(|error| reader.explain(error))
}

#[cold]
fn not_utf8(text: &[u8]) -> Unreadable {
    let at = str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
    let got = text.get(at).map(|byte| format!("the byte {byte:#04x}"));
    let place = Place::of(text, at, 1);
    Unreadable { fault: Fault::Expected("UTF-8"), got, place }
}

/// Why a text cannot be read, and where.
#[derive(Debug)]
pub(in crate::codec) struct Unreadable {
    fault: Fault,
    /// What was there instead, if something else was expected. None: the end of the text.
    got: Option<String>,
    place: Place,
}

impl Unreadable {
    /// Whether the value was too costly rather than wrong.
    pub(in crate::codec) fn is_too_much(&self) -> bool {
        matches!(self.fault, Fault::Memory { .. })
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Fault::UnknownField = self.fault {
            let Place { line, column, path } = &self.place;
            return write!(f, "unknown field {path:?} at line {line} column {column}");
        }
        self.fault.fmt(f)?;
        if let Fault::Expected(_) = self.fault {
            write!(f, ", got {}", self.got.as_deref().unwrap_or("the end of the text"))?;
        }
        self.place.fmt(f)
    }
}

impl std::error::Error for Unreadable {}
