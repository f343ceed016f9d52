//! Payloads whose order matters, so that lost, doubled and swapped bytes show.

use farcall::{Result, Status};

use crate::MAX_PAYLOAD;

/// Length of the cycle: a prime, so that it meets no boundary of a frame or a buffer twice in the same way.
const CYCLE: usize = 251;

/// `size` bytes of which byte i is (`start` + i) mod 251.
pub fn pattern(size: usize, start: usize) -> Vec<u8> {
    let cycle: Vec<u8> = (0..251).collect();
    cycle.iter().copied().cycle().skip(start % CYCLE).take(size).collect()
}

/// A size that a request names, as this machine counts.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is negative or above [`MAX_PAYLOAD`].
pub fn payload_size(asked: impl TryInto<usize>) -> Result<usize> {
    let size = asked.try_into().ok().filter(|size| *size <= MAX_PAYLOAD);
    size.ok_or_else(|| Status::invalid_argument(format!("a payload has 0 to {MAX_PAYLOAD} bytes")))
}
