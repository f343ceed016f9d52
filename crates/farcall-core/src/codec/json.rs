//! Protobuf's canonical JSON.
//!
//! `read` and `write` are between values and text and know no messages; generated code says of each message what its fields
//! are called and how they are present (`message`), and `value` what form each type has. The well-known types keep the form
//! that they have for serde.

mod message;
mod name;
mod plain;
pub mod read;
mod serde_form;
mod value;
pub mod write;

pub use crate::__json_names as names;
pub use name::Name;
pub use read::Reader;
pub use serde_form::{deserialize, serialize};
pub use value::{Json, Key, read_enum, write_enum};
pub use write::{Members, Writer};

use super::{Message, short_name};
use crate::limits::Limits;
use crate::status::{Result, Status};

use read::Unreadable;

/// What is done with a field that a received JSON message has and its type has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// It is skipped, so that a client may be newer than its server. So is the name of an enum's value that is not known.
    #[default]
    Ignore,
    /// The message is refused. A message within a `google.protobuf.Any` is not looked at.
    Refuse,
}

/// Writes a message and hands over its text.
///
/// # Errors
/// `RESOURCE_EXHAUSTED` when the text has more than `max_message` bytes, `INTERNAL` when the message has no JSON form.
pub(super) fn encode<M: Message, R>(
    message: &M,
    max_message: usize,
    take: impl FnOnce(&[u8]) -> R,
) -> Result<R> {
    write::write(message, max_message, take).map_err(|error| unwritten::<M>(&error, max_message))
}

#[cold]
fn unwritten<M>(error: &write::Error, max_message: usize) -> Status {
    let name = short_name::<M>();
    if error.is_too_long() {
        return Status::resource_exhausted(format!(
            "{name} to send has more than {max_message} bytes as JSON; the limit for sending is {max_message}"
        ));
    }
    Status::internal(format!("{name} to send has no JSON form: {error}"))
}

/// Decodes a message within the limits on depth, numbers and elements.
pub(super) fn decode<M: Message>(text: &[u8], limits: &Limits) -> Result<M, Unreadable> {
    read::read(text, limits)
}
