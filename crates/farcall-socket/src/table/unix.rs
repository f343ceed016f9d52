//! Unix sockets by `NETLINK_SOCK_DIAG` (`linux/unix_diag.h`).
//!
//! Only requests and answers as bytes; sending and receiving is netlink's.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use rustix::net::{AddressFamily, SocketType};

use super::netlink::{Attributes, bytes_at, number};
use super::socket::{Kind, Name, Socket, State};
use crate::queue::Queue;

/// `struct unix_diag_msg`
const FIXED_BYTES: usize = 16;

/// `UDIAG_SHOW_NAME`, `_PEER`, `_RQLEN` and `_UID`
const SHOW: u32 = 0x01 | 0x04 | 0x10 | 0x40;

/// `UNIX_DIAG_NAME` and its kin.
const NAME: u16 = 0;
const PEER: u16 = 2;
const QUEUES: u16 = 4;
const UID: u16 = 7;

/// `struct unix_diag_req` for every socket whose state is in the mask.
pub(super) fn request(states: u32) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[0] = AddressFamily::UNIX.as_raw() as u8;
    bytes[4..8].copy_from_slice(&states.to_ne_bytes());
    bytes[12..16].copy_from_slice(&SHOW.to_ne_bytes());
    bytes
}

/// One `struct unix_diag_msg` with its attributes; `None` when it is too short or of an unknown type.
pub(super) fn parse(body: &[u8]) -> Option<Socket> {
    let [family, kind, state] = bytes_at(body, 0)?;
    if u16::from(family) != AddressFamily::UNIX.as_raw() {
        return None;
    }
    let state = State::from_number(state);
    let mut socket = Socket {
        kind: known(kind)?,
        state,
        local: Name::Unnamed,
        remote: None,
        accept_queue: None,
        unread: 0,
        unsent: 0,
        measured: None,
        uid: None,
        inode: number(body, 4)?,
        peer_inode: None,
        holders: Vec::new(),
    };
    number(body, 12)?;
    for (kind, value) in Attributes::behind(body, FIXED_BYTES) {
        match kind {
            NAME => socket.local = name(value),
            PEER => socket.peer_inode = number(value, 0),
            UID => socket.uid = number(value, 0),
            QUEUES => {
                if let (Some(receive_queue), Some(send_queue)) =
                    (number(value, 0), number(value, 4))
                {
                    take_queues(&mut socket, receive_queue, send_queue);
                }
            }
            _ => {}
        }
    }
    Some(socket)
}

/// For a listener the two numbers are the accept queue and its maximum.
fn take_queues(socket: &mut Socket, receive_queue: u32, send_queue: u32) {
    if socket.state == State::Listening {
        socket.accept_queue = Some(Queue { now: receive_queue, max: send_queue, dropped: 0 });
    } else {
        socket.unread = receive_queue;
        socket.unsent = send_queue;
    }
}

fn known(kind: u8) -> Option<Kind> {
    match SocketType::from_raw(kind.into()) {
        SocketType::STREAM => Some(Kind::UnixStream),
        SocketType::DGRAM => Some(Kind::UnixDatagram),
        SocketType::SEQPACKET => Some(Kind::UnixSeqpacket),
        _ => None,
    }
}

/// A path ends at its zero byte, if it has one; an abstract name begins with one and may hold more.
fn name(bytes: &[u8]) -> Name {
    match bytes {
        [] => Name::Unnamed,
        [0, name @ ..] => Name::Abstract(name.to_vec()),
        path => {
            let path = path.split(|byte| *byte == 0).next().unwrap_or(path);
            Name::Path(OsStr::from_bytes(path).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn canned(kind: u8, state: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![1, kind, state, 0];
        bytes.extend(4711_u32.to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend(attributes.concat());
        bytes
    }

    fn numbers(first: u32, second: u32) -> Vec<u8> {
        [first.to_ne_bytes(), second.to_ne_bytes()].concat()
    }

    #[test]
    fn a_listener_is_read_with_its_path_and_its_queue() {
        let attributes = [attribute(NAME, b"/run/x.sock\0"), attribute(QUEUES, &numbers(6, 5))];
        let socket = parse(&canned(1, 10, &attributes)).unwrap();
        assert_eq!(socket.kind, Kind::UnixStream);
        assert_eq!(socket.local, Name::Path("/run/x.sock".into()));
        assert_eq!(socket.accept_queue, Some(Queue { now: 6, max: 5, dropped: 0 }));
        assert!(socket.accept_queue.unwrap().is_full());
        assert_eq!((socket.unread, socket.unsent), (0, 0));
    }

    #[test]
    fn a_connection_is_read_with_its_other_end_and_its_bytes() {
        let attributes = [
            attribute(PEER, &99_u32.to_ne_bytes()),
            attribute(QUEUES, &numbers(12, 3)),
            attribute(UID, &1000_u32.to_ne_bytes()),
            attribute(77, b"from a later kernel"),
        ];
        let socket = parse(&canned(1, 1, &attributes)).unwrap();
        assert_eq!((socket.inode, socket.peer_inode, socket.uid), (4711, Some(99), Some(1000)));
        assert_eq!((socket.unread, socket.unsent), (12, 3));
        assert_eq!(socket.accept_queue, None);
    }

    #[test]
    fn abstract_names_keep_their_zero_bytes_and_are_shown_safely() {
        let socket = parse(&canned(2, 7, &[attribute(NAME, b"\0a\0\x1b[2J")])).unwrap();
        assert_eq!(socket.local, Name::Abstract(b"a\0\x1b[2J".to_vec()));
        assert_eq!(socket.local.to_string(), r"@a\x00\x1b[2J");
        assert!(socket.is_listening());
        let path = parse(&canned(1, 10, &[attribute(NAME, b"/tmp/\x1b[2J\n")])).unwrap();
        assert_eq!(path.local.to_string(), r"/tmp/\u{1b}[2J\n");
    }

    #[test]
    fn whatever_is_cut_off_is_no_socket_and_no_panic() {
        let whole = canned(1, 10, &[attribute(NAME, b"/x"), attribute(QUEUES, &numbers(1, 2))]);
        for length in 0..FIXED_BYTES {
            assert_eq!(parse(&whole[..length]), None, "{length}");
        }
        for length in FIXED_BYTES..whole.len() {
            assert_eq!(parse(&whole[..length]).unwrap().accept_queue, None, "{length}");
        }
        let short = parse(&canned(1, 1, &[attribute(QUEUES, &[1, 2]), attribute(PEER, &[])]));
        assert_eq!(short.unwrap().peer_inode, None);
        assert_eq!(parse(&canned(3, 7, &[])), None);
    }
}
