//! Metadata, as the suite describes it: names with all their values; those of bytes are in Base64.

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use farcall::{Metadata, MetadataError, Value};

use crate::proto::connectrpc::conformance::v1::Header;

/// Written without padding, read with and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The end of a name whose values are bytes.
const BINARY: &str = "-bin";

/// Metadata of these headers.
///
/// # Errors
/// A name or a value cannot be sent.
pub fn to_metadata(headers: &[Header]) -> Result<Metadata, MetadataError> {
    let mut metadata = Metadata::new();
    for header in headers {
        for value in &header.value {
            match bytes(&header.name, value) {
                Some(bytes) => metadata.append_bin(&header.name, bytes)?,
                None => metadata.append(&header.name, value)?,
            }
        }
    }
    Ok(metadata)
}

/// The bytes of a value, when its name says that it is bytes.
pub fn bytes(name: &str, value: &str) -> Option<Vec<u8>> {
    let is_binary = name.to_ascii_lowercase().ends_with(BINARY);
    is_binary.then(|| BASE64.decode(value).ok()).flatten()
}

/// Headers of this metadata, the values of one name in their order.
pub fn from_metadata(metadata: &Metadata) -> Vec<Header> {
    let mut headers = BTreeMap::<&str, Vec<String>>::new();
    for (name, value) in metadata.iter() {
        headers.entry(name).or_default().push(match value {
            Value::Text(text) => text.to_owned(),
            Value::Binary(bytes) => BASE64.encode(bytes),
        });
    }
    headers.into_iter().map(|(name, value)| Header { name: name.to_owned(), value }).collect()
}
