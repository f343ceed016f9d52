//! TCP and UDP sockets by `NETLINK_SOCK_DIAG` (`linux/inet_diag.h`).
//!
//! Only requests and answers as bytes; sending and receiving is netlink's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use rustix::net::AddressFamily;

use super::netlink::{Attributes, bytes_at, number};
use super::socket::{Kind, Measured, Name, Socket, State};
use crate::queue::{DROPS, Queue};

/// `struct inet_diag_msg`
const FIXED_BYTES: usize = 72;
/// `INET_DIAG_INFO`: a `struct tcp_info`.
const INFO: u16 = 2;
/// `INET_DIAG_SKMEMINFO`: the numbers of `SO_MEMINFO`.
const MEMORY: u16 = 7;

/// `IPPROTO_TCP` and `IPPROTO_UDP`
const TCP: u8 = 6;
const UDP: u8 = 17;

/// `struct inet_diag_req_v2` for every socket of a family whose state is in the mask.
pub(super) fn request(family: AddressFamily, kind: Kind, states: u32) -> [u8; 56] {
    let mut bytes = [0; 56];
    bytes[0] = family.as_raw() as u8;
    bytes[1] = if kind == Kind::Udp { UDP } else { TCP };
    bytes[2] = 1 << (INFO - 1) | 1 << (MEMORY - 1);
    bytes[4..8].copy_from_slice(&states.to_ne_bytes());
    bytes
}

/// One `struct inet_diag_msg` with its attributes; `None` when it is too short or of another family.
pub(super) fn parse(kind: Kind, body: &[u8]) -> Option<Socket> {
    let [family, state] = bytes_at(body, 0)?;
    let local = address(body, family, 4, 8)?;
    let remote = address(body, family, 6, 24)?;
    let (receive_queue, send_queue) = (number(body, 56)?, number(body, 60)?);
    let state = State::from_number(state);
    let listening = state == State::Listening;
    let connected = remote.port() != 0;
    let attribute = |wanted: u16| {
        let mut all = Attributes::behind(body, FIXED_BYTES);
        all.find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
    };
    let dropped = || attribute(MEMORY).and_then(|memory| number(memory, DROPS)).unwrap_or_default();
    Some(Socket {
        kind,
        state,
        // A listener on `::` and one on `0.0.0.0` differ; both ends of a connection do not.
        local: Name::Ip(if connected { canonical(local) } else { local }),
        remote: connected.then(|| Name::Ip(canonical(remote))),
        accept_queue: listening.then(|| Queue {
            now: receive_queue,
            max: send_queue,
            dropped: dropped(),
        }),
        unread: if listening { 0 } else { receive_queue },
        unsent: if listening { 0 } else { send_queue },
        measured: connected.then(|| attribute(INFO)).flatten().map(measured),
        uid: number(body, 64),
        inode: number(body, 68)?,
        peer_inode: None,
        holders: Vec::new(),
    })
}

/// Port and address in network byte order; the interface of a link-local one stands in the socket's own order.
fn address(body: &[u8], family: u8, port_at: usize, address_at: usize) -> Option<SocketAddr> {
    let port = bytes_at(body, port_at).map(u16::from_be_bytes)?;
    if u16::from(family) == AddressFamily::INET.as_raw() {
        let address = Ipv4Addr::from(bytes_at::<4>(body, address_at)?);
        return Some((address, port).into());
    }
    if u16::from(family) != AddressFamily::INET6.as_raw() {
        return None;
    }
    let address = Ipv6Addr::from(bytes_at::<16>(body, address_at)?);
    let interface = if address.is_unicast_link_local() { number(body, 40)? } else { 0 };
    Some(SocketAddrV6::new(address, port, 0, interface).into())
}

fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => (ip, address.port()).into(),
        IpAddr::V6(_) => address,
    }
}

