//! A request's head (RFC 9112 sections 2, 3 and 6).

use std::mem::MaybeUninit;

use httparse::Status;

use super::head::{self, Incomplete, Kind, SLOTS};
use super::refusal::Refusal;
use super::sort::{self, Facts, Version};
use super::target::{self, Target};
use super::{Config, grammar};
use crate::event::{RequestHead, RequestLine};
use crate::lines::Lines;

/// A method longer than any that a server knows (RFC 9112 section 3).
const MAX_METHOD: usize = 24;

/// How the content of a request is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// There is none.
    None,
    /// So many octets, one at least.
    Length(u64),
    Chunked,
}

/// A head and what it means to the engine.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own; no two of them make a state
pub(super) struct Request {
    /// Octets that it took.
    pub(super) size: usize,
    pub(super) head: RequestHead,
    pub(super) content: Content,
    pub(super) version: Version,
    /// The response has no content, whatever it says.
    pub(super) is_head: bool,
    /// The connection ends with the response.
    pub(super) close: bool,
    /// The client waits for status 100 before it sends the content.
    pub(super) expects_continue: bool,
    /// The client asks for another protocol.
    pub(super) upgrade: bool,
}

/// Reads the head at the front of `octets`, which do not begin with an empty line.
pub(super) fn parse(
    octets: &[u8],
    config: &Config,
    lines: &mut Lines,
) -> Result<Result<Request, Incomplete>, Refusal> {
    let limits = &config.limits;
    let mut all = [const { MaybeUninit::uninit() }; SLOTS];
    let mut parsed = httparse::Request::new(&mut []);
    let visible = head::visible(octets, Kind::Request, limits);
    let outcome = parsed.parse_with_uninit_headers(visible, head::slots(&mut all, limits));
    let Ok(Status::Complete(size)) = outcome else {
        return head::judge(octets, Kind::Request, limits).map(Err);
    };
    head::check_lines(&octets[..size], Kind::Request, limits)?;
    let method = parsed.method.unwrap_or_default().as_bytes();
    let target = parsed.path.unwrap_or_default().as_bytes();
    let version = Version::from_minor(parsed.version);
    if target.len() > limits.max_target {
        return Err(Refusal::new(414, "the request target is too long"));
    }
    if method.len() > MAX_METHOD {
        return Err(Refusal::showing(501, "expected a known method", method));
    }
    let target = target::parse(method, target)?;
    let (facts, fields) = sort::sort(parsed.headers)?;
    facts.check_framing(version)?;
    let content = content(&facts);
    let upgrade = upgrade(&facts, version, content)?;
    let authority = authority(&target, &facts, version)?;
    let line = RequestLine {
        method,
        scheme: config.scheme.as_str().as_bytes(),
        authority,
        path: Some(&target.path),
        protocol: None,
    };
    let (pseudo, token) = lines.intern(&line);
    Ok(Ok(Request {
        size,
        head: RequestHead::from_parts(pseudo, line, token, fields),
        content,
        version,
        is_head: method == b"HEAD",
        close: facts.close || version == Version::Http10 && !facts.keep_alive,
        expects_continue: expects_continue(&facts, version, content)?,
        upgrade,
    }))
}

/// RFC 9112 section 6.3, for a request whose framing was checked.
fn content(facts: &Facts<'_>) -> Content {
    match facts.content_length {
        _ if facts.chunked => Content::Chunked,
        None | Some(0) => Content::None,
        Some(length) => Content::Length(length),
    }
}

/// The host that the request is for: one, and the same wherever it is said (RFC 9112 section 3.2).
fn authority<'a>(
    target: &Target<'a>,
    facts: &Facts<'a>,
    version: Version,
) -> Result<Option<&'a [u8]>, Refusal> {
    if facts.host.is_none() && version == Version::Http11 {
        return Err(Refusal::new(400, "expected a host, got none"));
    }
    match (target.authority, facts.host) {
        (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(host) => {
            Err(Refusal::malformed("expected the host of the request target", host))
        }
        (Some(authority), _) => Ok(Some(authority)),
        (None, host) => Ok(host.filter(|host| !host.is_empty())),
    }
}

/// RFC 9110 section 10.1.1.
fn expects_continue(
    facts: &Facts<'_>,
    version: Version,
    content: Content,
) -> Result<bool, Refusal> {
    let Some(expect) = facts.expect.filter(|_| version == Version::Http11) else {
        return Ok(false);
    };
    if !expect.eq_ignore_ascii_case(b"100-continue") {
        return Err(Refusal::showing(417, "expected 100-continue as the expectation", expect));
    }
    Ok(content != Content::None)
}

/// Whether another protocol is asked for. A WebSocket's opening has no content (RFC 6455 section
/// 4.1): what follows it would be read as content by one and as frames by another.
fn upgrade(facts: &Facts<'_>, version: Version, content: Content) -> Result<bool, Refusal> {
    let Some(upgrade) = facts.asked_upgrade().filter(|_| version == Version::Http11) else {
        return Ok(false);
    };
    let websocket =
        grammar::members(upgrade).any(|member| member.eq_ignore_ascii_case(b"websocket"));
    if websocket && content != Content::None {
        return Err(Refusal::malformed("expected an upgrade without content", upgrade));
    }
    Ok(true)
}
