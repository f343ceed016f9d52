//! The two formats of the deflate algorithm (RFC 1951): `gzip` of RFC 1952 and, as HTTP calls it, `deflate` of RFC 1950.

use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use super::{Encoding, broken, cut_short, followed, grow, output, too_large};
use crate::status::{Result, Status};

/// The window of RFC 1951, 32 KiB, as a power of two.
const WINDOW_BITS: u8 = 15;

pub(super) fn gzip(plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    compress(Compress::new_gzip(Compression::default(), WINDOW_BITS), plain, out)
}

pub(super) fn gunzip(data: &[u8], limit: usize) -> Result<Bytes> {
    decompress(Encoding::Gzip, Decompress::new_gzip(WINDOW_BITS), data, limit)
}

#[cfg(feature = "compression")]
pub(super) fn deflate(plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    compress(Compress::new(Compression::default(), true), plain, out)
}

#[cfg(feature = "compression")]
pub(super) fn inflate(data: &[u8], limit: usize) -> Result<Bytes> {
    decompress(Encoding::Deflate, Decompress::new(true), data, limit)
}

fn compress(mut compressor: Compress, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
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

fn decompress(
    encoding: Encoding,
    mut decompressor: Decompress,
    data: &[u8],
    limit: usize,
) -> Result<Bytes> {
    let mut out = output(data.len(), limit);
    loop {
        let consumed = decompressor.total_in() as usize;
        let produced = out.len();
        let rest = data.get(consumed..).unwrap_or_default();
        let status = decompressor
            .decompress_vec(rest, &mut out, FlushDecompress::None)
            .map_err(|error| broken(encoding, &error))?;
        if out.len() > limit {
            return Err(too_large(limit));
        }
        if status == flate2::Status::StreamEnd {
            break;
        }
        if out.len() == out.capacity() {
            grow(&mut out, limit);
        } else if out.len() == produced && decompressor.total_in() as usize == consumed {
            return Err(cut_short(encoding, data.len()));
        }
    }
    let consumed = decompressor.total_in() as usize;
    if consumed != data.len() {
        return Err(followed(encoding, data.len() - consumed, "member"));
    }
    Ok(out.into())
}
