//! `zstd`, RFC 8878: one frame per message.

use bytes::Bytes;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::compress_bound;

use super::{Encoding, broken, cut_short, followed, grow, output, too_large};
use crate::limits::ZSTD_WINDOW_LOG;
use crate::status::{Result, Status};

/// The level that the format's authors take for the best trade of speed for size.
const LEVEL: i32 = zstd::DEFAULT_COMPRESSION_LEVEL;

pub(super) fn compress(plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    out.resize(start + compress_bound(plain.len()), 0);
    let written = zstd::bulk::compress_to_buffer(plain, &mut out[start..], LEVEL)
        .map_err(Status::internal)?;
    out.truncate(start + written);
    Ok(())
}

pub(super) fn decompress(data: &Bytes, limit: usize) -> Result<Bytes> {
    let fail = |error: std::io::Error| broken(Encoding::Zstd, &error);
    let mut decoder = Decoder::new().map_err(fail)?;
    decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).map_err(fail)?;
    let mut out = output(data.len(), limit);
    let mut consumed = 0;
    loop {
        let len = out.len();
        if len == out.capacity() {
            grow(&mut out, limit);
        }
        out.resize(out.capacity(), 0);
        let mut input = InBuffer::around(&data[consumed..]);
        let mut room = OutBuffer::around(&mut out[len..]);
        let hint = decoder.run(&mut input, &mut room).map_err(fail)?;
        let (read, produced) = (input.pos(), room.pos());
        consumed += read;
        out.truncate(len + produced);
        if out.len() > limit {
            return Err(too_large(limit));
        }
        if hint == 0 {
            break;
        }
        if read == 0 && produced == 0 {
            return Err(cut_short(Encoding::Zstd, data.len()));
        }
    }
    if consumed != data.len() {
        return Err(followed(Encoding::Zstd, data.len() - consumed, "frame"));
    }
    Ok(out.into())
}
