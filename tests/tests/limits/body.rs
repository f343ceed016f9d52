//! Messages by hand: of an exact size, compressed by an exact window, nested to an exact depth.

use farcall::Codec;

/// A message of one long field that nobody knows, so that it means nothing whatever its size.
pub(crate) struct Padding {
    front: Vec<u8>,
    fill: u8,
    count: usize,
    back: &'static [u8],
}

impl Padding {
    /// One of exactly `size` bytes.
    pub(crate) fn new(codec: Codec, size: usize) -> Self {
        let (front, fill, back) = match codec {
            Codec::Json => (br#"{"x":""#.to_vec(), b'a', &br#""}"#[..]),
            Codec::Proto => {
                let mut front = vec![0x7a];
                let digits = varint(size).len();
                let inner = size - 1 - digits;
                front.extend(varint_of(inner, digits));
                (front, 0, &b""[..])
            }
        };
        let count = size - front.len() - back.len();
        Self { front, fill, count, back }
    }

    pub(crate) fn plain(&self) -> Vec<u8> {
        [&self.front, &vec![self.fill; self.count], self.back].concat()
    }

    /// As a zstd frame (RFC 8878 section 3.1.1) whose window has the size that `descriptor` says.
    pub(crate) fn zstd(&self, descriptor: u8) -> Vec<u8> {
        // The magic number, and a header without a content size.
        let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0, descriptor];
        block(&mut out, 0, self.front.len(), &self.front, false);
        let mut left = self.count;
        while left > 0 {
            // 128 KiB are the most that a block has.
            let size = left.min(128 * 1024);
            block(&mut out, 1, size, &[self.fill], false);
            left -= size;
        }
        block(&mut out, 0, self.back.len(), self.back, true);
        out
    }
}

/// A block of a zstd frame: 0 for bytes as they are, 1 for one byte over and over.
fn block(out: &mut Vec<u8>, kind: u8, size: usize, bytes: &[u8], last: bool) {
    let header = (size as u32) << 3 | u32::from(kind) << 1 | u32::from(last);
    out.extend_from_slice(&header.to_le_bytes()[..3]);
    out.extend_from_slice(bytes);
}

/// What a zstd window of 8 MiB is called: ten bits less than its logarithm.
pub(crate) fn window_descriptor(size: usize) -> u8 {
    assert!(size.is_power_of_two());
    (size.ilog2() as u8 - 10) << 3
}

/// A number as protobuf writes it.
pub(crate) fn varint(number: usize) -> Vec<u8> {
    let digits = (usize::BITS - number.leading_zeros()).div_ceil(7).max(1);
    varint_of(number, digits as usize)
}

/// The same in so many bytes.
fn varint_of(number: usize, digits: usize) -> Vec<u8> {
    (0..digits)
        .map(|at| (number >> (7 * at)) as u8 & 0x7f | u8::from(at + 1 < digits) << 7)
        .collect()
}

/// A field of bytes, its number below 16.
pub(crate) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(bytes.len()), bytes].concat()
}

/// A message with so many levels below it that nobody knows.
pub(crate) fn nested(codec: Codec, levels: usize) -> Vec<u8> {
    match codec {
        // Groups of field 15 within one another.
        Codec::Proto => [vec![0x7b; levels], vec![0x7c; levels]].concat(),
        Codec::Json => format!(r#"{{"x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels)).into(),
    }
}

/// Base64 without padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for piece in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=piece.len()].copy_from_slice(piece);
        let group = u32::from_be_bytes(group);
        for digit in 0..=piece.len() {
            out.push(char::from(DIGITS[(group >> (18 - 6 * digit)) as usize & 63]));
        }
    }
    out
}
