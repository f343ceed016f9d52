//! `grpc-timeout`: up to eight digits and a unit.

use std::time::Duration;

use crate::deadline::MAX_TIMEOUT;

/// More digits than these are malformed.
const MAX_DIGITS: usize = 8;
/// The largest value that eight digits hold.
const MAX_VALUE: u128 = 99_999_999;

/// The units with their nanoseconds, finest first.
const UNITS: [(u8, u128); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

/// Reads a timeout, cut to one year; none when it is malformed. Zero is read, and has passed.
pub(super) fn parse(text: &[u8]) -> Option<Duration> {
    let (unit, digits) = text.split_last()?;
    let (_, nanos) = UNITS.into_iter().find(|(name, _)| name == unit)?;
    if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Eight digits times an hour of nanoseconds is below 2^70.
    let value = digits.iter().fold(0, |value, digit| value * 10 + u128::from(digit - b'0'));
    let nanos = (value * nanos).min(MAX_TIMEOUT.as_nanos());
    Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

/// Writes a timeout in the finest unit that it fits, rounded up: what is left is never told as less, and never as zero.
pub(super) fn emit(timeout: Duration) -> String {
    let nanos = timeout.min(MAX_TIMEOUT).as_nanos().max(1);
    let fits = |(_, unit): &&(u8, u128)| nanos.div_ceil(*unit) <= MAX_VALUE;
    // A year is less than eight digits of hours, so a unit is always found.
    let (name, unit) = UNITS.iter().find(fits).unwrap_or(&UNITS[5]);
    format!("{}{}", nanos.div_ceil(*unit), char::from(*name))
}
