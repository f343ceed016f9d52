//! Why a header block cannot be decoded.

use std::fmt;

/// A header block's coding is broken. The table may no longer follow the peer's, therefore every
/// error ends the connection with `COMPRESSION_ERROR` (RFC 9113 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The block ends inside a field or a table size update.
    Truncated,
    /// An integer takes more than five octets (RFC 7541 section 5.1 lets a decoder set this bound).
    IntegerTooLong,
    /// An index of zero, or one behind the last table entry (RFC 7541 sections 2.3.3 and 6.1).
    Index {
        /// The index that came.
        got: u32,
        /// The last index that was valid.
        last: u32,
    },
    /// A Huffman-coded string holds EOS, or its padding is too long or not all ones (RFC 7541
    /// section 5.2).
    Huffman,
    /// A table size update above what SETTINGS allow (RFC 7541 section 6.3).
    TableSizeAboveLimit {
        /// The size that came, in octets.
        got: u32,
        /// The size that SETTINGS allow, in octets.
        limit: u32,
    },
    /// A table size update behind a field, or a third one in a block (RFC 7541 section 4.2).
    TableSizeUpdateMisplaced,
    /// SETTINGS made the table smaller, and the next block did not begin with a table size update
    /// (RFC 7541 section 4.2).
    TableSizeUpdateMissing,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("header block ends inside a field"),
            Self::IntegerTooLong => f.write_str("HPACK integer longer than five octets"),
            Self::Index { got, last } => write!(f, "HPACK index {got}, expected 1 to {last}"),
            Self::Huffman => f.write_str("Huffman code holds EOS or bad padding"),
            Self::TableSizeAboveLimit { got, limit } => {
                write!(f, "HPACK table size update to {got} octets, expected at most {limit}")
            }
            Self::TableSizeUpdateMisplaced => {
                f.write_str("HPACK table size update not at the begin of a block")
            }
            Self::TableSizeUpdateMissing => {
                f.write_str("no HPACK table size update after SETTINGS made the table smaller")
            }
        }
    }
}

impl std::error::Error for Error {}
