//! `sockaddr_in6`: an IPv6 address, port, flow and scope in 28 bytes.

use std::net::{Ipv6Addr, SocketAddrV6};

use super::{AF_INET6, SockaddrError, expect_family, field};

const FAMILY: usize = 0;
const PORT: usize = 2;
const FLOWINFO: usize = 4;
const ADDRESS: usize = 8;
const SCOPE_ID: usize = 24;

/// Looks into the bytes of a `sockaddr_in6` and judges nothing.
#[derive(Clone, Copy, Debug)]
pub struct SockaddrIn6View<'a> {
    bytes: &'a [u8],
}

impl<'a> SockaddrIn6View<'a> {
    /// A view of these bytes, whatever they are.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// `sin6_family`, in the byte order of the machine.
    pub fn family(self) -> Option<u16> {
        field(self.bytes, FAMILY).map(u16::from_ne_bytes)
    }

    /// `sin6_port`, from network byte order.
    pub fn port(self) -> Option<u16> {
        field(self.bytes, PORT).map(u16::from_be_bytes)
    }

    /// `sin6_flowinfo`, from network byte order: traffic class and flow label.
    pub fn flowinfo(self) -> Option<u32> {
        field(self.bytes, FLOWINFO).map(u32::from_be_bytes)
    }

    /// `sin6_addr`.
    pub fn address(self) -> Option<Ipv6Addr> {
        field::<16>(self.bytes, ADDRESS).map(Ipv6Addr::from)
    }

    /// `sin6_scope_id`, in the byte order of the machine: the interface of a link-local address.
    pub fn scope_id(self) -> Option<u32> {
        field(self.bytes, SCOPE_ID).map(u32::from_ne_bytes)
    }

    /// The address as a value. What stands behind the 28 bytes does not matter.
    ///
    /// # Errors
    /// When the family is not `AF_INET6` or there are less than 28 bytes.
    pub fn parse(self) -> Result<SockaddrIn6, SockaddrError> {
        expect_family(self.bytes, AF_INET6, "10", SockaddrIn6::BYTES)?;
        match (self.address(), self.port(), self.flowinfo(), self.scope_id()) {
            (Some(address), Some(port), Some(flowinfo), Some(scope_id)) => {
                Ok(SockaddrIn6 { address, port, flowinfo, scope_id })
            }
            _ => Err(SockaddrError::Short { expected: SockaddrIn6::BYTES, got: self.bytes.len() }),
        }
    }
}

/// An IPv6 address and port, with flow and scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SockaddrIn6 {
    /// The address.
    pub address: Ipv6Addr,
    /// The port.
    pub port: u16,
    /// Traffic class and flow label (RFC 3493, section 3.3), as a number: its highest byte is the first on the wire.
    pub flowinfo: u32,
    /// The interface that a link-local address belongs to; 0 for none.
    pub scope_id: u32,
}

impl SockaddrIn6 {
    /// The size of a `sockaddr_in6`.
    pub const BYTES: usize = 28;

    /// The 28 bytes as the kernel takes them.
    pub fn emit(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[FAMILY..PORT].copy_from_slice(&AF_INET6.to_ne_bytes());
        bytes[PORT..FLOWINFO].copy_from_slice(&self.port.to_be_bytes());
        bytes[FLOWINFO..ADDRESS].copy_from_slice(&self.flowinfo.to_be_bytes());
        bytes[ADDRESS..SCOPE_ID].copy_from_slice(&self.address.octets());
        bytes[SCOPE_ID..].copy_from_slice(&self.scope_id.to_ne_bytes());
        bytes
    }
}

// The standard library keeps the flow information as the kernel's field holds it, without turning its bytes round.

impl From<SocketAddrV6> for SockaddrIn6 {
    fn from(address: SocketAddrV6) -> Self {
        Self {
            address: *address.ip(),
            port: address.port(),
            flowinfo: u32::from_be(address.flowinfo()),
            scope_id: address.scope_id(),
        }
    }
}

impl From<SockaddrIn6> for SocketAddrV6 {
    fn from(address: SockaddrIn6) -> Self {
        Self::new(address.address, address.port, address.flowinfo.to_be(), address.scope_id)
    }
}
