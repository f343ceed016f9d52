//! Messages for serde: what another format makes of their JSON, for users whose logs, files or web frameworks want it.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::value::Json;
use super::{read, write};
use crate::limits::Limits;

/// Serializes a message as the values that its JSON has.
///
/// # Errors
/// When the message has no form in JSON, and those of the serializer.
pub fn serialize<M: Json, S: Serializer>(message: &M, serializer: S) -> Result<S::Ok, S::Error> {
    let text = write::write(message, usize::MAX, <[u8]>::to_vec).map_err(S::Error::custom)?;
    let value: Value = serde_json::from_slice(&text).map_err(S::Error::custom)?;
    value.serialize(serializer)
}

/// Deserializes a message from the values that its JSON has, within the default limits.
///
/// # Errors
/// When the values are no such message, and those of the deserializer.
pub fn deserialize<'de, M: Json + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<M, D::Error> {
    let text = Value::deserialize(deserializer)?.to_string();
    read::read(text.as_bytes(), &Limits::default()).map_err(D::Error::custom)
}
