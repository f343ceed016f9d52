//! Addresses as bytes, held against the layout that the C library declares.

use std::mem::{align_of, offset_of, size_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::Path;

use farcall_socket::sockaddr::{
    AF_INET, AF_INET6, AF_UNIX, Sockaddr, SockaddrError, SockaddrIn, SockaddrIn6, SockaddrIn6View,
    SockaddrInView, SockaddrStorage, SockaddrStorageView, SockaddrUn, SockaddrUnView, SockaddrView,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Writes a field at the offset that the C library gives it.
fn put(bytes: &mut [u8], offset: usize, field: &[u8]) {
    bytes[offset..offset + field.len()].copy_from_slice(field);
}

fn text(address: &str) -> Sockaddr {
    address.parse::<SocketAddr>().unwrap().into()
}

#[test]
fn sizes_families_and_alignment_are_those_of_the_c_library() {
    assert_eq!(SockaddrIn::BYTES, size_of::<libc::sockaddr_in>());
    assert_eq!(SockaddrIn6::BYTES, size_of::<libc::sockaddr_in6>());
    assert_eq!(SockaddrUn::BYTES, size_of::<libc::sockaddr_un>());
    assert_eq!(SockaddrUn::SUN_PATH, size_of::<libc::sockaddr_un>() - 2);
    assert_eq!(SockaddrStorage::BYTES, size_of::<libc::sockaddr_storage>());
    assert!(align_of::<SockaddrStorage>() >= align_of::<libc::sockaddr_storage>());
    assert_eq!(i32::from(AF_INET), libc::AF_INET);
    assert_eq!(i32::from(AF_INET6), libc::AF_INET6);
    assert_eq!(i32::from(AF_UNIX), libc::AF_UNIX);
}

#[test]
fn numbers_cross_in_network_byte_order() {
    let bytes = SockaddrIn { address: Ipv4Addr::LOCALHOST, port: 8080 }.emit();
    assert_eq!(bytes[..2], 2u16.to_ne_bytes());
    assert_eq!(bytes[2..8], [0x1f, 0x90, 127, 0, 0, 1]);
    assert_eq!(bytes[8..], [0; 8]);
}

proptest! {
    #[test]
    fn sockaddr_in_has_the_layout_of_the_c_library(octets: [u8; 4], port: u16) {
        use libc::sockaddr_in as C;
        let mut expected = [0; size_of::<C>()];
        put(&mut expected, offset_of!(C, sin_family), &(libc::AF_INET as u16).to_ne_bytes());
        put(&mut expected, offset_of!(C, sin_port), &port.to_be().to_ne_bytes());
        put(&mut expected, offset_of!(C, sin_addr), &octets);

        let address = SockaddrIn { address: octets.into(), port };
        prop_assert_eq!(address.emit(), expected);
        let view = SockaddrInView::new(&expected);
        prop_assert_eq!(view.family(), Some(AF_INET));
        prop_assert_eq!(view.port(), Some(port));
        prop_assert_eq!(view.address(), Some(octets.into()));
        prop_assert_eq!(view.zero(), Some([0; 8]));
        prop_assert_eq!(view.parse(), Ok(address));
        prop_assert_eq!(SockaddrIn::from(SocketAddrV4::from(address)), address);
    }

    #[test]
    fn sockaddr_in6_has_the_layout_of_the_c_library(
        octets: [u8; 16],
        port: u16,
        flowinfo: u32,
        scope_id: u32,
    ) {
        use libc::sockaddr_in6 as C;
        let mut expected = [0; size_of::<C>()];
        put(&mut expected, offset_of!(C, sin6_family), &(libc::AF_INET6 as u16).to_ne_bytes());
        put(&mut expected, offset_of!(C, sin6_port), &port.to_be().to_ne_bytes());
        put(&mut expected, offset_of!(C, sin6_flowinfo), &flowinfo.to_be().to_ne_bytes());
        put(&mut expected, offset_of!(C, sin6_addr), &octets);
        put(&mut expected, offset_of!(C, sin6_scope_id), &scope_id.to_ne_bytes());

        let address = SockaddrIn6 { address: octets.into(), port, flowinfo, scope_id };
        prop_assert_eq!(address.emit(), expected);
        let view = SockaddrIn6View::new(&expected);
        prop_assert_eq!(view.family(), Some(AF_INET6));
        prop_assert_eq!(view.flowinfo(), Some(flowinfo));
        prop_assert_eq!(view.scope_id(), Some(scope_id));
        prop_assert_eq!(view.parse(), Ok(address));
        prop_assert_eq!(SockaddrIn6::from(SocketAddrV6::from(address)), address);
    }

    /// The standard library hands the flow information to the kernel as it is.
    #[test]
    fn an_address_of_the_standard_library_keeps_its_bytes(flowinfo: u32, scope_id: u32) {
        let address = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, flowinfo, scope_id);
        let bytes = SockaddrIn6::from(address).emit();
        prop_assert_eq!(&bytes[4..8], &flowinfo.to_ne_bytes());
        prop_assert_eq!(Sockaddr::from(SocketAddr::V6(address)).socket_address(), Some(address.into()));
    }

    #[test]
    fn a_path_ends_with_a_nul_unless_it_fills_sun_path(path in vec(1u8.., 1..=108)) {
        use libc::sockaddr_un as C;
        let mut expected = [0; size_of::<C>()];
        put(&mut expected, offset_of!(C, sun_family), &(libc::AF_UNIX as u16).to_ne_bytes());
        put(&mut expected, offset_of!(C, sun_path), &path);

        let address = path_address(&path).unwrap();
        prop_assert_eq!(address.emit(), expected);
        prop_assert_eq!(address.len(), (2 + path.len() + 1).min(size_of::<C>()));
        prop_assert_eq!(address.path().unwrap().as_os_str().as_encoded_bytes(), &path[..]);
        prop_assert_eq!(address.abstract_name(), None);
        prop_assert_eq!(SockaddrUnView::new(&expected[..address.len()]).parse(), Ok(address));
        // Linux says 111 bytes for a path of 108: it counts the NUL that did not fit.
        let mut reported = expected[..2 + path.len()].to_vec();
        reported.push(0);
        prop_assert_eq!(SockaddrUnView::new(&reported).parse(), Ok(address));
    }

    #[test]
    fn every_byte_of_an_abstract_name_counts(name in vec(any::<u8>(), 0..=107)) {
        let address = SockaddrUn::from_abstract(&name).unwrap();
        let bytes = &address.emit()[..address.len()];
        prop_assert_eq!(bytes.len(), 3 + name.len());
        prop_assert_eq!(bytes[2], 0);
        prop_assert_eq!(&bytes[3..], &name[..]);
        prop_assert_eq!(address.abstract_name(), Some(&name[..]));
        prop_assert_eq!(address.path(), None);
        prop_assert_eq!(SockaddrUnView::new(bytes).parse(), Ok(address));
    }

    #[test]
    fn no_bytes_make_a_view_panic_and_what_parses_is_emitted_again(bytes in vec(any::<u8>(), 0..200), len in 0usize..300) {
        let _ = (SockaddrInView::new(&bytes).parse(), SockaddrIn6View::new(&bytes).parse());
        let _ = (SockaddrUnView::new(&bytes).parse(), SockaddrView::new(&bytes).data());
        let view = SockaddrStorageView::new(&bytes, len);
        prop_assert_eq!(view.is_cut(), len > bytes.len());
        if let Ok(address) = view.sockaddr().parse() {
            let storage = address.to_storage();
            prop_assert_eq!(SockaddrView::new(storage.address()).parse(), Ok(address));
        }
    }

    #[test]
    fn known_families_survive_any_bytes_behind_them(family in 1u16..=11, rest in vec(any::<u8>(), 0..150)) {
        let bytes = [&family.to_ne_bytes()[..], &rest].concat();
        if let Ok(address) = SockaddrView::new(&bytes).parse() {
            prop_assert_eq!(address.family(), family);
            let storage = address.to_storage();
            prop_assert_eq!(storage.address().len(), address.len());
            prop_assert!(storage.as_bytes()[address.len()..].iter().all(|&byte| byte == 0));
            prop_assert_eq!(SockaddrView::new(storage.address()).parse(), Ok(address));
        }
    }

    #[test]
    fn ip_addresses_go_through_storage_and_come_back(ip: IpAddr, port: u16) {
        let address = SocketAddr::new(ip, port);
        let storage = Sockaddr::from(address).to_storage();
        prop_assert_eq!(storage.sockaddr().socket_address(), Some(address));
        prop_assert_eq!(SockaddrView::new(storage.address()).parse(), Ok(address.into()));
    }
}

fn path_address(path: &[u8]) -> Result<SockaddrUn, SockaddrError> {
    use std::os::unix::ffi::OsStrExt;
    SockaddrUn::from_path(Path::new(std::ffi::OsStr::from_bytes(path)))
}

#[test]
fn an_unnamed_unix_address_is_two_bytes() {
    let address = SockaddrUn::unnamed();
    assert_eq!(address.len(), 2);
    assert!(SockaddrUnView::new(&address.emit()[..2]).is_unnamed());
    // An abstract name without a byte is a name: it has three.
    assert_ne!(SockaddrUn::from_abstract(b"").unwrap(), address);
}

#[test]
fn what_is_no_address_is_refused_with_what_was_expected() {
    let parse = |bytes: &[u8]| SockaddrView::new(bytes).parse().unwrap_err().to_string();
    assert_eq!(parse(&[]), "expected an address of at least 2 bytes, got 0");
    assert_eq!(parse(&7u16.to_ne_bytes()), "expected the address family 1, 2 or 10, got 7");
    let short = SockaddrIn { address: Ipv4Addr::LOCALHOST, port: 80 }.emit();
    assert_eq!(parse(&short[..15]), "expected an address of at least 16 bytes, got 15");
    assert_eq!(path_address(&[b'a'; 109]), Err(SockaddrError::Long { expected: 108, got: 109 }));
    assert_eq!(path_address(b"a\0b"), Err(SockaddrError::Path));
    assert_eq!(path_address(b""), Err(SockaddrError::Path));
    assert_eq!(
        SockaddrUn::from_abstract(&[0; 108]),
        Err(SockaddrError::Long { expected: 107, got: 108 })
    );
}

#[test]
fn addresses_print_as_people_write_them() {
    assert_eq!(text("127.0.0.1:80").to_string(), "127.0.0.1:80");
    assert_eq!(text("[fe80::1%2]:80").to_string(), "[fe80::1%2]:80");
    assert_eq!(path_address(b"/run/x.sock").unwrap().to_string(), "/run/x.sock");
    assert_eq!(SockaddrUn::from_abstract(b"a\n").unwrap().to_string(), "@a\\n");
    assert_eq!(SockaddrUn::unnamed().to_string(), "(unnamed)");
}
