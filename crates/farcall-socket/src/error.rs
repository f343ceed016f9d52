//! What can go wrong before bytes flow: a bad endpoint, a failed bind, a failed connect.
//!
//! Every message names the endpoint and the cause. Text that came from outside is escaped and cut before it is shown.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use crate::Endpoint;
use crate::limits::QUOTED_BYTES;

/// An endpoint that cannot be understood: which part is wrong, what was expected there and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointError {
    url: String,
    part: &'static str,
    expected: &'static str,
    got: String,
}

impl EndpointError {
    pub(crate) fn new(url: &str, part: &'static str, expected: &'static str, got: &str) -> Self {
        Self {
            url: quote(url),
            part,
            expected,
            got: if got.is_empty() { "nothing".to_owned() } else { format!("`{}`", quote(got)) },
        }
    }

    /// The part that is wrong: `"scheme"`, `"host"`, `"port"`, `"path"`, `"name"`, `"descriptor"`, `"option"` or
    /// `"length"`.
    pub fn part(&self) -> &'static str {
        self.part
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, part, expected, got } = self;
        write!(f, "bad {part} in endpoint `{url}`: expected {expected}, got {got}")
    }
}

impl Error for EndpointError {}

/// Escapes control characters and cuts after [`QUOTED_BYTES`], so that a message stays one short line.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::new();
    for character in text.chars() {
        let escaped = if character.is_control() {
            character.escape_default().to_string()
        } else {
            character.to_string()
        };
        if quoted.len() + escaped.len() > QUOTED_BYTES {
            quoted.push_str("...");
            break;
        }
        quoted.push_str(&escaped);
    }
    quoted
}

/// A lookup that failed.
#[derive(Debug)]
pub struct ResolveError {
    endpoint: Endpoint,
    source: io::Error,
}

impl ResolveError {
    pub(crate) fn new(endpoint: &Endpoint, source: io::Error) -> Self {
        Self { endpoint: endpoint.clone(), source }
    }

    /// What was to be resolved.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot resolve {}: {}", self.endpoint, self.source)
    }
}

impl Error for ResolveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

impl From<ResolveError> for io::Error {
    fn from(error: ResolveError) -> Self {
        Self::new(error.source.kind(), error)
    }
}

/// Why a bind failed, for code; the error's text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BindErrorKind {
    /// Somebody else listens there, or a file that is no socket of ours is in the way.
    InUse,
    /// Not allowed: a port below 1024, or a folder that is closed to us or open to everybody.
    Permission,
    /// The address is not one of this machine's, or the folder does not exist.
    NotFound,
    /// The host name has no address.
    Unresolved,
    /// This scheme cannot be listened on.
    Unsupported,
    /// Anything else; the source says what.
    Other,
}

/// A bind that failed.
#[derive(Debug)]
pub struct BindError {
    endpoint: Endpoint,
    kind: BindErrorKind,
    source: io::Error,
}

impl BindError {
    pub(crate) fn new(endpoint: &Endpoint, kind: BindErrorKind, source: io::Error) -> Self {
        Self { endpoint: endpoint.clone(), kind, source }
    }

    /// An error of the system, with the kind that follows from it.
    pub(crate) fn from_io(endpoint: &Endpoint, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::AddrInUse => BindErrorKind::InUse,
            io::ErrorKind::PermissionDenied => BindErrorKind::Permission,
            io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory => BindErrorKind::NotFound,
            _ => BindErrorKind::Other,
        };
        Self::new(endpoint, kind, source)
    }

    pub(crate) fn unsupported(endpoint: &Endpoint) -> Self {
        Self::new(endpoint, BindErrorKind::Unsupported, not_yet(endpoint))
    }

    /// Why, for code.
    pub fn kind(&self) -> BindErrorKind {
        self.kind
    }

    /// What was to be listened on.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: {}", self.endpoint, self.source)
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

impl From<BindError> for io::Error {
    fn from(error: BindError) -> Self {
        Self::new(error.source.kind(), error)
    }
}

