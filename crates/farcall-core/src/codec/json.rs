//! Protobuf's canonical JSON, over the serde implementations that buffa generates.

mod scan;

use std::error::Error;
use std::fmt;
use std::io::{self, Write};

use bytes::BytesMut;

use super::{Message, short_name, too_large_to_send};
use crate::limits::{Limits, MAX_QUOTED};
use crate::status::{Result, Status};

use scan::Excess;

/// What is done with a field that a received JSON message has and its type has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// It is skipped, so that a client may be newer than its server.
    #[default]
    Ignore,
    /// The message is refused. A message within a `google.protobuf.Any` is not looked at.
    Refuse,
}

/// Appends a message.
pub(super) fn encode_into<M: Message>(
    message: &M,
    max_message: usize,
    out: &mut BytesMut,
) -> Result<()> {
    let start = out.len();
    // What a text is longer than the binary form is a guess, and not worth more than one.
    let binary = message.encoded_len() as usize;
    out.reserve((binary + binary / 4 + 64).min(max_message.saturating_add(1)));
    let mut text = Bounded { out, room: max_message, is_full: false };
    let written = serde_json::to_writer(&mut text, message);
    let is_full = text.is_full;
    written.map_err(|error| {
        out.truncate(start);
        if is_full {
            too_large_to_send::<M>(max_message.saturating_add(1), max_message)
        } else {
            Status::internal(format!("{} to send has no JSON form: {error}", short_name::<M>()))
        }
    })
}

/// A buffer that takes no more than a message may have.
struct Bounded<'a> {
    out: &'a mut BytesMut,
    room: usize,
    is_full: bool,
}

impl Write for Bounded<'_> {
    #[inline]
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.write_all(text)?;
        Ok(text.len())
    }

    #[inline]
    fn write_all(&mut self, text: &[u8]) -> io::Result<()> {
        let Some(room) = self.room.checked_sub(text.len()) else {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        self.room = room;
        self.out.extend_from_slice(text);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
        UnknownFields::Ignore => serde_json::from_slice(text).map_err(Unreadable::Json),
        UnknownFields::Refuse => decode_known(text),
    }
}

fn decode_known<M: Message>(text: &[u8]) -> Result<M, Unreadable> {
    let mut unknown = None;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let message = serde_ignored::deserialize(&mut deserializer, |path| {
        unknown.get_or_insert_with(|| path.to_string().chars().take(MAX_QUOTED).collect());
    })
    .map_err(Unreadable::Json)?;
    deserializer.end().map_err(Unreadable::Json)?;
    unknown.map_or(Ok(message), |path: String| Err(Unreadable::UnknownField(path)))
}
