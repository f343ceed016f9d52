//! `sec-websocket-extensions` (RFC 6455 section 9.1), and what permessage-deflate says there (RFC
//! 7692 section 7.1).

use std::fmt::Write as _;

use super::{is_token, list};
use crate::websocket::{Deflate, DeflateOptions};

/// The one extension that is known here.
const NAME: &[u8] = b"permessage-deflate";

/// The smallest and the largest window that RFC 7692 allows, and the smallest that we can compress
/// with, as powers of two.
const MIN_BITS: u8 = 8;
const MAX_BITS: u8 = 15;
const MIN_OUR_BITS: u8 = 9;

/// The field is not of the form that RFC 6455 section 9.1 gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadForm;

/// One offer or answer of permessage-deflate, well formed and within RFC 7692.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) server_no_context_takeover: bool,
    pub(super) client_no_context_takeover: bool,
    pub(super) server_max_window_bits: Option<u8>,
    pub(super) client_max_window_bits: ClientWindow,
}

/// What is said of the client's window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ClientWindow {
    /// Nothing: in an offer, the client cannot be told.
    #[default]
    Unsaid,
    /// The client can be told.
    Any,
    /// It is, or is to be, at most two to this power.
    Bits(u8),
}

/// One element of the field: its name, and for permessage-deflate its parameters unless they break
/// RFC 7692.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) is_deflate: bool,
    pub(super) parameters: Option<Parameters>,
}

impl Parameters {
    /// What a client offers.
    pub(super) fn offer(options: &DeflateOptions) -> Self {
        Self {
            server_no_context_takeover: options.remote_no_context_takeover,
            client_no_context_takeover: options.local_no_context_takeover,
            server_max_window_bits: None,
            client_max_window_bits: ClientWindow::Any,
        }
    }

    /// What a server answers to this offer; `None` if it cannot do what is asked.
    pub(super) fn answer(self, options: &DeflateOptions) -> Option<Self> {
        if self.server_max_window_bits.is_some_and(|bits| bits < MIN_OUR_BITS) {
            return None;
        }
        Some(Self {
            server_no_context_takeover: self.server_no_context_takeover
                || options.local_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover
                || options.remote_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits,
            client_max_window_bits: ClientWindow::Unsaid,
        })
    }

    /// What this answer of a server means for the server itself.
    pub(super) fn for_server(self, options: &DeflateOptions) -> Deflate {
        Deflate {
            level: options.level,
            min_length: options.min_length,
            local_no_context_takeover: self.server_no_context_takeover,
            remote_no_context_takeover: self.client_no_context_takeover,
            local_window_bits: self.server_max_window_bits.unwrap_or(MAX_BITS),
        }
    }

    /// What this answer of a server means for the client that offered `options`; `None` if it is
    /// not an answer to that.
    pub(super) fn for_client(self, options: &DeflateOptions) -> Option<Deflate> {
        let local_window_bits = match self.client_max_window_bits {
            ClientWindow::Unsaid => MAX_BITS,
            ClientWindow::Bits(bits) if bits >= MIN_OUR_BITS => bits,
            ClientWindow::Any | ClientWindow::Bits(_) => return None,
        };
        if options.remote_no_context_takeover && !self.server_no_context_takeover {
            return None;
        }
        Some(Deflate {
            level: options.level,
            min_length: options.min_length,
            local_no_context_takeover: self.client_no_context_takeover
                || options.local_no_context_takeover,
            remote_no_context_takeover: self.server_no_context_takeover,
            local_window_bits,
        })
    }

    /// The field's value.
    pub(super) fn emit(self) -> String {
        let mut value = String::from("permessage-deflate");
        if self.server_no_context_takeover {
            value.push_str("; server_no_context_takeover");
        }
        if self.client_no_context_takeover {
            value.push_str("; client_no_context_takeover");
        }
        if let Some(bits) = self.server_max_window_bits {
            let _ = write!(value, "; server_max_window_bits={bits}");
        }
        match self.client_max_window_bits {
            ClientWindow::Unsaid => {}
            ClientWindow::Any => value.push_str("; client_max_window_bits"),
            ClientWindow::Bits(bits) => {
                let _ = write!(value, "; client_max_window_bits={bits}");
            }
        }
        value
    }

    /// Takes one parameter; `None` if RFC 7692 does not allow it.
    fn set(&mut self, name: &[u8], value: Option<&[u8]>) -> Option<()> {
        let flag =
            |slot: &mut bool| (value.is_none() && !std::mem::replace(slot, true)).then_some(());
        match name {
            b"server_no_context_takeover" => flag(&mut self.server_no_context_takeover),
            b"client_no_context_takeover" => flag(&mut self.client_no_context_takeover),
            b"server_max_window_bits" => {
                let bits = window_bits(value?)?;
                self.server_max_window_bits.replace(bits).is_none().then_some(())
            }
            b"client_max_window_bits" => {
                let window = match value {
                    Some(value) => ClientWindow::Bits(window_bits(value)?),
                    None => ClientWindow::Any,
                };
                let before = std::mem::replace(&mut self.client_max_window_bits, window);
                (before == ClientWindow::Unsaid).then_some(())
            }
            _ => None,
        }
    }
}

/// The elements of the field, in order.
pub(super) fn parse(value: &[u8]) -> impl Iterator<Item = Result<Extension, BadForm>> {
    list(value).map(parse_extension)
}

fn parse_extension(item: &[u8]) -> Result<Extension, BadForm> {
    let mut parts = item.split(|octet| *octet == b';');
    let name = parts.next().unwrap_or_default().trim_ascii();
    if !is_token(name) {
        return Err(BadForm);
    }
    let is_deflate = name.eq_ignore_ascii_case(NAME);
    let mut parameters = is_deflate.then(Parameters::default);
    for part in parts {
        let (name, value) = parse_parameter(part)?;
        parameters =
            parameters.and_then(|mut parameters| parameters.set(name, value).map(|()| parameters));
    }
    Ok(Extension { is_deflate, parameters })
}

/// `name`, `name=token` or `name="token"`: what is quoted is a token too, so that separators never are.
fn parse_parameter(part: &[u8]) -> Result<(&[u8], Option<&[u8]>), BadForm> {
    let part = part.trim_ascii();
    let Some(at) = part.iter().position(|octet| *octet == b'=') else {
        return if is_token(part) { Ok((part, None)) } else { Err(BadForm) };
    };
    let (name, value) = (part[..at].trim_ascii(), part[at + 1..].trim_ascii());
    let value = match value {
        [b'"', quoted @ .., b'"'] => quoted,
        token => token,
    };
    if is_token(name) && is_token(value) { Ok((name, Some(value))) } else { Err(BadForm) }
}

/// 8 to 15, without leading zeros.
fn window_bits(value: &[u8]) -> Option<u8> {
    let bits = match *value {
        [units @ b'8'..=b'9'] => units - b'0',
        [b'1', units @ b'0'..=b'5'] => 10 + (units - b'0'),
        _ => return None,
    };
    (MIN_BITS..=MAX_BITS).contains(&bits).then_some(bits)
}