/// Why a connect failed, for code; the error's text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectErrorKind {
    /// Nobody listens there.
    Refused,
    /// No answer in time.
    Timeout,
    /// Not allowed, by the socket's file or by a firewall.
    Permission,
    /// There is no file at the Unix socket's path.
    NotFound,
    /// The host name has no address.
    Unresolved,
    /// No route leads there.
    Unreachable,
    /// This scheme cannot be connected to.
    Unsupported,
    /// Anything else; the attempts say what.
    Other,
}

/// One address that was tried, and why it failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The address that was tried; `None` where there is only one way to reach the endpoint.
    pub address: Option<SocketAddr>,
    /// Why it failed.
    pub error: io::Error,
}

/// A connect that failed: every address that was tried, each with its cause.
#[derive(Debug)]
pub struct ConnectError {
    endpoint: Endpoint,
    kind: ConnectErrorKind,
    attempts: Vec<Attempt>,
}

impl ConnectError {
    /// A connect that failed before or without an address to try.
    pub(crate) fn new(endpoint: &Endpoint, kind: ConnectErrorKind, error: io::Error) -> Self {
        Self { endpoint: endpoint.clone(), kind, attempts: vec![Attempt { address: None, error }] }
    }

    /// An error of the system, with the kind that follows from it.
    pub(crate) fn from_io(endpoint: &Endpoint, error: io::Error) -> Self {
        Self::new(endpoint, connect_kind(&error), error)
    }

    /// Several addresses that all failed. The kind is the one that says most about the other end.
    pub(crate) fn from_attempts(endpoint: &Endpoint, attempts: Vec<Attempt>) -> Self {
        let kinds: Vec<_> = attempts.iter().map(|a| connect_kind(&a.error)).collect();
        let kind =
            [ConnectErrorKind::Refused, ConnectErrorKind::Timeout, ConnectErrorKind::Unreachable]
                .into_iter()
                .find(|kind| kinds.contains(kind))
                .or_else(|| kinds.first().copied())
                .unwrap_or(ConnectErrorKind::Other);
        Self { endpoint: endpoint.clone(), kind, attempts }
    }

    pub(crate) fn unsupported(endpoint: &Endpoint) -> Self {
        Self::new(endpoint, ConnectErrorKind::Unsupported, not_yet(endpoint))
    }

    /// Why, for code.
    pub fn kind(&self) -> ConnectErrorKind {
        self.kind
    }

    /// What was to be connected to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What was tried, in the order in which it was to be tried.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}", self.endpoint)?;
        for (index, attempt) in self.attempts.iter().enumerate() {
            f.write_str(if index == 0 { ": " } else { "; " })?;
            if let Some(address) = attempt.address {
                write!(f, "{address}: ")?;
            }
            write!(f, "{}", attempt.error)?;
        }
        Ok(())
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let attempt = self.attempts.first()?;
        Some(&attempt.error)
    }
}

impl From<ConnectError> for io::Error {
    fn from(error: ConnectError) -> Self {
        let kind = match error.kind {
            ConnectErrorKind::Refused => io::ErrorKind::ConnectionRefused,
            ConnectErrorKind::Timeout => io::ErrorKind::TimedOut,
            ConnectErrorKind::Permission => io::ErrorKind::PermissionDenied,
            ConnectErrorKind::NotFound => io::ErrorKind::NotFound,
            ConnectErrorKind::Unresolved => io::ErrorKind::AddrNotAvailable,
            ConnectErrorKind::Unreachable => io::ErrorKind::HostUnreachable,
            ConnectErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ConnectErrorKind::Other => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

fn connect_kind(error: &io::Error) -> ConnectErrorKind {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectErrorKind::Refused,
        io::ErrorKind::TimedOut => ConnectErrorKind::Timeout,
        io::ErrorKind::PermissionDenied => ConnectErrorKind::Permission,
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ConnectErrorKind::NotFound,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            ConnectErrorKind::Unreachable
        }
        _ => ConnectErrorKind::Other,
    }
}

fn not_yet(endpoint: &Endpoint) -> io::Error {
    let text = if endpoint.is_tls() {
        "a socket by itself speaks no TLS; tcp:// gives the connection without it".to_owned()
    } else {
        format!("not yet: {}://", endpoint.scheme())
    };
    io::Error::new(io::ErrorKind::Unsupported, text)
}
