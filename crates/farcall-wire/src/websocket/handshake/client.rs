//! The client's side: the request, and whether the response accepts it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::extensions::{self, Parameters};
use super::{Agreed, VERSION, accept_key, list};
use crate::event::ResponseHead;
use crate::fields::Fields;
use crate::websocket::DeflateOptions;

/// Where a WebSocket is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTarget<'a> {
    /// `http` for ws, `https` for wss.
    pub scheme: &'a str,
    /// Host and port.
    pub authority: &'a str,
    /// Path and query.
    pub path: &'a str,
}

/// An opening handshake of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The key in Base64; `None` over HTTP/2.
    key: Option<String>,
    subprotocols: Vec<String>,
    deflate: Option<DeflateOptions>,
}

/// Why a response does not make a WebSocket of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The status that came.
    pub status: u16,
    /// What was expected.
    pub reason: &'static str,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, got status {}", self.reason, self.status)
    }
}

impl std::error::Error for VerifyError {}

impl Request {
    /// A handshake over HTTP/1.1. `nonce` is random and another one for each connection (RFC 6455
    /// section 4.1).
    pub fn http1(nonce: [u8; 16]) -> Self {
        Self { key: Some(STANDARD.encode(nonce)), subprotocols: Vec::new(), deflate: None }
    }

    /// A handshake over a stream of HTTP/2 whose server allows extended CONNECT.
    pub fn http2() -> Self {
        Self { key: None, subprotocols: Vec::new(), deflate: None }
    }

    /// Offers a subprotocol, behind those offered before.
    #[must_use]
    pub fn subprotocol(mut self, name: &str) -> Self {
        self.subprotocols.push(name.to_owned());
        self
    }

    /// Offers permessage-deflate.
    #[must_use]
    pub fn deflate(mut self, options: DeflateOptions) -> Self {
        self.deflate = Some(options);
        self
    }

    /// The head of the request, to which the caller may append fields of its own.
    pub fn fields(&self, target: RequestTarget<'_>) -> Fields {
        let mut head = Fields::new();
        head.push(":method", if self.key.is_some() { "GET" } else { "CONNECT" });
        if self.key.is_none() {
            head.push(":protocol", "websocket");
        }
        head.push(":scheme", target.scheme);
        head.push(":path", target.path);
        head.push(":authority", target.authority);
        if let Some(key) = &self.key {
            head.push("upgrade", "websocket");
            head.push("sec-websocket-key", key);
        }
        head.push("sec-websocket-version", VERSION);
        if !self.subprotocols.is_empty() {
            head.push("sec-websocket-protocol", self.subprotocols.join(", "));
        }
        if let Some(options) = &self.deflate {
            head.push("sec-websocket-extensions", Parameters::offer(options).emit());
        }
        head
    }

    /// Judges the response (RFC 6455 section 4.1, RFC 8441 section 5).
    pub fn verify(&self, head: &ResponseHead) -> Result<Agreed, VerifyError> {
        self.agree(head.status(), head.fields())
            .map_err(|reason| VerifyError { status: head.status(), reason })
    }

    fn agree(&self, status: u16, fields: &Fields) -> Result<Agreed, &'static str> {
        if let Some(key) = &self.key {
            if status != 101 {
                return Err("expected status 101 (the server does not speak WebSocket here)");
            }
            if !fields
                .get_all("upgrade")
                .flat_map(list)
                .any(|name| name.eq_ignore_ascii_case(b"websocket"))
            {
                return Err("expected upgrade: websocket");
            }
            let accept = single(fields, "sec-websocket-accept")?;
            if accept != Some(accept_key(key.as_bytes()).as_bytes()) {
                return Err("expected a sec-websocket-accept that answers the key");
            }
        } else if !(200..300).contains(&status) {
            return Err("expected status 200 (the server does not speak WebSocket here)");
        }
        Ok(Agreed {
            subprotocol: self.agree_subprotocol(fields)?,
            deflate: self.agree_deflate(fields)?,
        })
    }

    fn agree_subprotocol(&self, fields: &Fields) -> Result<Option<String>, &'static str> {
        let Some(name) = single(fields, "sec-websocket-protocol")? else { return Ok(None) };
        let offered = self.subprotocols.iter().find(|offered| offered.as_bytes() == name);
        offered.cloned().map(Some).ok_or("expected a subprotocol that was offered")
    }

    fn agree_deflate(&self, fields: &Fields) -> Result<Option<super::Deflate>, &'static str> {
        let mut extensions = fields.get_all("sec-websocket-extensions").flat_map(extensions::parse);
        let Some(extension) = extensions.next() else { return Ok(None) };
        let reason = "expected no extension but the one that was offered, with legal parameters";
        let parameters = extension.ok().and_then(|extension| extension.parameters).ok_or(reason)?;
        let options = self.deflate.as_ref().ok_or(reason)?;
        if extensions.next().is_some() {
            return Err(reason);
        }
        parameters.for_client(options).map(Some).ok_or(reason)
    }
}

/// The value of a field that may come once.
fn single<'a>(fields: &'a Fields, name: &str) -> Result<Option<&'a [u8]>, &'static str> {
    let mut values = fields.get_all(name);
    let value = values.next();
    match values.next() {
        Some(_) => Err("expected each sec-websocket field once"),
        None => Ok(value.map(<[u8]>::trim_ascii)),
    }
}
