//! Trailer sections behind a chunked body (RFC 9112 section 7.1.2).

use httparse::Status;

use super::grammar;
use super::head::{self, Incomplete, Kind, SLOTS};
use super::refusal::Refusal;
use super::sort::{self, Special};
use crate::fields::Fields;
use crate::limits::Http1Limits;

/// Reads the trailer section at the front of `octets`, and says how many of them it takes.
pub(super) fn parse(
    octets: &[u8],
    limits: &Http1Limits,
) -> Result<Result<(usize, Fields), Incomplete>, Refusal> {
    if octets.starts_with(b"\r\n") {
        return Ok(Ok((2, Fields::new())));
    }
    let mut all = [httparse::EMPTY_HEADER; SLOTS];
    let visible = head::visible(octets, Kind::Trailers, limits);
    let slots = &mut all[..limits.max_header_fields.min(SLOTS)];
    let Ok(Status::Complete((size, headers))) = httparse::parse_headers(visible, slots) else {
        return head::judge(octets, Kind::Trailers, limits).map(Err);
    };
    head::check_lines(&octets[..size], Kind::Trailers, limits)?;
    let mut fields = Fields::with_capacity(headers.len(), size);
    for header in headers {
        if is_forbidden(header.name.as_bytes()) {
            let reason = "expected no framing or routing field among the trailers";
            return Err(Refusal::malformed(reason, header.name.as_bytes()));
        }
        sort::push(&mut fields, header);
    }
    Ok(Ok((size, fields)))
}

/// Fields that say where a message begins, ends or goes: too late in a trailer (RFC 9110 section
/// 6.5.1), and of use only to who wants two readers to disagree.
pub(super) fn is_forbidden(name: &[u8]) -> bool {
    Special::of(name).is_some() || name.eq_ignore_ascii_case(b"trailer")
}

/// Whether a list can be sent as trailers.
pub(super) fn can_be_sent(fields: &Fields) -> bool {
    fields.iter().all(|field| {
        grammar::is_token(field.name) && grammar::is_value(field.value) && !is_forbidden(field.name)
    })
}
