//! The target of a request (RFC 9112 section 3.2): origin-form, absolute-form and asterisk-form.

use std::borrow::Cow;

use super::grammar;
use super::refusal::Refusal;

/// What a target says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// The authority of an absolute-form.
    pub(super) authority: Option<&'a [u8]>,
    /// Path and query, or `*`.
    pub(super) path: Cow<'a, [u8]>,
}

/// Reads a target, which is not empty.
pub(super) fn parse<'a>(method: &[u8], target: &'a [u8]) -> Result<Target<'a>, Refusal> {
    if method == b"CONNECT" {
        return Err(Refusal::showing(501, "expected a request that is no CONNECT", target));
    }
    if !grammar::is_target(target) {
        return Err(Refusal::malformed("expected a target of legal characters", target));
    }
    let origin = |path: &'a [u8]| Ok(Target { authority: None, path: Cow::Borrowed(path) });
    match target.first() {
        Some(b'/') => origin(target),
        Some(b'*') if target == b"*" && method == b"OPTIONS" => origin(target),
        _ => absolute(method, target)
            .ok_or_else(|| Refusal::malformed("expected a target that begins with /", target)),
    }
}

/// An absolute-form, as clients send it to proxies (RFC 9112 section 3.2.2).
fn absolute<'a>(method: &[u8], target: &'a [u8]) -> Option<Target<'a>> {
    let colon = target.iter().position(|octet| *octet == b':')?;
    let (scheme, rest) = target.split_at(colon);
    let known = scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https");
    let rest = rest.strip_prefix(b"://").filter(|_| known)?;
    let end = rest.iter().position(|octet| matches!(octet, b'/' | b'?')).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if !grammar::is_authority(authority) {
        return None;
    }
    let path = match path.first() {
        None if method == b"OPTIONS" => Cow::Borrowed(&b"*"[..]),
        None => Cow::Borrowed(&b"/"[..]),
        Some(b'?') => Cow::Owned([b"/", path].concat()),
        Some(_) => Cow::Borrowed(path),
    };
    Some(Target { authority: Some(authority), path })
}
