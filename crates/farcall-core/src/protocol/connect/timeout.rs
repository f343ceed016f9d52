//! `connect-timeout-ms`: up to ten digits of milliseconds.

use std::time::Duration;

use crate::deadline::MAX_TIMEOUT;
use crate::limits::MAX_TIMEOUT_DIGITS;
use crate::protocol::field::Decimal;

/// Reads a timeout, cut to one year; none when it is malformed. Zero is read, and has passed.
pub(super) fn parse(text: &[u8]) -> Option<Duration> {
    if text.is_empty() || text.len() > MAX_TIMEOUT_DIGITS || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Ten digits fit.
    let millis = text.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    Some(Duration::from_millis(millis).min(MAX_TIMEOUT))
}

/// Writes a timeout, rounded up: what is left is never told as less, and never as zero. None for one that ten digits do
/// not hold, which is more than a hundred days.
pub(super) fn emit(timeout: Duration) -> Option<Decimal> {
    let millis = timeout.min(MAX_TIMEOUT).as_nanos().div_ceil(1_000_000).max(1);
    let text = Decimal::new(usize::try_from(millis).ok()?);
    (text.as_ref().len() <= MAX_TIMEOUT_DIGITS).then_some(text)
}
