//! Header and trailer fields as they are on the wire: bytes, in order, repeated names allowed.
//!
//! [`Fields`] never judges what it holds and never changes case; whoever reads a list from a peer
//! checks it there.

use std::fmt;
use std::ops::Range;

/// What RFC 7541 section 4.1 and RFC 9113 section 6.5.2 add to each field's octets when a list is
/// measured.
pub(crate) const FIELD_OVERHEAD: usize = 32;

/// One field of a list, borrowed from where it is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name; lower case where HTTP/2 carries it.
    pub name: &'a [u8],
    /// The value, without surrounding whitespace.
    pub value: &'a [u8],
    /// A secret: a header compressor keeps it out of every table (RFC 7541 section 7.1.3).
    pub sensitive: bool,
}

impl<'a> Field<'a> {
    /// A field that is no secret.
    pub fn new(name: &'a [u8], value: &'a [u8]) -> Self {
        Self { name, value, sensitive: false }
    }

    /// Octets of the field by the measure of RFC 7541 section 4.1: name, value and 32.
    pub fn size(&self) -> usize {
        self.name.len() + self.value.len() + FIELD_OVERHEAD
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name.escape_ascii())?;
        if self.sensitive || is_secret_name(self.name) {
            write!(f, "({} octets)", self.value.len())
        } else {
            write!(f, "{}", self.value.escape_ascii())
        }
    }
}

/// Whether values under this name are credentials, which logs must not show.
fn is_secret_name(name: &[u8]) -> bool {
    const SECRET_NAMES: [&[u8]; 4] =
        [b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"];
    SECRET_NAMES.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// An ordered list of fields in one buffer: names and values are slices of it.
///
/// Cheap to build, to walk and to clone. A list holds less than 4 GiB.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

/// Where one field is in the buffer: the name at `start`, the value right behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    name_len: u32,
    value_len: u32,
    sensitive: bool,
}

impl Span {
    #[inline]
    fn name(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.name_len as usize
    }

    #[inline]
    fn value(self) -> Range<usize> {
        let start = self.start as usize + self.name_len as usize;
        start..start + self.value_len as usize
    }

    #[inline]
    fn whole(self) -> Range<usize> {
        self.name().start..self.value().end
    }
}

impl Fields {
    /// An empty list; allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty list with room for `fields` fields whose names and values together take `bytes`
    /// octets.
    pub fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), spans: Vec::with_capacity(fields) }
    }

    /// Appends a field.
    pub fn push(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.push_field(Field::new(name.as_ref(), value.as_ref()));
    }

    /// Appends a secret: it is never put in a compression table, and its value is not shown by
    /// `Debug`.
    pub fn push_sensitive(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.push_field(Field { name: name.as_ref(), value: value.as_ref(), sensitive: true });
    }

    /// Appends a copy of `field`.
    pub fn push_field(&mut self, field: Field<'_>) {
        let mark = self.mark();
        self.bytes.extend_from_slice(field.name);
        self.bytes.extend_from_slice(field.value);
        self.close_field(mark, field.name.len(), field.sensitive);
    }

    /// The value of the first field called `name` (compared exactly).
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// The values of all fields called `name` (compared exactly), in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &[u8]> + Clone {
        self.iter().filter(move |field| field.name == name.as_bytes()).map(|field| field.value)
    }

    /// The fields in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { bytes: &self.bytes, spans: self.spans.iter() }
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Removes all fields and keeps the allocation.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }

    /// Appends copies of all fields of `other`.
    pub fn extend(&mut self, other: &Fields) {
        let shift = narrow(self.bytes.len());
        self.bytes.extend_from_slice(&other.bytes);
        narrow(self.bytes.len());
        self.spans
            .extend(other.spans.iter().map(|span| Span { start: span.start + shift, ..*span }));
    }

    /// Removes all fields called `name` (compared exactly) and returns how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let before = self.spans.len();
        let bytes = &mut self.bytes;
        let mut removed = 0_u32;
        self.spans.retain_mut(|span| {
            span.start -= removed;
            let keep = bytes[span.name()] != *name.as_bytes();
            if !keep {
                removed += span.name_len + span.value_len;
                bytes.drain(span.whole());
            }
            keep
        });
        before - self.spans.len()
    }

    /// Octets of the list by the measure of RFC 9113 section 6.5.2: names, values and 32 for each
    /// field.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.spans.len() * FIELD_OVERHEAD
    }

    /// A copy of the last `count` fields, made in one piece.
    pub(crate) fn tail(&self, count: usize) -> Self {
        let spans = &self.spans[self.spans.len().saturating_sub(count)..];
        let Some(first) = spans.first() else { return Self::new() };
        let shift = first.start;
        Self {
            bytes: self.bytes[shift as usize..].to_vec(),
            spans: spans.iter().map(|span| Span { start: span.start - shift, ..*span }).collect(),
        }
    }

    /// The end of the buffer, where the octets of a field that is written piecewise begin.
    pub(crate) fn mark(&self) -> usize {
        self.bytes.len()
    }

    /// The buffer, to append the name and then the value of one field behind [`mark`](Self::mark).
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Makes a field of all octets from `mark` on.
    pub(crate) fn close_field(&mut self, mark: usize, name_len: usize, sensitive: bool) {
        // The end bounds the other two.
        let end = narrow(self.bytes.len());
        let (start, name_len) = (mark as u32, name_len as u32);
        let value_len = end - start - name_len;
        self.spans.push(Span { start, name_len, value_len, sensitive });
    }

    /// Drops the octets from `mark` on, of which no field was made.
    pub(crate) fn drop_field(&mut self, mark: usize) {
        self.bytes.truncate(mark);
    }
}

/// An offset in the buffer. Peers cannot come near the bound: every engine limits a list to far
/// less.
fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).expect("a list of fields holds less than 4 GiB")
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = Field<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut fields = Self::new();
        for (name, value) in pairs {
            fields.push(name, value);
        }
        fields
    }
}

/// The fields of a list, in order: [`Fields::iter`].
#[derive(Clone)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    spans: std::slice::Iter<'a, Span>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Field<'a>;

    // Inlined, as it is the whole body of loops that take a few nanoseconds per field.
    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        let span = *self.spans.next()?;
        let (name, value) = self.bytes[span.whole()].split_at(span.name_len as usize);
        Some(Field { name, value, sensitive: span.sensitive })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}
