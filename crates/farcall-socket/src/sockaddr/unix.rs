//! `sockaddr_un`: a path, an abstract name or no name, in 2 to 110 bytes. The length is part of the address.

use std::ffi::OsStr;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{AF_UNIX, SockaddrError, expect_family, field};

/// Looks into the bytes of a `sockaddr_un` and judges nothing.
#[derive(Clone, Copy, Debug)]
pub struct SockaddrUnView<'a> {
    bytes: &'a [u8],
}

impl<'a> SockaddrUnView<'a> {
    /// A view of these bytes, whatever they are. There must be as many as the kernel said: a NUL more is another name.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// `sun_family`, in the byte order of the machine.
    pub fn family(self) -> Option<u16> {
        field(self.bytes, 0).map(u16::from_ne_bytes)
    }

    /// What there is of `sun_path`, NULs included.
    pub fn sun_path(self) -> &'a [u8] {
        self.bytes.get(2..).unwrap_or_default()
    }

    /// Whether nothing follows the family: a socket that was not bound.
    pub fn is_unnamed(self) -> bool {
        self.bytes.len() == 2
    }

    /// The path up to its NUL, or up to the end where there is none; `None` for other kinds of names.
    pub fn path(self) -> Option<&'a [u8]> {
        let path = self.sun_path().split(|&byte| byte == 0).next()?;
        (!path.is_empty()).then_some(path)
    }

    /// The abstract name without its leading NUL; every further byte counts, NULs too. `None` for other kinds of names.
    pub fn abstract_name(self) -> Option<&'a [u8]> {
        self.sun_path().strip_prefix(&[0])
    }

    /// The address as a value.
    ///
    /// # Errors
    /// When the family is not `AF_UNIX`, or the path or name is longer than `sun_path`.
    pub fn parse(self) -> Result<SockaddrUn, SockaddrError> {
        expect_family(self.bytes, AF_UNIX, "1", 2)?;
        match (self.path(), self.abstract_name()) {
            (Some(path), _) => SockaddrUn::from_path_bytes(path),
            (None, Some(name)) => SockaddrUn::from_abstract(name),
            (None, None) => Ok(SockaddrUn::unnamed()),
        }
    }
}

/// The name of a Unix socket: a path, an abstract name, or none.
///
/// Prints as the path, `@` and the abstract name, or `(unnamed)`; what is not printable is escaped.
#[derive(Clone, Copy)]
pub struct SockaddrUn {
    /// `sun_path` without the NUL that ends a path; bytes from `len` on are zero.
    sun_path: [u8; Self::SUN_PATH],
    len: u8,
}

impl SockaddrUn {
    /// The size of a whole `sockaddr_un`.
    pub const BYTES: usize = 2 + Self::SUN_PATH;
    /// The size of its `sun_path`.
    pub const SUN_PATH: usize = 108;

    /// The address of a socket that was not bound.
    pub fn unnamed() -> Self {
        Self { sun_path: [0; Self::SUN_PATH], len: 0 }
    }

    /// The address of a socket with a file.
    ///
    /// # Errors
    /// When the path is empty, contains a NUL or is longer than 108 bytes.
    pub fn from_path(path: &Path) -> Result<Self, SockaddrError> {
        Self::from_path_bytes(path.as_os_str().as_bytes())
    }

    fn from_path_bytes(path: &[u8]) -> Result<Self, SockaddrError> {
        if path.is_empty() || path.contains(&0) {
            return Err(SockaddrError::Path);
        }
        Self::filled(&[], path)
    }

    /// The address of a socket with an abstract name: any bytes, at most 107.
    ///
    /// # Errors
    /// When the name is longer than 107 bytes.
    pub fn from_abstract(name: &[u8]) -> Result<Self, SockaddrError> {
        Self::filled(&[0], name)
    }

    fn filled(head: &[u8], name: &[u8]) -> Result<Self, SockaddrError> {
        let room = Self::SUN_PATH - head.len();
        if name.len() > room {
            return Err(SockaddrError::Long { expected: room, got: name.len() });
        }
        let mut sun_path = [0; Self::SUN_PATH];
        let len = head.len() + name.len();
        sun_path[head.len()..len].copy_from_slice(name);
        // At most 108, see above.
        Ok(Self { sun_path, len: len as u8 })
    }

    fn used(&self) -> &[u8] {
        &self.sun_path[..usize::from(self.len)]
    }

    /// Whether the socket was not bound.
    pub fn is_unnamed(&self) -> bool {
        self.len == 0
    }

    /// The path of the socket's file, if it has one.
    pub fn path(&self) -> Option<&Path> {
        let path = self.used();
        let is_path = path.first().is_some_and(|&first| first != 0);
        is_path.then(|| Path::new(OsStr::from_bytes(path)))
    }

    /// The abstract name without its leading NUL, if it has one.
    pub fn abstract_name(&self) -> Option<&[u8]> {
        self.used().strip_prefix(&[0])
    }

    /// How many bytes the address has: 2 without a name; a path counts with its NUL, unless it fills `sun_path`.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        let ending = usize::from(self.path().is_some());
        2 + (usize::from(self.len) + ending).min(Self::SUN_PATH)
    }

    /// The bytes of a whole `sockaddr_un`; the kernel is to be told that [`SockaddrUn::len`] of them count.
    pub fn emit(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..2].copy_from_slice(&AF_UNIX.to_ne_bytes());
        bytes[2..].copy_from_slice(&self.sun_path);
        bytes
    }
}

impl PartialEq for SockaddrUn {
    fn eq(&self, other: &Self) -> bool {
        self.used() == other.used()
    }
}

impl Eq for SockaddrUn {}

impl Hash for SockaddrUn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.used().hash(state);
    }
}

impl fmt::Display for SockaddrUn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path(), self.abstract_name()) {
            (Some(path), _) => write!(f, "{}", path.as_os_str().as_bytes().escape_ascii()),
            (None, Some(name)) => write!(f, "@{}", name.escape_ascii()),
            (None, None) => f.write_str("(unnamed)"),
        }
    }
}

impl fmt::Debug for SockaddrUn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SockaddrUn({self})")
    }
}
