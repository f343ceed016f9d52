//! Whether a decoded field list is a request, a response or trailers (RFC 9113 sections 8.1 to
//! 8.3), in HTTP/2 and in a WebSocket that carries the same heads.
//!
//! Octets of names and values were judged by the decoder (section 8.2.1); here it is about what the
//! fields say, and never about what becomes of the stream.

use crate::event::RequestLine;
use crate::fields::{Field, Fields};

/// Why a message is malformed.
pub(crate) type Malformed = &'static str;

/// What of a head matters to the engine itself.
#[derive(Debug, Default)]
pub(crate) struct Facts<'a> {
    /// The content-length, if there is one.
    pub(crate) content_length: Option<u64>,
    /// The host field, if there is one.
    host: Option<&'a [u8]>,
    /// Fields behind the pseudo-fields.
    pub(crate) regular: usize,
}

/// Which requests for a tunnel (CONNECT) a server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tunnels {
    /// None: a WebSocket carries calls only.
    None,
    /// To a host and port (RFC 9113 section 8.5).
    Plain,
    /// These, and those that name a protocol (RFC 8441 section 4).
    Extended,
}

/// Reads a request's pseudo-fields and checks the rest.
pub(crate) fn request(
    fields: &Fields,
    tunnels: Tunnels,
) -> Result<(RequestLine<'_>, Facts<'_>), Malformed> {
    let (mut method, mut scheme, mut authority, mut path, mut protocol) =
        (None, None, None, None, None);
    let facts = walk(fields, |field| {
        let slot = match field.name {
            b":method" => &mut method,
            b":scheme" => &mut scheme,
            b":authority" => &mut authority,
            b":path" => &mut path,
            b":protocol" if tunnels == Tunnels::Extended => &mut protocol,
            _ => return Err("a request with an unknown pseudo-field"),
        };
        set(slot, field.value)
    })?;
    let method =
        method.filter(|method: &&[u8]| !method.is_empty()).ok_or("a request without :method")?;
    let line =
        RequestLine { method, scheme: scheme.unwrap_or_default(), authority, path, protocol };
    let connect = method == b"CONNECT";
    if connect && tunnels == Tunnels::None {
        return Err("CONNECT within a WebSocket");
    }
    if connect && protocol.is_none() {
        if scheme.is_some() || path.is_some() {
            return Err("CONNECT with :scheme or :path");
        }
        authority.ok_or("CONNECT without :authority")?;
    } else {
        if protocol.is_some() && !connect {
            return Err(":protocol without CONNECT");
        }
        scheme.filter(|scheme| !scheme.is_empty()).ok_or("a request without :scheme")?;
        path.filter(|path| !path.is_empty()).ok_or("a request without :path")?;
    }
    check_authority(facts.host, authority)?;
    Ok((line, facts))
}

/// Reads a response's status and checks the rest.
pub(crate) fn response(fields: &Fields) -> Result<(u16, Facts<'_>), Malformed> {
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
pub(crate) fn trailers(fields: &Fields) -> Result<(), Malformed> {
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

/// Fields that belong to one connection of HTTP/1.1, and content-length (RFC 9113 sections 8.1.1
/// and 8.2.2).
fn check_regular<'a>(field: Field<'a>, facts: &mut Facts<'a>) -> Result<(), Malformed> {
    // The lengths first: most names have none of these.
    match field.name.len() {
        2 if field.name == b"te" && !field.value.eq_ignore_ascii_case(b"trailers") => {
            Err("te with something else than trailers")
        }
        4 if field.name == b"host" => match facts.host.replace(field.value) {
            Some(other) if other != field.value => Err("two different hosts"),
            _ => Ok(()),
        },
        7 if field.name == b"upgrade" => Err("the connection-specific field upgrade"),
        10 if field.name == b"connection" => Err("the connection-specific field connection"),
        10 if field.name == b"keep-alive" => Err("the connection-specific field keep-alive"),
        14 if field.name == b"content-length" => {
            let length = content_length(field.value).ok_or("a content-length that is no number")?;
            match facts.content_length.replace(length) {
                Some(other) if other != length => Err("two different content-lengths"),
                _ => Ok(()),
            }
        }
        16 if field.name == b"proxy-connection" => {
            Err("the connection-specific field proxy-connection")
        }
        17 if field.name == b"transfer-encoding" => {
            Err("the connection-specific field transfer-encoding")
        }
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
