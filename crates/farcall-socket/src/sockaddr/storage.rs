//! `sockaddr_storage`: 128 bytes with room for an address of any family.

use super::{Sockaddr, SockaddrView};

/// Looks into a `sockaddr_storage` that the kernel filled, and judges nothing.
#[derive(Clone, Copy, Debug)]
pub struct SockaddrStorageView<'a> {
    bytes: &'a [u8],
    len: usize,
}

impl<'a> SockaddrStorageView<'a> {
    /// A view of these bytes, of which the kernel says that `len` count. It says more than there are when it had to cut
    /// the address off.
    pub fn new(bytes: &'a [u8], len: usize) -> Self {
        Self { bytes, len }
    }

    /// The bytes of the address itself.
    pub fn address(self) -> &'a [u8] {
        &self.bytes[..self.len.min(self.bytes.len())]
    }

    /// Whether the kernel had more bytes than there was room for.
    pub fn is_cut(self) -> bool {
        self.len > self.bytes.len()
    }

    /// The address, whatever its family.
    pub fn sockaddr(self) -> SockaddrView<'a> {
        SockaddrView::new(self.address())
    }
}

/// An address in the room that fits every family: what system calls take, with its length beside it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct SockaddrStorage {
    bytes: [u8; Self::BYTES],
    address: Sockaddr,
}

impl SockaddrStorage {
    /// The size of a `sockaddr_storage`.
    pub const BYTES: usize = 128;

    /// All 128 bytes; those behind the address are zero.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.bytes
    }

    /// The bytes of the address itself: as many as a system call is to be told.
    pub fn address(&self) -> &[u8] {
        &self.bytes[..self.address.len()]
    }

    /// The address that is stored.
    pub fn sockaddr(&self) -> Sockaddr {
        self.address
    }
}

impl From<Sockaddr> for SockaddrStorage {
    fn from(address: Sockaddr) -> Self {
        let mut bytes = [0; Self::BYTES];
        match &address {
            Sockaddr::In(address) => fill(&mut bytes, &address.emit()),
            Sockaddr::In6(address) => fill(&mut bytes, &address.emit()),
            Sockaddr::Un(address) => fill(&mut bytes, &address.emit()),
        }
        Self { bytes, address }
    }
}

fn fill(storage: &mut [u8; SockaddrStorage::BYTES], address: &[u8]) {
    for (to, from) in storage.iter_mut().zip(address) {
        *to = *from;
    }
}

impl PartialEq for SockaddrStorage {
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl Eq for SockaddrStorage {}

impl std::fmt::Debug for SockaddrStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SockaddrStorage({})", self.address)
    }
}
