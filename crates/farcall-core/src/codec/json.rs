//! Protobuf's canonical JSON, over the serde implementations that buffa generates.
//!
//! [`read`] and [`write`] are between serde and bytes and know no protobuf; what is left for this module is what a message
//! may cost and what becomes of unknown fields.

mod plain;
mod read;
mod write;

use buffa::json::{JsonParseOptions, with_json_parse_options};

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
    match limits.json_unknown_fields {
        UnknownFields::Ignore => {
            let options = JsonParseOptions::new().ignore_unknown_enum_values(true);
            with_json_parse_options(&options, || read::read(text, limits))
        }
        UnknownFields::Refuse => read::read(text, limits),
    }
}
