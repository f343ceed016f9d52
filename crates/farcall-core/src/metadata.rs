//! Names and values that travel beside the messages of a call.
//!
//! An ordered multimap. A name that ends in `-bin` carries bytes, which are Base64 on the wire; every other name carries
//! printable ASCII. Names are lower case; a name given in upper case is lowered. The names that a protocol uses for
//! itself can neither be written nor seen here.

use std::borrow::Cow;
use std::fmt;

use farcall_wire::fields::{Field, Fields};

use crate::base64;
use crate::protocol::is_reserved;
use crate::status::Status;

/// The end of a name whose values are bytes.
const BINARY_SUFFIX: &str = "-bin";

/// Names and values that travel beside the messages of a call, in order, names repeated at will.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    fields: Fields,
}

impl Metadata {
    /// No entry; allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What came from a peer: kept as it is, the protocol's own fields out of sight.
    pub(crate) fn received(fields: Fields) -> Self {
        Self { fields }
    }

    /// Adds a text value. Spaces around it are dropped, as HTTP does not carry them.
    ///
    /// # Errors
    /// The name is not of `0-9 a-z _ - .`, is reserved or ends in `-bin`; the value is not printable ASCII.
    pub fn append(
        &mut self,
        name: impl AsRef<str>,
        value: impl AsRef<str>,
    ) -> Result<(), MetadataError> {
        let (name, value) = check_text(name.as_ref(), value.as_ref())?;
        self.fields.push(name.as_bytes(), value);
        Ok(())
    }

    /// Like [`append`](Self::append), for a secret: header compression keeps no copy of it, and no log shows it.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_sensitive(
        &mut self,
        name: impl AsRef<str>,
        value: impl AsRef<str>,
    ) -> Result<(), MetadataError> {
        let (name, value) = check_text(name.as_ref(), value.as_ref())?;
        self.fields.push_sensitive(name.as_bytes(), value);
        Ok(())
    }

    /// Adds bytes under a name that ends in `-bin`.
    ///
    /// # Errors
    /// The name is not of `0-9 a-z _ - .`, is reserved or does not end in `-bin`.
    pub fn append_bin(
        &mut self,
        name: impl AsRef<str>,
        value: impl AsRef<[u8]>,
    ) -> Result<(), MetadataError> {
        let name = check_name(name.as_ref())?;
        if !is_binary(name.as_bytes()) {
            return Err(MetadataError::NotBinary(name.into_owned()));
        }
        self.fields.push(name.as_bytes(), base64::encode(value.as_ref()));
        Ok(())
    }

    /// Replaces all text values of a name by one.
    ///
    /// # Errors
    /// As [`append`](Self::append); nothing is replaced then.
    pub fn insert(
        &mut self,
        name: impl AsRef<str>,
        value: impl AsRef<str>,
    ) -> Result<(), MetadataError> {
        let (name, value) = check_text(name.as_ref(), value.as_ref())?;
        self.fields.remove(&name);
        self.fields.push(name.as_bytes(), value);
        Ok(())
    }

    /// Replaces all values of a name that ends in `-bin` by one.
    ///
    /// # Errors
    /// As [`append_bin`](Self::append_bin); nothing is replaced then.
    pub fn insert_bin(
        &mut self,
        name: impl AsRef<str>,
        value: impl AsRef<[u8]>,
    ) -> Result<(), MetadataError> {
        let mut added = Self::new();
        added.append_bin(name.as_ref(), value)?;
        self.remove(name);
        self.extend(&added);
        Ok(())
    }

    /// Removes all values of a name and returns how many fields that were.
    pub fn remove(&mut self, name: impl AsRef<str>) -> usize {
        let name = lower(name.as_ref());
        if is_reserved(name.as_bytes()) { 0 } else { self.fields.remove(&name) }
    }

    /// The first text value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// The text values of a name, in order. Values that are not printable ASCII are left out.
    pub fn get_all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let named = self.named(name).filter(|field| !is_binary(field.name));
        named.filter_map(|field| text(field.value))
    }

    /// The first value of a name that ends in `-bin`.
    pub fn get_bin(&self, name: &str) -> Option<Vec<u8>> {
        self.get_all_bin(name).next()
    }

    /// The values of a name that ends in `-bin`, in order, also those that a proxy joined with commas. Values that are
    /// not Base64, padded or not, are left out.
    pub fn get_all_bin(&self, name: &str) -> impl Iterator<Item = Vec<u8>> {
        let named = self.named(name).filter(|field| is_binary(field.name));
        named.flat_map(pieces).filter_map(base64::decode)
    }

    /// Whether the name has a value.
    pub fn contains(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    /// All entries in order. Values that neither [`get`](Self::get) nor [`get_bin`](Self::get_bin) would return are left
    /// out.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.visible().flat_map(|field| {
            let name = std::str::from_utf8(field.name).unwrap_or_default();
            pieces(field).filter_map(move |piece| Some((name, Value::read(field.name, piece)?)))
        })
    }

    /// The number of fields, which is the number of entries unless a peer joined or spoilt some.
    pub fn len(&self) -> usize {
        self.visible().count()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() || self.visible().next().is_none()
    }

    /// Appends all entries of `other`.
    pub fn extend(&mut self, other: &Self) {
        other.emit(&mut self.fields);
    }

    /// Appends all entries as they are on the wire; values that a peer sent go out as they came.
    pub(crate) fn emit(&self, into: &mut Fields) {
        for field in self.visible() {
            into.push_field(field);
        }
    }

    /// Bytes of names and values, to size a list that will hold them.
    pub(crate) fn wire_size(&self) -> usize {
        self.fields.size()
    }

    fn visible(&self) -> impl Iterator<Item = Field<'_>> {
        self.fields.iter().filter(|field| !is_reserved(field.name))
    }

    fn named<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = Field<'a>> + use<'a, 'n> {
        self.visible().filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.visible()).finish()
    }
}

