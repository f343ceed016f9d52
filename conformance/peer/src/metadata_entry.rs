//! Metadata as conformance.v1 carries it inside messages.

use std::collections::BTreeMap;

use farcall::{Metadata, Result, Status};

pub use crate::proto::conformance::v1::MetadataEntry;

/// What the checks send begins with this; what the protocol or a library adds does not.
const OURS: &str = "x-";

/// The end of a name whose values are bytes.
const BINARY: &str = "-bin";

/// Metadata of these entries.
///
/// # Errors
/// `INVALID_ARGUMENT` when a text is no text; INTERNAL when an entry cannot be sent.
pub fn to_metadata(entries: &[MetadataEntry]) -> Result<Metadata> {
    let mut metadata = Metadata::new();
    for entry in entries {
        if is_binary(entry) {
            metadata.append_bin(&entry.key, &entry.value)?;
        } else {
            metadata.append(&entry.key, text(entry)?)?;
        }
    }
    Ok(metadata)
}

/// The value of an entry whose name asks for text.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is none.
pub fn text(entry: &MetadataEntry) -> Result<&str> {
    std::str::from_utf8(&entry.value).map_err(Status::invalid_argument)
}

/// Whether the values of this entry's name are bytes.
pub fn is_binary(entry: &MetadataEntry) -> bool {
    entry.key.ends_with(BINARY)
}

/// The entries that the checks sent, those of one name in their order.
pub fn from_metadata(metadata: &Metadata) -> Vec<MetadataEntry> {
    let keyed = by_key(metadata).into_iter();
    keyed
        .flat_map(|(key, values)| {
            values.into_iter().map(move |value| MetadataEntry { key: key.clone(), value })
        })
        .collect()
}

/// The values of each name that the checks sent, in order; what order holds between names is nobody's business.
pub fn by_key(metadata: &Metadata) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut keys = BTreeMap::new();
    for (key, _) in metadata.iter().filter(|(key, _)| key.starts_with(OURS)) {
        keys.entry(key.to_owned()).or_insert_with(|| values(metadata, key));
    }
    keys
}

fn values(metadata: &Metadata, key: &str) -> Vec<Vec<u8>> {
    if key.ends_with(BINARY) {
        metadata.get_all_bin(key).collect()
    } else {
        metadata.get_all(key).map(|value| value.as_bytes().to_vec()).collect()
    }
}
