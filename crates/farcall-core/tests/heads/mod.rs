//! Heads and bodies as tests read and write them by hand.

#![allow(dead_code, reason = "each test uses a part of it")]

use farcall_core::{Encoding, Refusal};
use farcall_wire::event::{RequestHead, RequestLine};
use farcall_wire::fields::Fields;

/// The head of a request as the server sees it.
pub(crate) fn head(verb: &str, path: &str, fields: &[(&str, &str)]) -> RequestHead {
    let line = RequestLine {
        method: verb.as_bytes(),
        path: Some(path.as_bytes()),
        ..RequestLine::default()
    };
    RequestHead::new(line, None, fields.iter().copied().collect())
}

/// The value of a field, which is text in all that is tested.
pub(crate) fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).map(|value| std::str::from_utf8(value).unwrap())
}

/// A payload behind its five octets.
pub(crate) fn envelope(flag: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flag];
    bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Encoding::Gzip.compress(plain, &mut out).unwrap();
    out
}

/// Status and body of a refusal.
pub(crate) fn refused<T>(accepted: Result<T, Refusal>) -> (String, String) {
    let Err(refusal) = accepted else { panic!("expected a refusal") };
    let status = text(&refusal.head, ":status").unwrap().to_owned();
    let body = refusal.body.unwrap_or_default();
    // A stream's reply has no length that is known at its head.
    if status != "200" && !body.is_empty() {
        assert_eq!(text(&refusal.head, "content-length"), Some(&*body.len().to_string()));
    }
    (status, String::from_utf8_lossy(&body).into_owned())
}
