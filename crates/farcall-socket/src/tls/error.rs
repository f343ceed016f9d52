//! What can go wrong with TLS: a file, a certificate, a peer.
//!
//! Every message is one line that names the certificate, file or peer, and why.

use std::error::Error;
use std::fmt;
use std::io;

/// Why TLS failed, for code; the error's text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsErrorKind {
    /// A file could not be read.
    File,
    /// A certificate, key or root of our own is none, or not one that can be used.
    Material,
    /// The private key belongs to another certificate.
    KeyMismatch,
    /// The server's name is neither a host name nor an address.
    ServerName,
    /// A setting that cannot be used.
    Setting,
    /// The peer's certificate has expired.
    Expired,
    /// The peer's certificate is not valid yet.
    NotYetValid,
    /// No trusted root vouches for the peer's certificate.
    UnknownIssuer,
    /// The server's certificate is for other names.
    WrongName,
    /// The peer's certificate is wrong in another way.
    BadCertificate,
    /// The client sent no certificate where one is required.
    NoCertificate,
    /// Client and server have no application protocol in common (ALPN).
    NoProtocol,
    /// Client and server have no TLS version, cipher suite or key exchange in common.
    Incompatible,
    /// The peer refused us; the text says what its alert means.
    Alert,
    /// The peer does not speak TLS, but plaintext HTTP for example.
    NotTls,
    /// The peer ended the connection without the word that it would.
    Closed,
    /// The peer broke the rules of TLS, or its bytes were changed on the way.
    Protocol,
    /// The transport failed.
    Io,
    /// Anything else; the text says what.
    Other,
}

/// TLS that failed.
#[derive(Debug)]
pub struct TlsError {
    kind: TlsErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl TlsError {
    pub(super) fn new(kind: TlsErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(super) fn because(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// Why, for code.
    pub fn kind(&self) -> TlsErrorKind {
        self.kind
    }

    /// The error inside one that a read or a write gave, if TLS was its cause: a client learns only from its first read
    /// that the server refused its certificate.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        let of_the_source = || error.source.as_ref()?.downcast_ref().map(Self::kind);
        let kind = match error.kind {
            TlsErrorKind::Closed => io::ErrorKind::UnexpectedEof,
            TlsErrorKind::File | TlsErrorKind::Io => {
                of_the_source().unwrap_or(io::ErrorKind::Other)
            }
            TlsErrorKind::Material
            | TlsErrorKind::KeyMismatch
            | TlsErrorKind::ServerName
            | TlsErrorKind::Setting => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
