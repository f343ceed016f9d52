//! Numbers as RFC 8259 section 6 has them.

use serde::de::Visitor;

use crate::limits::MAX_JSON_NUMBER;

use super::Result;
use super::fault::Fault;
use super::reader::Reader;

/// A number: whole ones as they are, unless they have more than 64 bits, and all others as the nearest double.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Positive(u64),
    Negative(i64),
    Float(f64),
}

/// The characters of a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digits<'de> {
    pub(super) text: &'de str,
    /// Whether there is neither a point nor an exponent.
    pub(super) is_whole: bool,
}

/// So many digits are always less than 2^64.
pub(super) const SAFE_DIGITS: usize = 19;

impl Number {
    #[inline]
    pub(super) fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self {
            Self::Positive(value) => visitor.visit_u64(value),
            Self::Negative(value) => visitor.visit_i64(value),
            Self::Float(value) => visitor.visit_f64(value),
        }
    }
}

impl<'de> Reader<'de> {
    /// Takes a number, whose sign or first digit is next.
    pub(super) fn number(&mut self) -> Result<Number> {
        // Most are short and whole.
        let rest = self.rest();
        let (value, count) = run_of_digits(rest);
        let is_end = !matches!(rest.get(count), Some(b'.' | b'e' | b'E'));
        if is_end && (count == 1 || (2..=SAFE_DIGITS).contains(&count) && !rest.starts_with(b"0")) {
            self.at += count;
            return Ok(Number::Positive(value));
        }
        self.other_number()
    }

    /// A number with a sign, a point or an exponent, or a large one, or none at all.
    #[inline(never)]
    fn other_number(&mut self) -> Result<Number> {
        let start = self.at;
        let digits = self.digits()?;
        if digits.is_whole {
            match (digits.text.parse(), digits.text.parse()) {
                // There is a negative zero, but no whole number is it.
                (_, Ok(value)) if value < 0 => return Ok(Number::Negative(value)),
                (Ok(value), _) => return Ok(Number::Positive(value)),
                _ => {}
            }
        }
        match digits.text.parse() {
            Ok(value) if f64::is_finite(value) => Ok(Number::Float(value)),
            _ => {
                self.at = start;
                Err(self.expected("a number that a double can hold"))
            }
        }
    }

    /// Passes over a number.
    pub(super) fn digits(&mut self) -> Result<Digits<'de>> {
        let start = self.at;
        self.at += usize::from(self.peek() == b'-');
        let starts_with_zero = self.peek() == b'0';
        let count = self.some_digits()?;
        if starts_with_zero && count > 1 {
            self.at -= count - 1;
            return Err(self.expected("no digit behind a leading zero"));
        }
        let whole = self.at;
        if self.peek() == b'.' {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), b'+' | b'-'));
            self.some_digits()?;
        }
        if self.at - start > MAX_JSON_NUMBER {
            self.at = start;
            return Err(self.fault(Fault::Number));
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        Ok(Digits { text, is_whole: self.at == whole })
    }

    /// Passes over digits and counts them: at least one.
    fn some_digits(&mut self) -> Result<usize> {
        let (_, count) = run_of_digits(self.rest());
        if count == 0 {
            return Err(self.expected("a digit"));
        }
        self.at += count;
        Ok(count)
    }
}

/// The number that digits at the start are, modulo 2^64, and how many these are.
#[inline]
pub(super) fn run_of_digits(text: &[u8]) -> (u64, usize) {
    let (mut value, mut count) = (0_u64, 0);
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    (value, count)
}
