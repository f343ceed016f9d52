//! Who is at the other end of a connection.
//!
//! A peer is what the kernel says about the other end, and over TLS the certificates that were verified. It is never what
//! the other end says about itself, and it never decides whether somebody may do something.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "tls")]
use crate::tls::Certificate;

/// Where one end of a connection is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An address and port. IPv4 addresses that came in through an IPv6 socket are written as IPv4.
    Tcp(SocketAddr),
    /// The path of the Unix socket that the connection goes through; both ends give the same path.
    Unix(Arc<Path>),
    /// The abstract name of the Unix socket that the connection goes through, without its leading NUL.
    Abstract(Arc<str>),
    /// A Unix socket without a name, as of a pair.
    Unnamed,
    /// Inside this process: the name of the `mem://` listener, or none for a pair.
    Memory(Option<Arc<str>>),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Abstract(name) => write!(f, "unix://@{name}"),
            Self::Unnamed => f.write_str("unnamed"),
            Self::Memory(Some(name)) => write!(f, "mem://{name}"),
            Self::Memory(None) => f.write_str("in-process"),
        }
    }
}

/// The user and process at the other end of a Unix socket, as they were when the peer connected or began to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// The user's id.
    pub uid: u32,
    /// The group's id.
    pub gid: u32,
    /// The process's id. The number can belong to another process once this one has ended.
    pub pid: Option<i32>,
}

/// Who is at the other end of a connection.
///
/// Prints as `tcp://127.0.0.1:40122`, `unix:///run/x.sock (uid 0, pid 12)`, `mem://name` or `in-process`; a certificate
/// follows as `(certificate for ada.example)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    address: Address,
    credentials: Option<Credentials>,
    is_encrypted: bool,
    #[cfg(feature = "tls")]
    certificates: Arc<[Certificate]>,
}

impl From<Address> for Peer {
    /// A peer of which nothing but the address is known, for [`crate::Connection::from_stream`].
    fn from(address: Address) -> Self {
        Self::new(address, None)
    }
}

impl Peer {
    pub(crate) fn new(address: Address, credentials: Option<Credentials>) -> Self {
        Self {
            address,
            credentials,
            is_encrypted: false,
            #[cfg(feature = "tls")]
            certificates: Arc::default(),
        }
    }

    /// The same peer as TLS knows it.
    #[cfg(feature = "tls")]
    pub(crate) fn with_certificates(&self, certificates: Vec<Certificate>) -> Self {
        let certificates = certificates.into();
        Self { is_encrypted: true, certificates, ..self.clone() }
    }

    /// The other end's address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The other end's IP address and port, where it has one.
    pub fn socket_address(&self) -> Option<SocketAddr> {
        match self.address {
            Address::Tcp(address) => Some(address),
            _ => None,
        }
    }

    /// The other end's user and process; only Unix sockets tell (`SO_PEERCRED`).
    pub fn credentials(&self) -> Option<Credentials> {
        self.credentials
    }

    /// Whether TLS is spoken on the connection. Unix sockets and memory are not encrypted; they leave no machine.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// The certificates that the other end has proven to own, its own one first and then those of its issuers as it sent
    /// them. Empty without TLS, when the other end sent none, and when they were not verified (`ClientTls::insecure`).
    #[cfg(feature = "tls")]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        match self.credentials {
            Some(Credentials { uid, pid: Some(pid), .. }) => write!(f, " (uid {uid}, pid {pid})"),
            Some(Credentials { uid, pid: None, .. }) => write!(f, " (uid {uid})"),
            None => Ok(()),
        }?;
        #[cfg(feature = "tls")]
        if let Some(certificate) = self.certificates.first() {
            write!(f, " (certificate for {})", certificate.holder())?;
        }
        Ok(())
    }
}
