//! The server's side: is this request a proper opening handshake, and the answer to it.

use super::extensions::{self, Parameters};
use super::{Agreed, VERSION, accept_key, is_key, is_token, list};
use crate::event::RequestHead;
use crate::fields::Fields;
use crate::limits::WebSocketLimits;
use crate::websocket::DeflateOptions;

/// Why a handshake is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status: 400, 405 or 426.
    pub status: u16,
    /// What was expected and what came.
    pub reason: &'static str,
}

impl Refused {
    fn bad(reason: &'static str) -> Self {
        Self { status: 400, reason }
    }

    /// The head of the answer; its body is the reason.
    pub fn head(&self) -> Fields {
        let mut head = Fields::new();
        head.push(":status", self.status.to_string());
        match self.status {
            // RFC 6455 section 4.4, RFC 9110 sections 15.5.6 and 15.5.22.
            426 => {
                head.push("sec-websocket-version", VERSION);
                head.push("upgrade", "websocket");
            }
            405 => head.push("allow", "GET"),
            _ => {}
        }
        head.push("content-type", "text/plain; charset=utf-8");
        head
    }
}

/// What a client offered in a proper opening handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The key to be answered; `None` over HTTP/2, which needs none.
    key: Option<Vec<u8>>,
    subprotocols: Vec<String>,
    deflate: Vec<Parameters>,
}

/// Whether a request asks for a WebSocket at all: by `upgrade` (HTTP/1.1) or by `:protocol`
/// (HTTP/2).
pub fn is_upgrade(head: &RequestHead) -> bool {
    match head.protocol() {
        Some(protocol) => is_websocket(protocol),
        None => head.fields().get_all("upgrade").flat_map(list).any(is_websocket),
    }
}

fn is_websocket(protocol: &[u8]) -> bool {
    protocol.eq_ignore_ascii_case(b"websocket")
}

/// Judges a request that asks for a WebSocket (RFC 6455 section 4.2.1, RFC 8441 section 5). `end`:
/// no content follows its head, as the engine's event says.
pub fn check(head: &RequestHead, end: bool, limits: &WebSocketLimits) -> Result<Offer, Refused> {
    let fields = head.fields();
    let key = match head.protocol() {
        Some(_) => {
            if end {
                return Err(Refused::bad("a CONNECT whose stream has ended"));
            }
            None
        }
        None => Some(check_http1(head, end)?),
    };
    if one(fields, "sec-websocket-version")? != Some(VERSION) {
        let reason = "expected sec-websocket-version 13";
        return Err(Refused { status: 426, reason });
    }
    Ok(Offer {
        key,
        subprotocols: subprotocols(fields, limits.max_offers)?,
        deflate: deflate_offers(fields, limits.max_offers)?,
    })
}

/// What HTTP/1.1 demands beyond; the key.
fn check_http1(head: &RequestHead, end: bool) -> Result<Vec<u8>, Refused> {
    if head.method() != b"GET" {
        return Err(Refused { status: 405, reason: "expected the method GET for a WebSocket" });
    }
    if !is_upgrade(head) {
        return Err(Refused { status: 426, reason: "expected upgrade: websocket" });
    }
    if !end || head.fields().get_all("content-length").any(|length| length != b"0") {
        return Err(Refused::bad("expected no content in a request for a WebSocket"));
    }
    match one(head.fields(), "sec-websocket-key")? {
        Some(key) if is_key(key) => Ok(key.to_vec()),
        Some(_) => Err(Refused::bad("expected a sec-websocket-key of 16 octets in Base64")),
        None => Err(Refused::bad("expected a sec-websocket-key")),
    }
}

/// The value of a field that may come once.
fn one<'a>(fields: &'a Fields, name: &str) -> Result<Option<&'a [u8]>, Refused> {
    let mut values = fields.get_all(name);
    let value = values.next();
    match values.next() {
        Some(_) => Err(Refused::bad("a sec-websocket field twice that may come once")),
        None => Ok(value.map(<[u8]>::trim_ascii)),
    }
}

fn subprotocols(fields: &Fields, most: usize) -> Result<Vec<String>, Refused> {
    let mut subprotocols = Vec::new();
    for name in fields.get_all("sec-websocket-protocol").flat_map(list) {
        if !is_token(name) {
            return Err(Refused::bad("a subprotocol that is no token"));
        }
        if subprotocols.len() >= most {
            return Err(Refused::bad("too many subprotocols"));
        }
        subprotocols.push(String::from_utf8_lossy(name).into_owned());
    }
    Ok(subprotocols)
}

/// The offers of permessage-deflate that keep to RFC 7692; others are declined, as it demands.
fn deflate_offers(fields: &Fields, most: usize) -> Result<Vec<Parameters>, Refused> {
    let mut offers = Vec::new();
    let extensions = fields.get_all("sec-websocket-extensions").flat_map(extensions::parse);
    for (count, extension) in extensions.enumerate() {
        if count >= most {
            return Err(Refused::bad("too many extensions"));
        }
        let extension =
            extension.map_err(|_| Refused::bad("malformed sec-websocket-extensions"))?;
        offers.extend(extension.parameters);
    }
    Ok(offers)
}

impl Offer {
    /// The subprotocols that the client speaks, the one it likes best first.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.subprotocols.iter().map(String::as_str)
    }

    /// Whether the client speaks `subprotocol`.
    pub fn speaks(&self, subprotocol: &str) -> bool {
        self.subprotocols().any(|offered| offered == subprotocol)
    }

    /// Whether the client offers permessage-deflate.
    pub fn offers_deflate(&self) -> bool {
        !self.deflate.is_empty()
    }

    /// The head that answers the handshake, and what is agreed by it: `subprotocol` if the client
    /// offered it, compression if the client offered it and `deflate` is given.
    pub fn accept(
        &self,
        subprotocol: Option<&str>,
        deflate: Option<&DeflateOptions>,
    ) -> (Fields, Agreed) {
        let subprotocol = subprotocol.filter(|subprotocol| self.speaks(subprotocol));
        let answer = deflate.and_then(|options| {
            self.deflate.iter().find_map(|offer| Some((offer.answer(options)?, options)))
        });
        let mut head = Fields::new();
        match &self.key {
            Some(key) => {
                head.push(":status", "101");
                head.push("upgrade", "websocket");
                head.push("sec-websocket-accept", accept_key(key));
            }
            None => head.push(":status", "200"),
        }
        if let Some(subprotocol) = subprotocol {
            head.push("sec-websocket-protocol", subprotocol);
        }
        if let Some((parameters, _)) = answer {
            head.push("sec-websocket-extensions", parameters.emit());
        }
        let agreed = Agreed {
            subprotocol: subprotocol.map(str::to_owned),
            deflate: answer.map(|(parameters, options)| parameters.for_server(options)),
        };
        (head, agreed)
    }
}
