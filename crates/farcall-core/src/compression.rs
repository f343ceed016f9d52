//! How the bytes of a message are compressed.
//!
//! Compression is per message: no state is kept between two. Decompression is bounded while it runs, not afterwards.

#[cfg(feature = "compression")]
mod brotli;
mod flate;
#[cfg(feature = "compression")]
mod snappy;
#[cfg(feature = "compression")]
mod zstd;

use std::fmt;

use bytes::Bytes;

use crate::status::{Result, Status};

/// A way to compress a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Encoding {
    /// Not at all.
    #[default]
    Identity = 0,
    /// RFC 1952.
    Gzip = 1,
    /// RFC 8878.
    #[cfg(feature = "compression")]
    Zstd = 2,
    /// RFC 7932.
    #[cfg(feature = "compression")]
    Br = 3,
    /// RFC 1950, as RFC 9110 section 8.4.1.2 has it.
    #[cfg(feature = "compression")]
    Deflate = 4,
    /// Snappy's framing format.
    #[cfg(feature = "compression")]
    Snappy = 5,
}

/// The encodings as they are told to a peer, the most preferred first.
#[cfg(not(feature = "compression"))]
pub(crate) const ACCEPTED: &str = "gzip";
/// The encodings as they are told to a peer, the most preferred first.
#[cfg(feature = "compression")]
pub(crate) const ACCEPTED: &str = "zstd,gzip,br,deflate,snappy";

/// The same where no compression is listed too.
#[cfg(not(feature = "compression"))]
pub(crate) const ACCEPTED_OR_IDENTITY: &str = "identity,gzip";
/// The same where no compression is listed too.
#[cfg(feature = "compression")]
pub(crate) const ACCEPTED_OR_IDENTITY: &str = "identity,zstd,gzip,br,deflate,snappy";

impl Encoding {
    /// All that are supported: `gzip` always, the others with the feature `compression`. In the order of preference, but
    /// for the first, which is none.
    #[cfg(not(feature = "compression"))]
    pub const ALL: &'static [Self] = &[Self::Identity, Self::Gzip];
    /// All that are supported: `gzip` always, the others with the feature `compression`. In the order of preference, but
    /// for the first, which is none.
    #[cfg(feature = "compression")]
    pub const ALL: &'static [Self] =
        &[Self::Identity, Self::Zstd, Self::Gzip, Self::Br, Self::Deflate, Self::Snappy];

