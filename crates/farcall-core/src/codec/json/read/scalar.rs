//! Scalars of messages: strings, booleans and numbers, which may be in quotes.

use super::Result;
use super::number::Digits;
use super::reader::Reader;
use crate::limits::Limits;

/// Powers of ten that a double holds exactly.
const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

impl Reader<'_> {
    /// Takes `null`, behind white space, if it is next.
    #[inline]
    pub(in crate::codec::json) fn null(&mut self) -> Result<bool> {
        if self.next() != b'n' {
            return Ok(false);
        }
        self.word("null").map(|()| true)
    }

    /// Takes a string, behind white space.
    #[inline]
    pub(in crate::codec::json) fn text(&mut self, what: &'static str) -> Result<&str> {
        if self.next() != b'"' {
            return Err(self.mismatch(&what));
        }
        Ok(match self.string()? {
            Some(text) => text,
            None => &self.scratch,
        })
    }

    /// Takes a boolean, behind white space.
    #[inline]
    pub(in crate::codec::json) fn truth(&mut self) -> Result<bool> {
        match self.next() {
            b't' => self.word("true").map(|()| true),
            b'f' => self.word("false").map(|()| false),
            _ => Err(self.mismatch(&"true or false")),
        }
    }

    /// Takes a whole number, in quotes or not, behind white space.
    #[inline]
    pub(in crate::codec::json) fn integer<T: TryFrom<u64> + TryFrom<i128>>(
        &mut self,
        what: &'static str,
    ) -> Result<T> {
        let quotes = usize::from(self.next() == b'"');
        if let Some((value, count)) = self.short_integer(quotes)
            && let Ok(value) = T::try_from(value)
        {
            self.at += count + 2 * quotes;
            return Ok(value);
        }
        self.integer_of(what)
    }

    /// Likewise, of any form that has a whole value: `1.0`, `1e3`.
    #[inline(never)]
    pub(in crate::codec::json) fn integer_of<T: TryFrom<i128>>(
        &mut self,
        what: &'static str,
    ) -> Result<T> {
        self.maybe_quoted(what, |digits| T::try_from(digits.whole()?).ok())
    }

    /// The whole number that is next behind so many quotes, and how many digits it has, when these are few and nothing else.
    #[inline]
    fn short_integer(&self, quotes: usize) -> Option<(u64, usize)> {
        let rest = self.rest().get(quotes..)?;
        let (value, count) = short_integer(rest)?;
        let is_end = quotes == 0 || rest.get(count) == Some(&b'"');
        is_end.then_some((value, count))
    }

    /// Takes a double, behind white space.
    pub(in crate::codec::json) fn double(&mut self) -> Result<f64> {
        self.next();
        if let Some((value, len)) = short_decimal(self.rest()) {
            self.at += len;
            return Ok(value);
        }
        self.any_float(
            "a number that a double can hold",
            f64::is_finite,
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY],
        )
    }

    /// Takes a float, behind white space.
    pub(in crate::codec::json) fn float(&mut self) -> Result<f32> {
        self.any_float(
            "a number that a float can hold",
            f32::is_finite,
            [f32::NAN, f32::INFINITY, f32::NEG_INFINITY],
        )
    }

    #[inline(never)]
    fn any_float<T: std::str::FromStr + Copy>(
        &mut self,
        what: &'static str,
        is_finite: impl Fn(T) -> bool,
        [nan, infinity, negative_infinity]: [T; 3],
    ) -> Result<T> {
        for (name, value) in
            [("\"NaN\"", nan), ("\"Infinity\"", infinity), ("\"-Infinity\"", negative_infinity)]
        {
            if self.next() == b'"' && self.rest().starts_with(name.as_bytes()) {
                self.at += name.len();
                return Ok(value);
            }
        }
        self.maybe_quoted(what, |digits| digits.text.parse().ok().filter(|value| is_finite(*value)))
    }

    /// Takes a number, in quotes or not, behind white space. `value` is the value of its characters, if it has one.
    fn maybe_quoted<T>(
        &mut self,
        what: &'static str,
        value: impl FnOnce(Digits<'_>) -> Option<T>,
    ) -> Result<T> {
        let is_quoted = self.next() == b'"';
        let start = self.at;
        let value = if is_quoted {
            // Digits may have been escaped, like any other character.
            let text = self.text(what)?.to_owned();
            Digits::of(&text).and_then(value)
        } else if matches!(self.peek(), b'-' | b'0'..=b'9') {
            value(self.digits()?)
        } else {
            return Err(self.mismatch(&what));
        };
        value.ok_or_else(|| self.invalid(start, what))
    }
}

/// A number of few digits and nothing else.
#[inline]
fn short_integer(text: &[u8]) -> Option<(u64, usize)> {
    let (value, count) = super::number::run_of_digits(text);
    let is_end = !matches!(text.get(count), Some(b'.' | b'e' | b'E'));
    let is_short =
        count == 1 || (2..=super::number::SAFE_DIGITS).contains(&count) && text[0] != b'0';
    (is_end && is_short).then_some((value, count))
}

/// A number with a point and few digits, and its length: both parts are exact as doubles, so that their quotient is rounded
/// once and rightly.
#[inline]
fn short_decimal(text: &[u8]) -> Option<(f64, usize)> {
    let (whole, before) = super::number::run_of_digits(text);
    let (b'.', rest) = text.get(before..)?.split_first()? else { return None };
    let (part, behind) = super::number::run_of_digits(rest);
    let is_number = before == 1 || before > 1 && text[0] != b'0';
    let is_end = !matches!(rest.get(behind), Some(b'e' | b'E'));
    let fits = before + behind < POWERS_OF_TEN.len() && behind > 0;
    if !(is_number && is_end && fits) {
        return None;
    }
    let scale = POWERS_OF_TEN[behind];
    #[expect(clippy::cast_precision_loss, reason = "fifteen digits are less than 2^53")]
    let digits = (whole * 10_u64.pow(behind as u32) + part) as f64;
    Some((digits / scale, before + 1 + behind))
}

impl<'a> Digits<'a> {
    /// The characters, if they are a number.
    fn of(text: &'a str) -> Option<Self> {
        let mut reader = Reader::new(text, &Limits::default());
        reader.digits().ok().filter(|digits| digits.text.len() == text.len())
    }

    /// The whole number that the digits are, if they are one.
    fn whole(self) -> Option<i128> {
        if self.is_whole {
            return self.text.parse().ok();
        }
        let (mantissa, exponent) = match self.text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (self.text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let value: i128 = format!("{whole}{fraction}").parse().ok()?;
        let exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let scale = 10_i128.checked_pow(exponent.unsigned_abs());
        match (value, scale) {
            (0, _) => Some(0),
            (value, Some(scale)) if exponent >= 0 => value.checked_mul(scale),
            (value, Some(scale)) => (value % scale == 0).then(|| value / scale),
            (_, None) => None,
        }
    }
}
