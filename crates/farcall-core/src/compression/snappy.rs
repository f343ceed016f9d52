//! `snappy` in its framing format, which is what the Connect implementations take it for: a stream identifier and
//! chunks with checksums. Its end is that of the data, so nothing can follow it.

use std::io::Write;

use bytes::Bytes;
use snap::read::FrameDecoder;
use snap::write::FrameEncoder;

use super::{Encoding, read_within};
use crate::status::{Result, Status};

pub(super) fn compress(plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut encoder = FrameEncoder::new(out);
    encoder.write_all(plain).and_then(|()| encoder.flush()).map_err(Status::internal)
}

pub(super) fn decompress(data: &Bytes, limit: usize) -> Result<Bytes> {
    let mut decoder = FrameDecoder::new(&data[..]);
    read_within(Encoding::Snappy, &mut decoder, data.len(), limit).map(Into::into)
}
