//! `br`, RFC 7932.

use brotli::enc::BrotliEncoderParams;
use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use bytes::Bytes;

use super::{Encoding, broken, cut_short, followed, grow, output, too_large};
use crate::status::{Result, Status};

/// Fast enough for an answer that somebody waits for; the best levels are for files that are compressed once.
const QUALITY: i32 = 4;

pub(super) fn compress(plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let parameters =
        BrotliEncoderParams { quality: QUALITY, size_hint: plain.len(), ..Default::default() };
    let mut plain = plain;
    brotli::BrotliCompress(&mut plain, out, &parameters).map_err(Status::internal)?;
    Ok(())
}

pub(super) fn decompress(data: &Bytes, limit: usize) -> Result<Bytes> {
    let mut state = BrotliState::new(
        StandardAlloc::default(),
        StandardAlloc::default(),
        StandardAlloc::default(),
    );
    let mut out = output(data.len(), limit);
    let (mut unread, mut consumed, mut total) = (data.len(), 0, 0);
    loop {
        let len = out.len();
        if len == out.capacity() {
            grow(&mut out, limit);
        }
        out.resize(out.capacity(), 0);
        let (mut room, mut produced) = (out.len() - len, 0);
        let result = BrotliDecompressStream(
            &mut unread,
            &mut consumed,
            data,
            &mut room,
            &mut produced,
            &mut out[len..],
            &mut total,
            &mut state,
        );
        out.truncate(len + produced);
        if out.len() > limit {
            return Err(too_large(limit));
        }
        match result {
            BrotliResult::ResultSuccess if unread > 0 => {
                return Err(followed(Encoding::Br, unread, "stream"));
            }
            BrotliResult::ResultSuccess => return Ok(out.into()),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput => return Err(cut_short(Encoding::Br, data.len())),
            BrotliResult::ResultFailure => {
                return Err(broken(Encoding::Br, &format_args!("at byte {consumed}")));
            }
        }
    }
}
