//! Fields as all protocols treat them.

use std::fmt;

use farcall_wire::fields::Field;

use crate::base64;
use crate::limits::MAX_QUOTED;
use crate::metadata::{is_binary, pieces};

/// Whether a field belongs to HTTP or to a protocol above it, so that no user may write or see it as metadata.
pub(crate) fn is_reserved(name: &[u8]) -> bool {
    match name {
        [b':', ..] => true,
        [b'g', ..] => name.starts_with(b"grpc-"),
        [b'c', b'o', b'n', ..] => {
            name.starts_with(b"connect-")
                || matches!(
                    name,
                    b"connection" | b"content-encoding" | b"content-length" | b"content-type"
                )
        }
        _ => matches!(
            name,
            b"accept-encoding"
                | b"host"
                | b"keep-alive"
                | b"proxy-connection"
                | b"te"
                | b"trailer"
                | b"transfer-encoding"
                | b"upgrade"
                | b"x-grpc-web"
        ),
    }
}

/// Whether what should be Base64 is: a value that is not fails its call, and only that.
pub(super) fn is_readable(field: Field<'_>) -> bool {
    !is_binary(field.name) || pieces(field).all(base64::is_valid)
}

/// Whether a field that came in a body could have come as a field of HTTP: a token and, behind it, no control character (RFC
/// 9110 sections 5.1 and 5.5). What could not would become two fields when it is sent on.
pub(super) fn is_legal(name: &[u8], value: &[u8]) -> bool {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let is_text = |byte: &u8| *byte == b'\t' || *byte >= b' ' && *byte != 0x7f;
    !name.is_empty() && name.iter().all(is_token) && value.iter().all(is_text)
}

/// A peer's text as an error shows it: escaped, and no more than a beginning of it.
pub(super) fn quote(text: &[u8]) -> impl fmt::Display {
    text.get(..MAX_QUOTED).unwrap_or(text).escape_ascii().to_string()
}

/// A number of digits only; none when it is no such number, or too large for one.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// A length as a field's value.
pub(super) struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    pub(super) fn new(mut number: usize) -> Self {
        let mut decimal = Self { digits: [b'0'; 20], start: 20 };
        loop {
            decimal.start -= 1;
            decimal.digits[decimal.start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return decimal;
            }
        }
    }
}

impl AsRef<[u8]> for Decimal {
    fn as_ref(&self) -> &[u8] {
        &self.digits[self.start..]
    }
}
