//! Protobuf's canonical JSON, over the serde implementations that buffa generates.

mod scan;

use std::error::Error;
use std::fmt;

use buffa::json::{JsonParseOptions, with_json_parse_options};

use super::{Message, short_name, too_large_to_send};
use crate::limits::{Limits, MAX_QUOTED};
use crate::status::{Result, Status};

use scan::Excess;

/// What is done with a field that a received JSON message has and its type has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// It is skipped, so that a client may be newer than its server. So is the name of an enum's value that is not known.
    #[default]
    Ignore,
    /// The message is refused. A message within a `google.protobuf.Any` is not looked at.
    Refuse,
}

/// Writes a message, behind `prefix` zeros and with room for `spare` more bytes.
///
/// # Errors
/// `RESOURCE_EXHAUSTED` when the text has more than `max_message` bytes, `INTERNAL` when the message has no JSON form.
pub(super) fn encode<M: Message>(
    message: &M,
    max_message: usize,
    prefix: usize,
    spare: usize,
) -> Result<Vec<u8>> {
    // By how much the text is longer than the binary form is a guess, and not worth more than one.
    let binary = message.encoded_len() as usize;
    let mut out = Vec::with_capacity(prefix + binary + binary / 4 + 64 + spare);
    out.resize(prefix, 0);
    serde_json::to_writer(&mut out, message).map_err(|error| {
        Status::internal(format!("{} to send has no JSON form: {error}", short_name::<M>()))
    })?;
    let size = out.len() - prefix;
    if size > max_message {
        return Err(too_large_to_send::<M>(size, max_message));
    }
    Ok(out)
}

/// Why bytes are no message in JSON.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// It would cost too much to find out.
    Excess(Excess),
    /// It is no JSON, or no such message in JSON.
    Json(serde_json::Error),
    /// It has a field that the message has not.
    UnknownField(String),
}

impl Unreadable {
    /// Whether the message was too costly rather than wrong.
    pub(super) fn is_too_much(&self) -> bool {
        matches!(self, Self::Excess(Excess::Memory { .. }))
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Excess(excess) => excess.fmt(f),
            Self::Json(error) => error.fmt(f),
            Self::UnknownField(path) => write!(f, "unknown field {path:?}"),
        }
    }
}

impl Error for Unreadable {}

/// Decodes a message within the limits on depth, numbers and elements.
pub(super) fn decode<M: Message>(text: &[u8], limits: &Limits) -> Result<M, Unreadable> {
    scan::check(text, limits).map_err(Unreadable::Excess)?;
    match limits.json_unknown_fields {
        UnknownFields::Ignore => {
            let options = JsonParseOptions::new().ignore_unknown_enum_values(true);
            with_json_parse_options(&options, || serde_json::from_slice(text))
                .map_err(Unreadable::Json)
        }
        UnknownFields::Refuse => decode_known(text),
    }
}

fn decode_known<M: Message>(text: &[u8]) -> Result<M, Unreadable> {
    let mut unknown = None;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let message = serde_ignored::deserialize(&mut deserializer, |path| {
        // A question mark stands for each optional level, which is no part of the text.
        unknown.get_or_insert_with(|| {
            path.to_string().replace(".?", "").chars().take(MAX_QUOTED).collect()
        });
    })
    .map_err(Unreadable::Json)?;
    deserializer.end().map_err(Unreadable::Json)?;
    unknown.map_or(Ok(message), |path: String| Err(Unreadable::UnknownField(path)))
}
