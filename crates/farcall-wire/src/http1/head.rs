//! Where a head or a trailer section ends, and what is wrong when it cannot be read.
//!
//! A head is read when it is complete, at once. While it is not, only its whole lines are judged, so
//! that the verdict is the same however the octets came in pieces.

use std::mem::MaybeUninit;

use httparse::{Error, Header, Status};

use super::grammar;
use super::refusal::Refusal;
use crate::limits::Http1Limits;

/// Slots for fields, on the stack.
pub(super) const SLOTS: usize = 128;

/// Octets that a first line may have besides the target: a method and a version.
const LINE_EXTRA: usize = 64;

/// What kind of head it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Response,
    /// Fields only, behind a body.
    Trailers,
}

/// A head that is not complete: to be looked at again when a line has ended, or when there are
/// `limit` octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Incomplete {
    pub(super) limit: usize,
}

/// The slots that a message of this connection may use.
pub(super) fn slots<'a, 'b>(
    all: &'a mut [MaybeUninit<Header<'b>>; SLOTS],
    limits: &Http1Limits,
) -> &'a mut [MaybeUninit<Header<'b>>] {
    &mut all[..limits.max_header_fields.min(SLOTS)]
}

/// Octets of a first line at most.
fn max_line(kind: Kind, limits: &Http1Limits) -> usize {
    if kind == Kind::Trailers { 0 } else { limits.max_target.saturating_add(LINE_EXTRA) }
}

/// The part of `octets` that may belong to the head.
pub(super) fn visible<'a>(octets: &'a [u8], kind: Kind, limits: &Http1Limits) -> &'a [u8] {
    let most = max_line(kind, limits).saturating_add(limits.max_header_size);
    &octets[..octets.len().min(most)]
}

/// Checks the lines of a complete head: their ends, and the lengths of the first one and of all
/// others.
pub(super) fn check_lines(head: &[u8], kind: Kind, limits: &Http1Limits) -> Result<(), Refusal> {
    // A head that is shorter than either bound is not measured any further.
    let max_line = max_line(kind, limits);
    if head.len() > max_line.min(limits.max_header_size) {
        let line = first_line(head, kind).unwrap_or(head.len());
        if line > max_line {
            return Err(line_too_long(kind));
        }
        if head.len() - line > limits.max_header_size {
            return Err(too_large());
        }
    }
    if grammar::has_bare_line_feed(head) {
        return Err(Refusal::new(400, "expected CRLF at the end of each line, got a bare LF"));
    }
    Ok(())
}

/// Judges a head that did not parse as a whole: perhaps more of it comes, perhaps it is wrong.
#[cold]
pub(super) fn judge(
    octets: &[u8],
    kind: Kind,
    limits: &Http1Limits,
) -> Result<Incomplete, Refusal> {
    let most = max_line(kind, limits);
    let Some(line) = first_line(&octets[..octets.len().min(most)], kind) else {
        if octets.len() >= most {
            return Err(line_too_long(kind));
        }
        return Ok(Incomplete { limit: most });
    };
    let limit = line.saturating_add(limits.max_header_size);
    let octets = &octets[..octets.len().min(limit)];
    let lines = octets.iter().rposition(|octet| *octet == b'\n').map_or(0, |last| last + 1);
    match outcome(&octets[..lines], kind, limits) {
        Ok(Status::Partial) if octets.len() < limit => Ok(Incomplete { limit }),
        Ok(_) => Err(too_large()),
        Err(_) => Err(locate(&octets[..lines], kind, limits)),
    }
}

/// Octets of the first line with its end; `None` if it has none yet.
fn first_line(octets: &[u8], kind: Kind) -> Option<usize> {
    match kind {
        Kind::Trailers => Some(0),
        _ => octets.iter().position(|octet| *octet == b'\n').map(|end| end + 1),
    }
}

fn line_too_long(kind: Kind) -> Refusal {
    match kind {
        Kind::Request => Refusal::new(414, "the request target is too long"),
        _ => Refusal::new(431, "the status line is too long"),
    }
}

fn too_large() -> Refusal {
    Refusal::new(431, "the header fields are too large")
}

fn outcome(octets: &[u8], kind: Kind, limits: &Http1Limits) -> httparse::Result<usize> {
    let mut all = [const { MaybeUninit::uninit() }; SLOTS];
    let slots = slots(&mut all, limits);
    match kind {
        Kind::Request => httparse::Request::new(&mut []).parse_with_uninit_headers(octets, slots),
        Kind::Response => httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut httparse::Response::new(&mut []),
            octets,
            slots,
        ),
        Kind::Trailers => {
            let mut all = [httparse::EMPTY_HEADER; SLOTS];
            let slots = &mut all[..limits.max_header_fields.min(SLOTS)];
            httparse::parse_headers(octets, slots).map(|status| match status {
                Status::Complete((size, _)) => Status::Complete(size),
                Status::Partial => Status::Partial,
            })
        }
    }
}

/// Finds the first line that is wrong, and says what is.
fn locate(lines: &[u8], kind: Kind, limits: &Http1Limits) -> Refusal {
    let mut start = 0;
    while let Some(length) = lines[start..].iter().position(|octet| *octet == b'\n') {
        let end = start + length + 1;
        if let Err(error) = outcome(&lines[..end], kind, limits) {
            return describe(error, &lines[start..end]);
        }
        start = end;
    }
    Refusal::new(400, "the head is malformed")
}

fn describe(error: Error, line: &[u8]) -> Refusal {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match error {
        Error::HeaderName => Refusal::malformed("expected a field name and a colon", line),
        Error::HeaderValue => {
            Refusal::malformed("expected a field value without control characters", line)
        }
        Error::TooManyHeaders => Refusal::new(431, "there are too many header fields"),
        Error::Version if names_other_version(line) => {
            Refusal::showing(505, "expected HTTP/1.1 or HTTP/1.0", line)
        }
        Error::Version => Refusal::malformed("expected the version HTTP/1.1 or HTTP/1.0", line)
            .foreign(names_no_http(line)),
        Error::Token => Refusal::malformed("expected a method, a target and a version", line),
        Error::Status => Refusal::malformed("expected a status of three digits", line),
        Error::NewLine => Refusal::malformed("expected CRLF", line),
    }
}

/// Whether a line has three words like a request line, and the last does not even begin like a version of HTTP.
fn names_no_http(line: &[u8]) -> bool {
    let mut parts = line.split(|octet| *octet == b' ');
    let third = parts.nth(2).filter(|_| parts.next().is_none());
    third
        .is_some_and(|third| !third.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"HTTP")))
}

/// Whether a request line is well-formed but for the number of its version.
fn names_other_version(line: &[u8]) -> bool {
    let mut parts = line.split(|octet| *octet == b' ');
    let (_, _, version) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
    let well_formed = matches!(version, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
        if major.is_ascii_digit() && minor.is_ascii_digit());
    well_formed && parts.next().is_none()
}
