//! Which protocol a connection speaks, told by its first bytes.
//!
//! A pure function of the bytes so far: it keeps nothing, waits for nothing and judges nothing but
//! the beginning. A decision never changes when more bytes come, and the most that it needs are the
//! 24 octets of the HTTP/2 preface.

use crate::http2::frame::CLIENT_PREFACE;

/// The first octets of a connection that speaks farcall's native protocol.
pub const NATIVE_MAGIC: &[u8; 8] = b"FARCALL1";

/// Octets of a method that is recognised as HTTP/1.
const MAX_METHOD: usize = 20;

/// The largest payload of a plaintext TLS record (RFC 8446 section 5.1).
const MAX_TLS_RECORD: usize = 1 << 14;

/// The first octets of every SSH server and client, which would pass for a method.
const SSH: &[u8] = b"SSH-";

/// What the first bytes of a connection say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Detected {
    /// Not decided: more bytes are needed, 24 in all at most.
    More,
    /// A TLS handshake record with a `ClientHello`.
    Tls,
    /// HTTP/2 with prior knowledge: the client's connection preface.
    Http2,
    /// An HTTP/1 request, perhaps a bad one.
    Http1,
    /// farcall's native protocol.
    Native,
    /// Nothing that is known here.
    Unknown,
}

/// Decides by the first `bytes` of a connection.
pub fn detect(bytes: &[u8]) -> Detected {
    if bytes.first() == Some(&0x16) {
        return detect_tls(bytes);
    }
    if let Some(decided) = compare(bytes, CLIENT_PREFACE, Detected::Http2) {
        return decided;
    }
    if let Some(decided) = compare(bytes, NATIVE_MAGIC, Detected::Native) {
        return decided;
    }
    detect_http1(bytes)
}

/// `More` or `whole` while `bytes` and `form` agree; `None` when they differ.
fn compare(bytes: &[u8], form: &[u8], whole: Detected) -> Option<Detected> {
    let length = bytes.len().min(form.len());
    if bytes[..length] != form[..length] {
        return None;
    }
    Some(if length == form.len() { whole } else { Detected::More })
}

/// A record of type handshake, of SSL 3.0 to TLS 1.3, whose message is a `ClientHello`. The hello
/// itself may go on in later records.
fn detect_tls(bytes: &[u8]) -> Detected {
    let plausible = match *bytes {
        [_, major, ..] if major != 3 => false,
        [_, _, minor, ..] if minor > 4 => false,
        [_, _, _, high, ..] if usize::from(high) << 8 > MAX_TLS_RECORD => false,
        [_, _, _, high, low, ..] => {
            (1..=MAX_TLS_RECORD).contains(&usize::from(u16::from_be_bytes([high, low])))
                && bytes.get(5).is_none_or(|kind| *kind == 1)
        }
        _ => true,
    };
    match (plausible, bytes.len() > 5) {
        (false, _) => Detected::Unknown,
        (true, false) => Detected::More,
        (true, true) => Detected::Tls,
    }
}

/// A method and a space. One empty line may come first (RFC 9112 section 2.2).
fn detect_http1(bytes: &[u8]) -> Detected {
    if bytes == b"\r" {
        return Detected::More;
    }
    let line = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    if line.starts_with(SSH) {
        return Detected::Unknown;
    }
    let method = line.iter().take(MAX_METHOD + 1).take_while(|octet| is_token(**octet)).count();
    match line.get(method) {
        _ if method > MAX_METHOD => Detected::Unknown,
        None => Detected::More,
        Some(b' ') if method > 0 => Detected::Http1,
        Some(_) => Detected::Unknown,
    }
}

/// Octets of a token (RFC 9110 section 5.6.2).
fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}
