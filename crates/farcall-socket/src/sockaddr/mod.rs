//! Socket addresses as bytes: what `bind`, `connect` and `accept` hand to the kernel and get back.
//!
//! Each address has two types. A view looks into bytes that came from somewhere and judges nothing: a field that the bytes
//! are too short for is `None`. A value is always legal, and emits exactly the bytes that Linux expects. Nothing here asks
//! the kernel or a name server.
//!
//! ```text
//! sockaddr_in, 16 bytes          127.0.0.1:8080 = 02 00  1f 90  7f 00 00 01  00 00 00 00 00 00 00 00
//!   family u16 (host order) | port u16 | address 4 | 8 of zero
//! sockaddr_in6, 28 bytes
//!   family u16 (host order) | port u16 | flowinfo u32 | address 16 | scope_id u32 (host order)
//! sockaddr_un, 2 to 110 bytes
//!   family u16 (host order) | path and a NUL, or a NUL and an abstract name, or nothing
//! sockaddr_storage, 128 bytes: any of them, and zeros
//! ```
//!
//! Port, flow information and addresses are in network byte order; the family and the scope are the kernel's own numbers
//! and in the order of the machine.
//!
//! ```
//! use farcall_socket::sockaddr::{Sockaddr, SockaddrView};
//!
//! let address = Sockaddr::from("127.0.0.1:8080".parse::<std::net::SocketAddr>()?);
//! let storage = address.to_storage();
//! assert_eq!(storage.address()[2..8], [0x1f, 0x90, 127, 0, 0, 1]);
//! assert_eq!(SockaddrView::new(storage.address()).parse()?, address);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod inet;
mod inet6;
mod storage;
mod text;
mod unix;

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

pub use inet::{SockaddrIn, SockaddrInView};
pub use inet6::{SockaddrIn6, SockaddrIn6View};
pub use storage::{SockaddrStorage, SockaddrStorageView};
pub use unix::{SockaddrUn, SockaddrUnView};

/// `AF_UNIX`: sockets of one machine.
pub const AF_UNIX: u16 = 1;
/// `AF_INET`: IPv4.
pub const AF_INET: u16 = 2;
/// `AF_INET6`: IPv6.
pub const AF_INET6: u16 = 10;

/// Looks into the bytes of an address of any family (`struct sockaddr`) and judges nothing.
#[derive(Clone, Copy, Debug)]
pub struct SockaddrView<'a> {
    bytes: &'a [u8],
}

impl<'a> SockaddrView<'a> {
    /// A view of these bytes, whatever they are.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The address family, such as [`AF_INET`]; `None` when there are less than 2 bytes.
    pub fn family(self) -> Option<u16> {
        field(self.bytes, 0).map(u16::from_ne_bytes)
    }

    /// What follows the family (`sa_data`).
    pub fn data(self) -> &'a [u8] {
        self.bytes.get(2..).unwrap_or_default()
    }

    /// The address as a value.
    ///
    /// # Errors
    /// When the family is none of the three, or the bytes are too short or too long for it.
    pub fn parse(self) -> Result<Sockaddr, SockaddrError> {
        match self.family() {
            Some(AF_UNIX) => SockaddrUnView::new(self.bytes).parse().map(Sockaddr::Un),
            Some(AF_INET) => SockaddrInView::new(self.bytes).parse().map(Sockaddr::In),
            Some(AF_INET6) => SockaddrIn6View::new(self.bytes).parse().map(Sockaddr::In6),
            Some(family) => Err(SockaddrError::Family { expected: "1, 2 or 10", got: family }),
            None => Err(SockaddrError::Short { expected: 2, got: self.bytes.len() }),
        }
    }
}

/// An address of one of the three families.
///
/// Prints as `127.0.0.1:80`, `[::1]:80`, `/run/x.sock`, `@abstract` or `(unnamed)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sockaddr {
    /// IPv4: `sockaddr_in`.
    In(SockaddrIn),
    /// IPv6: `sockaddr_in6`.
    In6(SockaddrIn6),
    /// Unix: `sockaddr_un`.
    Un(SockaddrUn),
}

impl Sockaddr {
    /// The address family, such as [`AF_INET`].
    pub fn family(&self) -> u16 {
        match self {
            Self::In(_) => AF_INET,
            Self::In6(_) => AF_INET6,
            Self::Un(_) => AF_UNIX,
        }
    }

    /// How many bytes the address has: 16, 28, or 2 to 110.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        match self {
            Self::In(_) => SockaddrIn::BYTES,
            Self::In6(_) => SockaddrIn6::BYTES,
            Self::Un(address) => address.len(),
        }
    }

    /// The address as the kernel takes it.
    pub fn to_storage(&self) -> SockaddrStorage {
        SockaddrStorage::from(*self)
    }

    /// The address and port of an IP address.
    pub fn socket_address(&self) -> Option<SocketAddr> {
        match *self {
            Self::In(address) => Some(SocketAddr::V4(address.into())),
            Self::In6(address) => Some(SocketAddr::V6(address.into())),
            Self::Un(_) => None,
        }
    }
}

impl From<SocketAddr> for Sockaddr {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(address) => Self::In(address.into()),
            SocketAddr::V6(address) => Self::In6(address.into()),
        }
    }
}

impl From<SockaddrUn> for Sockaddr {
    fn from(address: SockaddrUn) -> Self {
        Self::Un(address)
    }
}

impl fmt::Display for Sockaddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.socket_address()) {
            (Self::Un(address), _) => address.fmt(f),
            (_, Some(address)) => address.fmt(f),
            (_, None) => Ok(()),
        }
    }
}

/// Bytes that are no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SockaddrError {
    /// Another family than was expected.
    Family {
        /// The numbers that were expected.
        expected: &'static str,
        /// The number that came.
        got: u16,
    },
    /// Fewer bytes than the family needs.
    Short {
        /// The bytes that are needed.
        expected: usize,
        /// The bytes that came.
        got: usize,
    },
    /// A path or abstract name with more bytes than `sun_path` holds.
    Long {
        /// The most bytes that fit.
        expected: usize,
        /// The bytes that came.
        got: usize,
    },
    /// A path that is empty or contains a NUL.
    Path,
    /// Text that is neither an address and port, nor an absolute path, nor `@` and a name.
    Text,
}

impl fmt::Display for SockaddrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Family { expected, got } => {
                write!(f, "expected the address family {expected}, got {got}")
            }
            Self::Short { expected, got } => {
                write!(f, "expected an address of at least {expected} bytes, got {got}")
            }
            Self::Long { expected, got } => {
                write!(f, "expected a Unix path or name of at most {expected} bytes, got {got}")
            }
            Self::Path => f.write_str("expected a path of at least one byte and without NUL"),
            Self::Text => f.write_str(
                "expected an address and port such as 127.0.0.1:80 or [::1]:80, a path from / on, or @name",
            ),
        }
    }
}

impl Error for SockaddrError {}

impl From<SockaddrError> for io::Error {
    fn from(error: SockaddrError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

/// The `N` bytes of a field that begins at `at`, if the bytes reach that far.
fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// The family that a view of one family insists on when it is to become a value.
fn expect_family(
    bytes: &[u8],
    family: u16,
    expected: &'static str,
    least: usize,
) -> Result<(), SockaddrError> {
    match SockaddrView::new(bytes).family() {
        Some(got) if got != family => Err(SockaddrError::Family { expected, got }),
        _ if bytes.len() < least => Err(SockaddrError::Short { expected: least, got: bytes.len() }),
        _ => Ok(()),
    }
}