    /// The name on the wire: `identity`, `gzip`, `zstd`, `br`, `deflate`, `snappy`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            #[cfg(feature = "compression")]
            Self::Zstd => "zstd",
            #[cfg(feature = "compression")]
            Self::Br => "br",
            #[cfg(feature = "compression")]
            Self::Deflate => "deflate",
            #[cfg(feature = "compression")]
            Self::Snappy => "snappy",
        }
    }

    /// The encoding of that name; none when it is not supported.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"identity" => Self::Identity,
            b"gzip" => Self::Gzip,
            #[cfg(feature = "compression")]
            b"zstd" => Self::Zstd,
            #[cfg(feature = "compression")]
            b"br" => Self::Br,
            #[cfg(feature = "compression")]
            b"deflate" => Self::Deflate,
            #[cfg(feature = "compression")]
            b"snappy" => Self::Snappy,
            _ => return None,
        })
    }

    /// Appends `plain`, compressed, to `out`.
    ///
    /// # Errors
    /// `INTERNAL` when the compressor fails, which it has no reason to.
    pub fn compress(self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Identity => {
                out.extend_from_slice(plain);
                Ok(())
            }
            Self::Gzip => flate::gzip(plain, out),
            #[cfg(feature = "compression")]
            Self::Zstd => zstd::compress(plain, out),
            #[cfg(feature = "compression")]
            Self::Br => brotli::compress(plain, out),
            #[cfg(feature = "compression")]
            Self::Deflate => flate::deflate(plain, out),
            #[cfg(feature = "compression")]
            Self::Snappy => snappy::compress(plain, out),
        }
    }

    /// Decompresses one message; no byte in is no byte out.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` as soon as more than `limit` bytes come out, `INTERNAL` when the data is broken, cut short or
    /// followed by more.
    pub fn decompress(self, data: &Bytes, limit: usize) -> Result<Bytes> {
        if data.is_empty() {
            return Ok(Bytes::new());
        }
        match self {
            Self::Identity => Ok(data.clone()),
            Self::Gzip => flate::gunzip(data, limit),
            #[cfg(feature = "compression")]
            Self::Zstd => zstd::decompress(data, limit),
            #[cfg(feature = "compression")]
            Self::Br => brotli::decompress(data, limit),
            #[cfg(feature = "compression")]
            Self::Deflate => flate::inflate(data, limit),
            #[cfg(feature = "compression")]
            Self::Snappy => snappy::decompress(data, limit),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The first output buffer for a message of unknown size, and the most by which a guess may be off.
const FIRST_OUTPUT: usize = 4 * 1024;

/// A buffer for what comes out of `compressed` bytes: it never has more room than one byte above the limit.
fn output(compressed: usize, limit: usize) -> Vec<u8> {
    let ceiling = limit.saturating_add(1);
    let guess = compressed.saturating_mul(2).clamp(FIRST_OUTPUT, FIRST_OUTPUT.max(ceiling));
    Vec::with_capacity(guess.min(ceiling))
}

/// Gives a full buffer more room: twice as much, but no more than one byte above the limit.
fn grow(out: &mut Vec<u8>, limit: usize) {
    let ceiling = limit.saturating_add(1);
    out.reserve_exact(out.len().max(1).min(ceiling.saturating_sub(out.len())));
}

#[cold]
fn too_large(limit: usize) -> Status {
    Status::resource_exhausted(format!(
        "decompressed message has more than {limit} bytes, the limit"
    ))
}

#[cold]
fn broken(encoding: Encoding, error: &dyn fmt::Display) -> Status {
    Status::internal(format!("broken {encoding} data: {error}"))
}

#[cold]
fn cut_short(encoding: Encoding, len: usize) -> Status {
    Status::internal(format!("{encoding} data ends after {len} bytes, before its end mark"))
}

#[cold]
fn followed(encoding: Encoding, extra: usize, whole: &str) -> Status {
    Status::internal(format!(
        "{extra} bytes follow the end of the {encoding} data; expected one {whole} alone"
    ))
}

/// A set of encodings: what a peer says it can read, and what it likes best.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Encodings {
    set: u8,
    /// The one that was named first; none when no compression is in the set.
    preferred: Encoding,
}

impl Encodings {
    /// Nothing but uncompressed messages, which everybody reads.
    pub const IDENTITY: Self =
        Self { set: 1 << Encoding::Identity as u8, preferred: Encoding::Identity };

    /// All that are supported, in the order of preference.
    pub const ALL: Self =
        Self { set: ((1_u16 << Encoding::ALL.len()) - 1) as u8, preferred: Encoding::ALL[1] };

    /// The supported ones of a comma-separated list; unknown names are skipped, and so is what a quality of zero
    /// (RFC 9110 section 12.4.2) rules out. Other qualities are overlooked: the order of the list counts.
    pub fn from_list(list: &[u8]) -> Self {
        // What this library itself says, and so every peer of its kind.
        if list == ACCEPTED_OR_IDENTITY.as_bytes() {
            return Self::ALL;
        }
        let (mut encodings, mut rest) = (Self::IDENTITY, Some(list));
        while let Some(list) = rest {
            let comma = list.iter().position(|byte| *byte == b',');
            let element = comma.map_or(list, |comma| &list[..comma]).trim_ascii();
            rest = comma.map(|comma| &list[comma + 1..]);
            // Few have parameters.
            let named = Encoding::from_name(element).or_else(|| acceptable(element));
            if let Some(encoding) = named {
                encodings = encodings.with(encoding);
            }
        }
        encodings
    }

    /// The set with one more, liked less than those that are in it.
    #[must_use]
    pub fn with(self, encoding: Encoding) -> Self {
        let preferred =
            if self.preferred == Encoding::Identity { encoding } else { self.preferred };
        Self { set: self.set | 1 << encoding as u8, preferred }
    }

    /// The set of what is in either; what is in `other` is liked less.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { set: self.set | other.set, ..self.with(other.preferred) }
    }

    /// Whether the encoding is in the set.
    pub fn contains(self, encoding: Encoding) -> bool {
        self.set & 1 << encoding as u8 != 0
    }

    /// The compression that was named first; none when none was.
    pub fn preferred(self) -> Encoding {
        self.preferred
    }

    /// The encodings in the set.
    pub fn iter(self) -> impl Iterator<Item = Encoding> {
        Encoding::ALL.iter().copied().filter(move |encoding| self.contains(*encoding))
    }
}

/// The encoding of an element with parameters, unless its quality is zero.
#[cold]
fn acceptable(element: &[u8]) -> Option<Encoding> {
    let mut parts = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let encoding = parts.next().and_then(Encoding::from_name)?;
    let refused = parts.any(|part| {
        part.strip_prefix(b"q=").is_some_and(|quality| quality.iter().all(|b| b"0.".contains(b)))
    });
    (!refused).then_some(encoding)
}

impl Default for Encodings {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl fmt::Debug for Encodings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_for_a_peer_name_all_encodings_in_their_order() {
        let names: Vec<_> = Encoding::ALL.iter().map(|encoding| encoding.name()).collect();
        assert_eq!(names.join(","), ACCEPTED_OR_IDENTITY);
        assert_eq!(names[1..].join(","), ACCEPTED);
        let listed = ACCEPTED.split(',').filter_map(|name| Encoding::from_name(name.as_bytes()));
        assert_eq!(listed.fold(Encodings::IDENTITY, Encodings::with), Encodings::ALL);
        for encoding in Encoding::ALL {
            assert_eq!(Encoding::from_name(encoding.name().as_bytes()), Some(*encoding));
        }
    }
}
