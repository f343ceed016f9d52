//! Whether a list of fields is a request, a response or trailers: the rules of HTTP/2 (RFC 9113
//! sections 8.1 to 8.3), since the same heads travel here.

use crate::event::RequestLine;
use crate::fields::{Field, Fields};

/// Why a message is malformed.
pub(super) type Malformed = &'static str;

/// Fields that belong to one connection of HTTP/1.1 (RFC 9113 section 8.2.2).
const CONNECTION_FIELDS: [&[u8]; 5] =
    [b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"];

/// What of a head matters to the session itself.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    /// The content-length, if there is one.
    pub(super) content_length: Option<u64>,
    /// The host field, if there is one.
    host: Option<&'a [u8]>,
    /// Fields behind the pseudo-fields.
    pub(super) regular: usize,
}

/// Reads a request's pseudo-fields and checks the rest. CONNECT makes no sense here.
pub(super) fn request(fields: &Fields) -> Result<(RequestLine<'_>, Facts<'_>), Malformed> {
    let (mut method, mut scheme, mut authority, mut path) = (None, None, None, None);
    let facts = walk(fields, |field| {
        let slot = match field.name {
            b":method" => &mut method,
            b":scheme" => &mut scheme,
            b":authority" => &mut authority,
            b":path" => &mut path,
            _ => return Err("a request with an unknown pseudo-field"),
        };
        set(slot, field.value)
    })?;
    let present = |value: Option<&'_ [u8]>| value.is_some_and(|value| !value.is_empty());
    if !present(method) || !present(scheme) || !present(path) {
        return Err("a request without :method, :scheme or :path");
    }
    if method == Some(b"CONNECT") {
        return Err("CONNECT within a WebSocket");
    }
    check_authority(facts.host, authority)?;
    let line = RequestLine {
        method: method.unwrap_or_default(),
        scheme: scheme.unwrap_or_default(),
        authority,
        path,
        protocol: None,
    };
    Ok((line, facts))
}

/// Reads a response's status and checks the rest.
pub(super) fn response(fields: &Fields) -> Result<(u16, Facts<'_>), Malformed> {
    let mut status = None;
    let facts = walk(fields, |field| match field.name {
        b":status" => set(&mut status, field.value),
        _ => Err("a response with an unknown pseudo-field"),
    })?;
    match status {
        Some([a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9']) => {
            let digit = |octet: &u8| u16::from(*octet - b'0');
            Ok((digit(a) * 100 + digit(b) * 10 + digit(c), facts))
        }
        Some(_) => Err("a response whose :status is not three digits"),
        None => Err("a response without :status"),
    }
}

/// Checks trailers: no pseudo-fields.
pub(super) fn trailers(fields: &Fields) -> Result<(), Malformed> {
    walk(fields, |_| Err("trailers with a pseudo-field")).map(drop)
}

fn set<'a>(slot: &mut Option<&'a [u8]>, value: &'a [u8]) -> Result<(), Malformed> {
    match slot.replace(value) {
        Some(_) => Err("a pseudo-field twice"),
        None => Ok(()),
    }
}

/// Hands the pseudo-fields to `pseudo` and checks the regular ones.
fn walk<'a>(
    fields: &'a Fields,
    mut pseudo: impl FnMut(Field<'a>) -> Result<(), Malformed>,
) -> Result<Facts<'a>, Malformed> {
    let mut facts = Facts::default();
    for field in fields {
        if field.name.first() == Some(&b':') {
            if facts.regular > 0 {
                return Err("a pseudo-field behind a regular field");
            }
            pseudo(field)?;
        } else {
            facts.regular += 1;
            check_regular(field, &mut facts)?;
        }
    }
    Ok(facts)
}

fn check_regular<'a>(field: Field<'a>, facts: &mut Facts<'a>) -> Result<(), Malformed> {
    match field.name {
        b"te" if !field.value.eq_ignore_ascii_case(b"trailers") => {
            Err("te with something else than trailers")
        }
        b"host" => match facts.host.replace(field.value) {
            Some(other) if other != field.value => Err("two different hosts"),
            _ => Ok(()),
        },
        b"content-length" => {
            let length = content_length(field.value).ok_or("a content-length that is no number")?;
            match facts.content_length.replace(length) {
                Some(other) if other != length => Err("two different content-lengths"),
                _ => Ok(()),
            }
        }
        name if CONNECTION_FIELDS.contains(&name) => Err("a connection-specific field"),
        _ => Ok(()),
    }
}

/// Digits only; no sign, no list, no overflow.
fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |number, octet| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// No userinfo, and `host` must not say something else (RFC 9113 section 8.3.1).
fn check_authority(host: Option<&[u8]>, authority: Option<&[u8]>) -> Result<(), Malformed> {
    let Some(authority) = authority else { return Ok(()) };
    if authority.contains(&b'@') {
        return Err(":authority with userinfo");
    }
    match host {
        Some(host) if !host.eq_ignore_ascii_case(authority) => Err("host differs from :authority"),
        _ => Ok(()),
    }
}
