//! `snappy` in its framing format, which is what the Connect implementations take it for: a stream identifier and
//! chunks with checksums. Its end is that of the data, so nothing can follow it.

use std::io::{Read, Write};

use bytes::Bytes;
use snap::read::FrameDecoder;
use snap::write::FrameEncoder;

use super::{Encoding, broken, grow, output, too_large};
use crate::status::{Result, Status};

pub(super) fn compress(plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut encoder = FrameEncoder::new(out);
    encoder.write_all(plain).and_then(|()| encoder.flush()).map_err(Status::internal)
}

pub(super) fn decompress(data: &Bytes, limit: usize) -> Result<Bytes> {
    let mut decoder = FrameDecoder::new(&data[..]);
    let mut out = output(data.len(), limit);
    loop {
        let len = out.len();
        if len == out.capacity() {
            grow(&mut out, limit);
        }
        out.resize(out.capacity(), 0);
        let read =
            decoder.read(&mut out[len..]).map_err(|error| broken(Encoding::Snappy, &error))?;
        out.truncate(len + read);
        if out.len() > limit {
            return Err(too_large(limit));
        }
        if read == 0 {
            return Ok(out.into());
        }
    }
}