/// From a `struct tcp_info`, whose end older kernels do not send.
fn measured(info: &[u8]) -> Measured {
    let field = |at| number(info, at).unwrap_or_default();
    let milliseconds = |at| Duration::from_millis(field(at).into());
    let microseconds = |at| Duration::from_micros(field(at).into());
    Measured {
        last_sent: milliseconds(44),
        last_received: milliseconds(52),
        round_trip: Some(microseconds(68)).filter(|time| !time.is_zero()),
        variation: microseconds(72),
        retransmitted: field(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel says of an accepted connection 127.0.0.1:7000 <- 127.0.0.1:46888.
    fn canned() -> Vec<u8> {
        let mut bytes = vec![2, 1, 0, 0, 0x1b, 0x58, 0xb7, 0x28];
        bytes.extend([127, 0, 0, 1]);
        bytes.extend([0; 12]);
        bytes.extend([127, 0, 0, 1]);
        bytes.extend([0; 12 + 4 + 8 + 4]);
        for number in [5_u32, 9, 1000, 4711] {
            bytes.extend(number.to_ne_bytes());
        }
        assert_eq!(bytes.len(), FIXED_BYTES);
        let mut info = vec![0; 104];
        info[68..72].copy_from_slice(&120_u32.to_ne_bytes());
        info[100..].copy_from_slice(&3_u32.to_ne_bytes());
        bytes.extend((4 + info.len() as u16).to_ne_bytes());
        bytes.extend(INFO.to_ne_bytes());
        bytes.extend(info);
        bytes
    }

    #[test]
    fn a_connection_is_read_with_addresses_queues_and_round_trip_time() {
        let socket = parse(Kind::Tcp, &canned()).unwrap();
        assert_eq!(socket.state, State::Established);
        assert_eq!(socket.local.to_string(), "127.0.0.1:7000");
        assert_eq!(socket.remote.unwrap().to_string(), "127.0.0.1:46888");
        assert_eq!((socket.unread, socket.unsent), (5, 9));
        assert_eq!((socket.uid, socket.inode), (Some(1000), 4711));
        let measured = socket.measured.unwrap();
        assert_eq!(measured.round_trip, Some(Duration::from_micros(120)));
        assert_eq!(measured.retransmitted, 3);
    }

    #[test]
    fn a_listener_has_an_accept_queue_that_is_full_one_above_its_maximum() {
        let mut bytes = canned();
        bytes[1] = 10;
        bytes[6..8].fill(0);
        let queue = |bytes: &[u8]| parse(Kind::Tcp, bytes).unwrap().accept_queue.unwrap();
        assert_eq!(queue(&bytes), Queue { now: 5, max: 9, dropped: 0 });
        assert!(!queue(&bytes).is_full());
        for (now, full) in [(9, false), (10, true)] {
            bytes[56..60].copy_from_slice(&u32::to_ne_bytes(now));
            assert_eq!(queue(&bytes).is_full(), full);
        }
        let mut memory = vec![0; DROPS];
        memory.extend(7_u32.to_ne_bytes());
        bytes.extend((4 + memory.len() as u16).to_ne_bytes());
        bytes.extend(MEMORY.to_ne_bytes());
        bytes.extend(memory);
        assert_eq!(queue(&bytes).to_string(), "10/9 (full, 7 dropped)");
        let socket = parse(Kind::Tcp, &bytes).unwrap();
        assert_eq!((socket.unread, socket.unsent, socket.remote), (0, 0, None));
    }

    #[test]
    fn ipv6_addresses_are_read_and_mapped_ones_written_as_ipv4() {
        let mut bytes = canned();
        bytes[0] = 10;
        bytes[8..24].copy_from_slice(&Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped().octets());
        bytes[24..40].copy_from_slice(&"fe80::1".parse::<Ipv6Addr>().unwrap().octets());
        bytes[40..44].copy_from_slice(&3_u32.to_ne_bytes());
        let socket = parse(Kind::Tcp, &bytes).unwrap();
        assert_eq!(socket.local.to_string(), "10.0.0.1:7000");
        assert_eq!(socket.remote.unwrap().to_string(), "[fe80::1%3]:46888");
    }

    #[test]
    fn whatever_is_cut_off_is_no_socket_and_no_panic() {
        let whole = canned();
        for length in 0..FIXED_BYTES {
            assert_eq!(parse(Kind::Tcp, &whole[..length]), None, "{length}");
        }
        for length in FIXED_BYTES..whole.len() {
            let socket = parse(Kind::Tcp, &whole[..length]).unwrap();
            assert_eq!(socket.measured, None, "{length}");
        }
        let mut other_family = whole;
        other_family[0] = 1;
        assert_eq!(parse(Kind::Tcp, &other_family), None);
    }
}