/// A value of [`Metadata`], as its name's ending tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Printable ASCII.
    Text(&'a str),
    /// The bytes of a name that ends in `-bin`.
    Binary(Vec<u8>),
}

impl<'a> Value<'a> {
    fn read(name: &[u8], piece: &'a [u8]) -> Option<Self> {
        if is_binary(name) {
            base64::decode(piece).map(Self::Binary)
        } else {
            text(piece).map(Self::Text)
        }
    }
}

/// What cannot be sent as metadata, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataError {
    /// The name is empty or holds something else than `0-9 a-z _ - .`.
    Name(String),
    /// The name belongs to the protocol.
    Reserved(String),
    /// A text was given for a name that ends in `-bin`.
    Binary(String),
    /// Bytes were given for a name that does not end in `-bin`.
    NotBinary(String),
    /// The value for this name is not printable ASCII.
    Value(String),
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => {
                write!(f, "metadata name {name:?}: expected letters, digits, '_', '-' and '.' only")
            }
            Self::Reserved(name) => {
                write!(f, "metadata name {name:?} is reserved for the protocol")
            }
            Self::Binary(name) => {
                write!(f, "metadata name {name:?} ends in \"-bin\": expected bytes, got text")
            }
            Self::NotBinary(name) => write!(
                f,
                "metadata name {name:?} does not end in \"-bin\": expected text, got bytes"
            ),
            Self::Value(name) => {
                write!(
                    f,
                    "metadata value of {name:?}: expected printable ASCII (other bytes need a name that ends in \"-bin\")"
                )
            }
        }
    }
}

impl std::error::Error for MetadataError {}

impl From<MetadataError> for Status {
    fn from(error: MetadataError) -> Self {
        Self::internal(error)
    }
}

/// Whether values of this name are Base64 on the wire.
pub(crate) fn is_binary(name: &[u8]) -> bool {
    name.ends_with(BINARY_SUFFIX.as_bytes())
}

/// The values in one field: a proxy may join values of a binary name with commas, which are not in the Base64 alphabet.
pub(crate) fn pieces(field: Field<'_>) -> impl Iterator<Item = &[u8]> {
    let binary = is_binary(field.name);
    field
        .value
        .split(move |byte| binary && *byte == b',')
        .map(move |piece| if binary { piece.trim_ascii() } else { piece })
}

fn check_text<'n, 'v>(
    name: &'n str,
    value: &'v str,
) -> Result<(Cow<'n, str>, &'v str), MetadataError> {
    let name = check_name(name)?;
    if is_binary(name.as_bytes()) {
        return Err(MetadataError::Binary(name.into_owned()));
    }
    let value = value.trim_matches([' ', '\t']);
    if text(value.as_bytes()).is_none() {
        return Err(MetadataError::Value(name.into_owned()));
    }
    Ok((name, value))
}

fn check_name(name: &str) -> Result<Cow<'_, str>, MetadataError> {
    let name = lower(name);
    if is_reserved(name.as_bytes()) {
        return Err(MetadataError::Reserved(name.into_owned()));
    }
    let legal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'_' | b'-' | b'.');
    if name.is_empty() || !name.bytes().all(legal) {
        return Err(MetadataError::Name(name.into_owned()));
    }
    Ok(name)
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// The value as text when it is printable ASCII, which is also all that may be sent: what is read can be echoed.
fn text(value: &[u8]) -> Option<&str> {
    if !value.iter().all(|byte| (0x20..=0x7e).contains(byte)) {
        return None;
    }
    std::str::from_utf8(value).ok()
}
