//! How the bytes of a message are compressed.
//!
//! Compression is per message: no state is kept between two. Decompression is bounded while it runs, not afterwards.

use std::fmt;

use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

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
}

/// The window of RFC 1951, 32 KiB, as a power of two.
const WINDOW_BITS: u8 = 15;

/// The first output buffer for a message of unknown size, and the most by which a guess may be off.
const FIRST_OUTPUT: usize = 4 * 1024;

impl Encoding {
    /// All that are supported.
    pub const ALL: [Self; 2] = [Self::Identity, Self::Gzip];

    /// The name on the wire: `identity`, `gzip`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
        }
    }

    /// The encoding of that name; none when it is not supported.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.name().as_bytes() == name)
    }

    /// Appends `plain`, compressed, to `out`.
    ///
    /// # Errors
    /// `INTERNAL` when the compressor fails, which it has no reason to.
    pub fn compress(self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Identity => out.extend_from_slice(plain),
            Self::Gzip => gzip(plain, out)?,
        }
        Ok(())
    }

    /// Decompresses one message; no byte in is no byte out.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` as soon as more than `limit` bytes come out, `INTERNAL` when the data is broken, cut short or
    /// followed by more.
    pub fn decompress(self, data: &Bytes, limit: usize) -> Result<Bytes> {
        match self {
            Self::Identity => Ok(data.clone()),
            Self::Gzip if data.is_empty() => Ok(Bytes::new()),
            Self::Gzip => gunzip(data, limit),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn gzip(plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut compressor = Compress::new_gzip(Compression::default(), WINDOW_BITS);
    loop {
        let consumed = compressor.total_in() as usize;
        let rest = plain.get(consumed..).unwrap_or_default();
        out.reserve(rest.len() / 2 + 64);
        let status =
            compressor.compress_vec(rest, out, FlushCompress::Finish).map_err(Status::internal)?;
        if status == flate2::Status::StreamEnd {
            return Ok(());
        }
    }
}

fn gunzip(data: &[u8], limit: usize) -> Result<Bytes> {
    let mut decompressor = Decompress::new_gzip(WINDOW_BITS);
    let ceiling = limit.saturating_add(1);
    let mut out = Vec::with_capacity(
        data.len().saturating_mul(2).clamp(FIRST_OUTPUT, FIRST_OUTPUT.max(ceiling)).min(ceiling),
    );
    loop {
        let consumed = decompressor.total_in() as usize;
        let produced = out.len();
        let rest = data.get(consumed..).unwrap_or_default();
        let status = decompressor
            .decompress_vec(rest, &mut out, FlushDecompress::None)
            .map_err(|error| broken(&error))?;
        if out.len() > limit {
            return Err(Status::resource_exhausted(format!(
                "decompressed message has more than {limit} bytes, the limit"
            )));
        }
        if status == flate2::Status::StreamEnd {
            break;
        }
        if out.len() == out.capacity() {
            out.reserve_exact(out.len().max(1).min(ceiling - out.len()));
        } else if out.len() == produced && decompressor.total_in() as usize == consumed {
            return Err(Status::internal(format!(
                "gzip data ends after {} bytes, before its end mark",
                data.len()
            )));
        }
    }
    let consumed = decompressor.total_in() as usize;
    if consumed != data.len() {
        let extra = data.len() - consumed;
        return Err(Status::internal(format!(
            "{extra} bytes follow the end of the gzip data; expected one member alone"
        )));
    }
    Ok(out.into())
}

#[cold]
fn broken(error: &flate2::DecompressError) -> Status {
    Status::internal(format!("broken gzip data: {error}"))
}

/// A set of encodings: what a peer says it can read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Encodings(u8);

impl Encodings {
    /// Nothing but uncompressed messages, which everybody reads.
    pub const IDENTITY: Self = Self(1 << Encoding::Identity as u8);

    /// The supported ones of a comma-separated list; unknown names are skipped.
    pub fn from_list(list: &[u8]) -> Self {
        let names = list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        names.filter_map(Encoding::from_name).fold(Self::IDENTITY, Self::with)
    }

    /// The set with one more.
    #[must_use]
    pub fn with(self, encoding: Encoding) -> Self {
        Self(self.0 | 1 << encoding as u8)
    }

    /// The set of what is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the encoding is in the set.
    pub fn contains(self, encoding: Encoding) -> bool {
        self.0 & 1 << encoding as u8 != 0
    }

    /// The encodings in the set.
    pub fn iter(self) -> impl Iterator<Item = Encoding> {
        Encoding::ALL.into_iter().filter(move |encoding| self.contains(*encoding))
    }
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
