//! From an HTTP request to a WebSocket: the heads of both ends, for HTTP/1.1 (RFC 6455 section 4)
//! and HTTP/2 (RFC 8441 section 5).
//!
//! ```text
//!   server: request head --check--> Offer --accept--> response head, Agreed
//!   client: Request --fields--> request head;  response head --verify--> Agreed
//! ```
//! All in one linear pass over fields that the HTTP engine has bounded already. The fields
//! `connection` (HTTP/1.1) are the HTTP engine's to read and to write: a head with `upgrade` means
//! `connection: upgrade` beside it.

mod client;
mod extensions;
mod server;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1_smol::Sha1;

use super::Deflate;

pub use client::{Request, RequestTarget, VerifyError};
pub use server::{Offer, Refused, check, is_upgrade};

/// What is hashed behind the key (RFC 6455 section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The version that RFC 6455 describes.
const VERSION: &[u8] = b"13";

/// What both ends agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The subprotocol, if there is one.
    pub subprotocol: Option<String>,
    /// Compression, if there is any: for [`Config::deflate`](super::Config::deflate).
    pub deflate: Option<Deflate>,
}

/// The value of `sec-websocket-accept` that answers a `sec-websocket-key` (RFC 6455 section 4.2.2).
pub fn accept_key(key: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    STANDARD.encode(hash.digest().bytes())
}

/// Whether `key` is 16 octets in Base64.
fn is_key(key: &[u8]) -> bool {
    STANDARD.decode(key).is_ok_and(|octets| octets.len() == 16)
}

/// The elements of a comma-separated list, without spaces around them.
fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|octet| *octet == b',').map(<[u8]>::trim_ascii).filter(|item| !item.is_empty())
}

/// Whether this is a token (RFC 9110 section 5.6.2).
fn is_token(octets: &[u8]) -> bool {
    !octets.is_empty()
        && octets
            .iter()
            .all(|octet| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet))
}
