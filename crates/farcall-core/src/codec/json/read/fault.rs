//! What can be wrong with a text.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::limits::MAX_JSON_NUMBER;

/// A fault on its way out of the visitors, which know nothing of places.
#[derive(Debug)]
pub struct Error(Box<Found>);

#[derive(Debug)]
struct Found {
    fault: Fault,
    /// The byte that is wrong. None: what was read last is.
    at: Option<usize>,
}

#[derive(Debug)]
pub(super) enum Fault {
    /// Something else should be there.
    Expected(&'static str),
    /// Arrays and objects within one another.
    Depth { limit: u32 },
    /// Characters of one number.
    Number,
    /// Bytes that the elements may take in memory.
    Memory { limit: usize },
    /// A field that the message has not, where these are refused.
    UnknownField,
    /// The value's own words.
    Said(String),
}

impl Error {
    #[cold]
    pub(super) fn at(fault: Fault, at: usize) -> Self {
        Self(Box::new(Found { fault, at: Some(at) }))
    }

    /// What was read last is wrong, in the value's own words.
    #[cold]
    pub fn new(message: impl fmt::Display) -> Self {
        Self(Box::new(Found { fault: Fault::Said(message.to_string()), at: None }))
    }

    pub(super) fn into_parts(self) -> (Fault, Option<usize>) {
        (self.0.fault, self.0.at)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::Depth { limit } => write!(f, "more than {limit} levels of nesting, the limit,"),
            Self::Number => {
                write!(f, "expected a number of at most {MAX_JSON_NUMBER} characters, got more")
            }
            Self::Memory { limit } => {
                write!(f, "the elements may take more than {limit} bytes of memory, the limit,")
            }
            Self::UnknownField => f.write_str("unknown field"),
            Self::Said(message) => f.write_str(message),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fault.fmt(f)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message)
    }

    #[cold]
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("invalid type: {}, expected {expected}", Got(unexpected)))
    }

    #[cold]
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("invalid value: {}, expected {expected}", Got(unexpected)))
    }
}

/// What is there, in the words of JSON.
struct Got<'a>(Unexpected<'a>);

impl fmt::Display for Got<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Unit => f.write_str("null"),
            Unexpected::Float(value) => write!(f, "floating point `{value:?}`"),
            Unexpected::Seq => f.write_str("array"),
            Unexpected::Map => f.write_str("object"),
            other => other.fmt(f),
        }
    }
}
