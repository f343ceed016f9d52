//! DER, as far as a certificate needs it (X.690): tags, lengths, names, times.
//!
//! Nothing here verifies anything. It reads what a certificate says so that people can be told; whoever decides uses what
//! the verifier has accepted. What cannot be read is `None`, never a panic.

use std::net::IpAddr;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
const BOOLEAN: u8 = 0x01;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Tags of a context, as in `[0]`: primitive and constructed.
pub(super) const fn context(number: u8) -> u8 {
    0x80 | number
}

pub(super) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// Values one after the other.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next value and its tag. Tags above 30 and indefinite lengths do not occur in certificates.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.rest.split_first()?;
        let (&first, rest) = rest.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some((tag, value))
    }

    /// The next value, if it has this tag; otherwise nothing is taken.
    pub(super) fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (found, value) = ahead.next()?;
        (found == tag).then(|| {
            *self = ahead;
            value
        })
    }

    /// The values inside the next one, if it has this tag.
    pub(super) fn inside(&mut self, tag: u8) -> Option<Self> {
        self.optional(tag).map(Self::new)
    }

    /// Passes over a boolean, as before the value of a critical extension.
    pub(super) fn skip_boolean(&mut self) {
        let _ = self.optional(BOOLEAN);
    }

    /// A `UTCTime` or `GeneralizedTime` in seconds since 1970 (RFC 5280, section 4.1.2.5).
    pub(super) fn time(&mut self) -> Option<i64> {
        let (tag, text) = self.next()?;
        let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (year, rest) = match tag {
            UTC_TIME => {
                let (year, rest) = text.split_at_checked(2)?;
                let year: i64 = year.parse().ok()?;
                (if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            GENERALIZED_TIME => {
                let (year, rest) = text.split_at_checked(4)?;
                (year.parse().ok()?, rest)
            }
            _ => return None,
        };
        if rest.len() != 10 {
            return None;
        }
        let part = |at: usize| rest.get(at..at + 2).and_then(|two| two.parse::<i64>().ok());
        let days = days_since_1970(year, part(0)?, part(2)?)?;
        let (hour, minute, second) = (part(4)?, part(6)?, part(8)?);
        (hour < 24 && minute < 60 && second < 61)
            .then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
    }
}

/// The text of one of ASN.1's many kinds of strings.
pub(super) fn string(tag: u8, bytes: &[u8]) -> Option<String> {
    match tag {
        // UTF8String, NumericString, PrintableString, IA5String
        0x0c | 0x12 | 0x13 | 0x16 => Some(String::from_utf8_lossy(bytes).into_owned()),
        // TeletexString, in practice Latin-1
        0x14 => Some(bytes.iter().copied().map(char::from).collect()),
        // BMPString
        0x1e => {
            let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            Some(
                char::decode_utf16(units)
                    .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            )
        }
        _ => None,
    }
}

/// An address as it stands in a certificate: its 4 or 16 bytes.
pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

/// The days of the Gregorian calendar from 1970-01-01, counted in years that begin in March, so that the leap day is last.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    Some(year * 365 + leap_days + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(tag: u8, text: &str) -> Option<i64> {
        let mut value = vec![tag, u8::try_from(text.len()).unwrap()];
        value.extend_from_slice(text.as_bytes());
        Reader::new(&value).time()
    }

    #[test]
    fn times_are_seconds_since_1970() {
        assert_eq!(time(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(time(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(time(UTC_TIME, "500101000000Z"), Some(-631_152_000));
        assert_eq!(time(GENERALIZED_TIME, "20000229120000Z"), Some(951_825_600));
        assert_eq!(time(GENERALIZED_TIME, "99991231235959Z"), Some(253_402_300_799));
        for wrong in
            ["", "Z", "700101000000", "701301000000Z", "7001010000+1Z", "\u{e9}00101000000Z"]
        {
            assert_eq!(time(UTC_TIME, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_no_value() {
        for bytes in
            [&[0x30][..], &[0x30, 5, 1], &[0x30, 0x84, 0, 0, 0, 1, 0], &[0x30, 0x82, 1], &[0x3f, 0]]
        {
            assert!(Reader::new(bytes).next().is_none(), "{bytes:?}");
        }
        assert_eq!(Reader::new(&[0x04, 0x81, 1, 9]).next(), Some((4, &[9][..])));
    }
}
