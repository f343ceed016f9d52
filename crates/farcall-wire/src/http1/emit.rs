//! Heads to octets. What is written is legal whatever the application gave: a name or value that
//! is not can split a message in two (RFC 9112 section 11.1), and is refused here.

use bytes::{BufMut, BytesMut};

use super::grammar;
use super::sort::Special;
use crate::fields::{Field, Fields};

/// The application gave something that no message can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Illegal;

/// What the application's fields say that the engine says in its own way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) content_length: Option<u64>,
    /// It wants the connection to end.
    pub(super) close: bool,
    /// It has the fields `te` and `upgrade`, which `connection` must name.
    pub(super) te: bool,
    pub(super) upgrade: bool,
}

/// The status of a response head, whose first field it is.
pub(super) fn status(head: &Fields) -> Result<u16, Illegal> {
    let first = head.iter().next().filter(|field| field.name == b":status").ok_or(Illegal)?;
    let number = grammar::number(first.value).filter(|_| first.value.len() == 3).ok_or(Illegal)?;
    u16::try_from(number).ok().filter(|status| *status >= 100).ok_or(Illegal)
}

/// Writes a status line.
pub(super) fn status_line(status: u16, out: &mut BytesMut) {
    out.extend_from_slice(b"HTTP/1.1 ");
    if let Some(text) = known_status(status) {
        out.extend_from_slice(text.as_bytes());
    } else {
        decimal(status.into(), out);
        out.put_u8(b' ');
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes a request line and the host, from the pseudo-fields. Returns whether the method is HEAD,
/// and whether one expects content with it.
pub(super) fn request_line(head: &Fields, out: &mut BytesMut) -> Result<(bool, bool), Illegal> {
    let (mut method, mut path, mut authority) = (None, None, &b""[..]);
    for field in head.iter().take_while(|field| is_pseudo(field)) {
        match field.name {
            b":method" => method = Some(field.value),
            b":path" => path = Some(field.value),
            b":authority" => authority = field.value,
            _ => {}
        }
    }
    let method = method
        .filter(|method| grammar::is_token(method) && *method != b"CONNECT")
        .ok_or(Illegal)?;
    let path = path
        .filter(|path| is_path(path) || *path == b"*" && method == b"OPTIONS")
        .ok_or(Illegal)?;
    if !authority.is_empty() && !grammar::is_authority(authority) {
        return Err(Illegal);
    }
    out.extend_from_slice(method);
    out.put_u8(b' ');
    out.extend_from_slice(path);
    out.extend_from_slice(b" HTTP/1.1\r\nhost: ");
    out.extend_from_slice(authority);
    out.extend_from_slice(b"\r\n");
    Ok((method == b"HEAD", matches!(method, b"POST" | b"PUT" | b"PATCH")))
}

fn is_pseudo(field: &Field<'_>) -> bool {
    field.name.first() == Some(&b':')
}

/// Visible characters behind a slash.
fn is_path(path: &[u8]) -> bool {
    path.first() == Some(&b'/') && path.iter().all(u8::is_ascii_graphic) && !path.contains(&b'#')
}

/// Writes the regular fields of a head, but for those that are the engine's.
pub(super) fn fields(head: &Fields, out: &mut BytesMut) -> Result<Sent, Illegal> {
    let mut sent = Sent::default();
    for field in head.iter().skip_while(is_pseudo) {
        if !grammar::is_token(field.name) || !grammar::is_value(field.value) {
            return Err(Illegal);
        }
        if let Some(special) = Special::of(field.name)
            && !sent.note(special, field.value)?
        {
            continue;
        }
        line(field.name, field.value, out);
    }
    Ok(sent)
}

impl Sent {
    /// Notes a field that is more than name and value; true if it is to be written as it is.
    fn note(&mut self, special: Special, value: &[u8]) -> Result<bool, Illegal> {
        match special {
            Special::ContentLength => {
                let length = grammar::number(value).ok_or(Illegal)?;
                if self.content_length.replace(length).is_some_and(|other| other != length) {
                    return Err(Illegal);
                }
                Ok(false)
            }
            Special::Connection => {
                self.close |=
                    grammar::members(value).any(|option| option.eq_ignore_ascii_case(b"close"));
                Ok(false)
            }
            Special::Te => {
                self.te |= value.eq_ignore_ascii_case(b"trailers");
                Ok(value.eq_ignore_ascii_case(b"trailers"))
            }
            Special::Upgrade => {
                self.upgrade = true;
                Ok(true)
            }
            Special::Expect => Ok(true),
            Special::Host | Special::Obsolete | Special::TransferEncoding => Ok(false),
        }
    }
}

/// Writes one field, which is legal.
pub(super) fn line(name: &[u8], value: &[u8], out: &mut BytesMut) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Writes a content-length.
pub(super) fn content_length(length: u64, out: &mut BytesMut) {
    out.extend_from_slice(b"content-length: ");
    decimal(length, out);
    out.extend_from_slice(b"\r\n");
}

/// Writes one chunk, which is not empty.
pub(super) fn chunk(data: &[u8], out: &mut BytesMut) {
    out.reserve(data.len() + 20);
    hex(data.len() as u64, out);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Writes the last chunk and the trailers.
pub(super) fn last_chunk(trailers: Option<&Fields>, out: &mut BytesMut) {
    out.extend_from_slice(b"0\r\n");
    for field in trailers.into_iter().flatten() {
        line(field.name, field.value, out);
    }
    out.extend_from_slice(b"\r\n");
}

fn decimal(mut number: u64, out: &mut BytesMut) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

fn hex(number: u64, out: &mut BytesMut) {
    let digits = (64 - number.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        let digit = (number >> (place * 4) & 0xf) as usize;
        out.put_u8(b"0123456789abcdef"[digit]);
    }
}

/// The status with the phrase behind it, which only people read (RFC 9110 section 15).
fn known_status(status: u16) -> Option<&'static str> {
    Some(match status {
        100 => "100 Continue",
        101 => "101 Switching Protocols",
        103 => "103 Early Hints",
        200 => "200 OK",
        201 => "201 Created",
        202 => "202 Accepted",
        204 => "204 No Content",
        206 => "206 Partial Content",
        301 => "301 Moved Permanently",
        302 => "302 Found",
        303 => "303 See Other",
        304 => "304 Not Modified",
        307 => "307 Temporary Redirect",
        308 => "308 Permanent Redirect",
        400 => "400 Bad Request",
        401 => "401 Unauthorized",
        403 => "403 Forbidden",
        404 => "404 Not Found",
        405 => "405 Method Not Allowed",
        406 => "406 Not Acceptable",
        408 => "408 Request Timeout",
        409 => "409 Conflict",
        411 => "411 Length Required",
        412 => "412 Precondition Failed",
        413 => "413 Content Too Large",
        414 => "414 URI Too Long",
        415 => "415 Unsupported Media Type",
        416 => "416 Range Not Satisfiable",
        417 => "417 Expectation Failed",
        421 => "421 Misdirected Request",
        422 => "422 Unprocessable Content",
        425 => "425 Too Early",
        426 => "426 Upgrade Required",
        428 => "428 Precondition Required",
        429 => "429 Too Many Requests",
        431 => "431 Request Header Fields Too Large",
        499 => "499 Client Closed Request",
        500 => "500 Internal Server Error",
        501 => "501 Not Implemented",
        502 => "502 Bad Gateway",
        503 => "503 Service Unavailable",
        504 => "504 Gateway Timeout",
        505 => "505 HTTP Version Not Supported",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_other_libraries_write_them() {
        for number in [0, 1, 9, 10, 15, 16, 255, 256, 65_535, 65_536, u64::MAX] {
            let mut out = BytesMut::new();
            decimal(number, &mut out);
            out.put_u8(b' ');
            hex(number, &mut out);
            assert_eq!(out, format!("{number} {number:x}"));
        }
    }
}
