//! Metadata on the command line: `-H 'name: value'`, and how what came is shown.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use farcall::{Metadata, Pending, Value};

/// Metadata that every call of the command carries, reflection as well: a server may ask who is there before it says
/// anything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers(Vec<Header>);

/// Base64 with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    name: String,
    value: HeaderValue,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HeaderValue {
    Text(String),
    Bytes(Vec<u8>),
}

impl Headers {
    pub(crate) fn new(headers: Vec<Header>) -> Self {
        Self(headers)
    }

    /// The call with all of them.
    pub(crate) fn add_to<T>(&self, call: Pending<T>) -> Pending<T> {
        self.0.iter().fold(call, |call, header| match &header.value {
            HeaderValue::Text(value) => call.metadata(&header.name, value),
            HeaderValue::Bytes(value) => call.metadata_bin(&header.name, value),
        })
    }
}

/// Reads `name: value`; the value of a name that ends in `-bin` is base64.
///
/// # Errors
/// What was expected, for people.
pub(crate) fn parse(text: &str) -> Result<Header, String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    let mut probe = Metadata::new();
    let value = if name.ends_with("-bin") {
        let bytes = LENIENT.decode(value).map_err(|_| "the value of a name in -bin is base64")?;
        probe.append_bin(&name, &bytes).map_err(|error| error.to_string())?;
        HeaderValue::Bytes(bytes)
    } else {
        probe.append(&name, value).map_err(|error| error.to_string())?;
        HeaderValue::Text(value.to_owned())
    };
    Ok(Header { name, value })
}

/// One line for each value; bytes as base64.
pub(crate) fn lines(metadata: &Metadata) -> String {
    let mut text = String::new();
    for (name, value) in metadata.iter() {
        let value = match value {
            Value::Text(value) => value.escape_debug().to_string(),
            Value::Binary(value) => STANDARD.encode(value),
        };
        let _ = writeln!(text, "{name}: {value}");
    }
    text
}

/// Base64 with padding, for what has no text.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_told_apart_and_checked() {
        let header = parse("Tenant:  acme: north ").unwrap();
        assert_eq!(header.name, "tenant");
        assert_eq!(header.value, HeaderValue::Text("acme: north".to_owned()));
        for text in ["key-bin: AP8=", "key-bin: AP8"] {
            assert_eq!(parse(text).unwrap().value, HeaderValue::Bytes(vec![0, 255]), "{text}");
        }
        for text in ["tenant", "a b: c", "grpc-status: 0", "key-bin: ?", "a: \u{1}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
