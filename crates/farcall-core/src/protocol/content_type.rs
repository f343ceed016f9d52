//! Content types: which dialect a body is in.

use super::reply::CONTENT_TYPES;
use super::{Dialect, Framing, Protocol};
use crate::codec::Codec;

/// What a content type says; none when it is no call's. Parameters are overlooked, but for a charset that JSON never has.
pub(super) fn read(value: &[u8]) -> Option<Dialect> {
    // What is sent here is what most others send.
    let known = CONTENT_TYPES.iter().position(|known| known.as_bytes() == value);
    if let Some(number) = known {
        return Some(Dialect::numbered(number));
    }
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let (essence, parameters) = value.split_at(end);
    let subtype = strip_prefix(essence.trim_ascii_end(), b"application/")?;
    let dialect = read_subtype(subtype)?;
    (dialect.codec() == Codec::Proto || is_utf8(parameters)).then_some(dialect)
}

fn read_subtype(subtype: &[u8]) -> Option<Dialect> {
    let enveloped = [
        (&b"grpc-web-text"[..], Protocol::GrpcWeb, Framing::EnvelopedText),
        (b"grpc-web", Protocol::GrpcWeb, Framing::Enveloped),
        (b"grpc", Protocol::Grpc, Framing::Enveloped),
        (b"connect", Protocol::Connect, Framing::Enveloped),
    ];
    for (name, protocol, framing) in enveloped {
        let Some(suffix) = strip_prefix(subtype, name) else { continue };
        let codec = match suffix {
            // "application/connect" without a codec is nothing.
            b"" if protocol != Protocol::Connect => Codec::Proto,
            [b'+', codec @ ..] => read_codec(codec)?,
            // "application/grpc-web" begins like "application/grpc".
            _ => continue,
        };
        return Some(Dialect::new(protocol, codec, framing));
    }
    Some(Dialect::new(Protocol::Connect, read_codec(subtype)?, Framing::Bare))
}

fn read_codec(name: &[u8]) -> Option<Codec> {
    [Codec::Proto, Codec::Json]
        .into_iter()
        .find(|codec| codec.name().as_bytes().eq_ignore_ascii_case(name))
}

fn strip_prefix<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (beginning, rest) = text.split_at_checked(prefix.len())?;
    beginning.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Whether parameters leave JSON in the one charset it has (RFC 8259 section 8.1).
fn is_utf8(parameters: &[u8]) -> bool {
    parameters.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).all(|parameter| {
        strip_prefix(parameter, b"charset=").is_none_or(|charset| {
            let charset = charset.trim_ascii();
            let charset = charset
                .strip_prefix(b"\"")
                .and_then(|charset| charset.strip_suffix(b"\""))
                .unwrap_or(charset);
            charset.eq_ignore_ascii_case(b"utf-8")
        })
    })
}
