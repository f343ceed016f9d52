//! `sockaddr_in`: an IPv4 address and port in 16 bytes.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::{AF_INET, SockaddrError, expect_family, field};

const FAMILY: usize = 0;
const PORT: usize = 2;
const ADDRESS: usize = 4;
const ZERO: usize = 8;

/// Looks into the bytes of a `sockaddr_in` and judges nothing.
#[derive(Clone, Copy, Debug)]
pub struct SockaddrInView<'a> {
    bytes: &'a [u8],
}

impl<'a> SockaddrInView<'a> {
    /// A view of these bytes, whatever they are.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// `sin_family`, in the byte order of the machine.
    pub fn family(self) -> Option<u16> {
        field(self.bytes, FAMILY).map(u16::from_ne_bytes)
    }

    /// `sin_port`, from network byte order.
    pub fn port(self) -> Option<u16> {
        field(self.bytes, PORT).map(u16::from_be_bytes)
    }

    /// `sin_addr`.
    pub fn address(self) -> Option<Ipv4Addr> {
        field::<4>(self.bytes, ADDRESS).map(Ipv4Addr::from)
    }

    /// `sin_zero`; the kernel does not look at it.
    pub fn zero(self) -> Option<[u8; 8]> {
        field(self.bytes, ZERO)
    }

    /// The address as a value. What stands in `sin_zero`, and behind it, does not matter.
    ///
    /// # Errors
    /// When the family is not `AF_INET` or there are less than 16 bytes.
    pub fn parse(self) -> Result<SockaddrIn, SockaddrError> {
        expect_family(self.bytes, AF_INET, "2", SockaddrIn::BYTES)?;
        match (self.address(), self.port()) {
            (Some(address), Some(port)) => Ok(SockaddrIn { address, port }),
            _ => Err(SockaddrError::Short { expected: SockaddrIn::BYTES, got: self.bytes.len() }),
        }
    }
}

/// An IPv4 address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SockaddrIn {
    /// The address.
    pub address: Ipv4Addr,
    /// The port.
    pub port: u16,
}

impl SockaddrIn {
    /// The size of a `sockaddr_in`.
    pub const BYTES: usize = 16;

    /// The 16 bytes as the kernel takes them.
    pub fn emit(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[FAMILY..PORT].copy_from_slice(&AF_INET.to_ne_bytes());
        bytes[PORT..ADDRESS].copy_from_slice(&self.port.to_be_bytes());
        bytes[ADDRESS..ZERO].copy_from_slice(&self.address.octets());
        bytes
    }
}

impl From<SocketAddrV4> for SockaddrIn {
    fn from(address: SocketAddrV4) -> Self {
        Self { address: *address.ip(), port: address.port() }
    }
}

impl From<SockaddrIn> for SocketAddrV4 {
    fn from(address: SockaddrIn) -> Self {
        Self::new(address.address, address.port)
    }
}
