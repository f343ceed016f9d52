//! What a handshake came to.

use std::fmt;

use rustls::{CipherSuite, Connection, HandshakeKind, ProtocolVersion};

use crate::error::quote;

/// What a handshake came to.
///
/// Prints as `TLS 1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768, h2, resumed`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsInfo {
    version: &'static str,
    cipher_suite: String,
    key_exchange: Option<&'static str>,
    alpn: Option<Vec<u8>>,
    server_name: Option<String>,
    is_resumed: bool,
    is_verified: bool,
}

impl TlsInfo {
    /// `server_name` is what a client asked for; a server's is known to rustls.
    pub(super) fn new(state: &Connection, server_name: Option<&str>, is_verified: bool) -> Self {
        let server_name = match state {
            Connection::Client(_) => server_name,
            Connection::Server(server) => server.server_name(),
        };
        let suite = state.negotiated_cipher_suite().map(|suite| suite.suite());
        Self {
            version: match state.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
                _ => "TLS",
            },
            cipher_suite: suite.map(registered_name).unwrap_or_default(),
            key_exchange: state.negotiated_key_exchange_group().and_then(|g| g.name().as_str()),
            alpn: state.alpn_protocol().map(<[u8]>::to_vec),
            server_name: server_name.map(str::to_owned),
            is_resumed: state.handshake_kind() == Some(HandshakeKind::Resumed),
            is_verified,
        }
    }

    /// `TLS 1.2` or `TLS 1.3`.
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// The cipher suite as it is registered, as in `TLS_AES_256_GCM_SHA384`.
    pub fn cipher_suite(&self) -> &str {
        &self.cipher_suite
    }

    /// The group of the key exchange, as in `X25519MLKEM768`; that one resists quantum computers.
    pub fn key_exchange(&self) -> Option<&'static str> {
        self.key_exchange
    }

    /// The application protocol that both chose, as in `h2`; `None` when one of them did not take part in ALPN.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.alpn.as_deref()
    }

    /// The host that the client asked for. A server knows it only if it was a name, not an address (SNI, RFC 6066).
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Whether an earlier session was taken up again, which spares the certificates and most of the computing.
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// Whether the peer has shown a certificate that was verified. A server that asks for none, and a client that is
    /// `insecure`, know nothing about the peer.
    pub fn is_verified(&self) -> bool {
        self.is_verified
    }
}

/// rustls calls those of TLS 1.3 `TLS13_`.
fn registered_name(suite: CipherSuite) -> String {
    match suite.as_str() {
        Some(name) => name.replacen("TLS13_", "TLS_", 1),
        None => format!("0x{:04x}", u16::from(suite)),
    }
}

impl fmt::Display for TlsInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.version, self.cipher_suite)?;
        if let Some(group) = self.key_exchange {
            write!(f, ", {group}")?;
        }
        if let Some(alpn) = &self.alpn {
            write!(f, ", {}", quote(&String::from_utf8_lossy(alpn)))?;
        }
        f.write_str(if self.is_resumed { ", resumed" } else { "" })
    }
}
