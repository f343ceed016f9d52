//! A response's head (RFC 9112 sections 4 and 6.3).

use std::mem::MaybeUninit;

use httparse::Status;

use super::head::{self, Incomplete, Kind, SLOTS};
use super::refusal::Refusal;
use super::sort::{self, Facts, Version};
use crate::event::ResponseHead;
use crate::limits::Http1Limits;

/// How the content of a response is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// There is none.
    None,
    /// So many octets, one at least.
    Length(u64),
    Chunked,
    /// All until the connection ends.
    UntilClose,
}

/// A head and what it means to the engine.
#[derive(Debug)]
pub(super) struct Response {
    /// Octets that it took.
    pub(super) size: usize,
    pub(super) head: ResponseHead,
    pub(super) content: Content,
    /// The connection ends with this response.
    pub(super) close: bool,
    /// The server agrees to another protocol.
    pub(super) upgrade: bool,
}

/// Reads the head at the front of `octets`. `to_head`: the request was HEAD.
pub(super) fn parse(
    octets: &[u8],
    limits: &Http1Limits,
    to_head: bool,
) -> Result<Result<Response, Incomplete>, Refusal> {
    let mut all = [const { MaybeUninit::uninit() }; SLOTS];
    let mut parsed = httparse::Response::new(&mut []);
    if matches!(octets.first(), Some(b'\r' | b'\n')) {
        return Err(Refusal::new(400, "expected a status line, got an empty line"));
    }
    let visible = head::visible(octets, Kind::Response, limits);
    let slots = head::slots(&mut all, limits);
    let outcome = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut parsed,
        visible,
        slots,
    );
    let Ok(Status::Complete(size)) = outcome else {
        return head::judge(octets, Kind::Response, limits).map(Err);
    };
    head::check_lines(&octets[..size], Kind::Response, limits)?;
    let status = parsed.code.unwrap_or_default();
    if !(100..=999).contains(&status) {
        return Err(Refusal::new(400, "expected a status of 100 to 999"));
    }
    let version = Version::from_minor(parsed.version);
    let (facts, fields) = sort::sort(parsed.headers)?;
    facts.check_framing(version)?;
    let content = content(&facts, status, to_head);
    let ends = status >= 200 && (facts.close || version == Version::Http10 && !facts.keep_alive);
    Ok(Ok(Response {
        size,
        head: ResponseHead::new(status, fields),
        content,
        close: ends || content == Content::UntilClose,
        upgrade: facts.asked_upgrade().is_some(),
    }))
}

/// RFC 9112 section 6.3, for a response whose framing was checked.
fn content(facts: &Facts<'_>, status: u16, to_head: bool) -> Content {
    if to_head || status < 200 || matches!(status, 204 | 304) {
        return Content::None;
    }
    match facts.content_length {
        _ if facts.chunked => Content::Chunked,
        Some(0) => Content::None,
        Some(length) => Content::Length(length),
        None => Content::UntilClose,
    }
}
