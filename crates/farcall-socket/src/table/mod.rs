//! The table of this machine's sockets, from the kernel itself: listeners with their accept queues, connections with both
//! their ends, and who has them open.
//!
//! Asks `NETLINK_SOCK_DIAG` for the sockets and `/proc/PID/fd` for their holders. It needs no privilege; without one the
//! holders are those of this user's processes. It sees one network namespace, the one it is called in, and changes nothing.
//!
//! ```
//! use farcall_socket::table::{Filter, Table};
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let port = listener.local_addr()?.port();
//! let filter = Filter { listening: true, port: Some(port), ..Filter::default() };
//! let table = Table::read(&filter)?;
//! let queue = table.rows().next().unwrap().socket.accept_queue.unwrap();
//! assert_eq!((queue.now, queue.is_full()), (0, false));
//! # Ok::<_, std::io::Error>(())
//! ```

mod holders;
mod inet;
mod netlink;
mod pairs;
mod socket;
mod unix;

use std::io;

use rustix::net::AddressFamily;

use self::holders::Holders;
pub use self::socket::{Holder, Kind, Measured, Name, Socket, State};
use crate::limits::TABLE_SOCKETS;

/// Every state that the kernel knows a number for.
const EVERY_STATE: u32 = 0x3fff;
/// Listening, and unconnected: what a UDP socket is that waits for datagrams.
const LISTENING_STATES: u32 = 1 << 10 | 1 << 7;

/// Which rows of the table to read. The default is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that wait for others: see [`Socket::is_listening`].
    pub listening: bool,
    /// Only those that this process has open, at either end.
    pub pid: Option<u32>,
    /// Only those with this port, at either end.
    pub port: Option<u16>,
    /// Only those in this state, at either end.
    pub state: Option<State>,
}

/// The sockets of this machine at one moment. They live on while the table is read, so that its parts can be some
/// milliseconds apart.
#[derive(Clone, Debug)]
pub struct Table {
    sockets: Vec<Socket>,
    /// Indexes of the two ends.
    rows: Vec<(usize, Option<usize>)>,
    missing: Vec<Missing>,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The socket; of a connection with both ends here, the one that connected.
    pub socket: &'a Socket,
    /// The other end, where it is on this machine.
    pub other: Option<&'a Socket>,
}

/// What the table could not show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The kernel has no table for these.
    Kind(Kind),
    /// There are more than 262,144 sockets of these; the others were left out.
    Sockets(Kind),
    /// There are more than 1,048,576 descriptors; sockets behind the others seem to be held by nobody.
    Holders,
}

impl Table {
    /// Asks the kernel.
    ///
    /// # Errors
    /// When `NETLINK_SOCK_DIAG` is not to be had, or answers what it should not.
    pub fn read(filter: &Filter) -> io::Result<Self> {
        let states = if filter.listening { LISTENING_STATES } else { EVERY_STATE };
        let mut table = Self { sockets: Vec::new(), rows: Vec::new(), missing: Vec::new() };
        for kind in [Kind::Tcp, Kind::Udp] {
            for family in [AddressFamily::INET, AddressFamily::INET6] {
                let request = inet::request(family, kind, states);
                table.add(kind, &request, |body| inet::parse(kind, body))?;
            }
        }
        if filter.port.is_none() {
            table.add(Kind::UnixStream, &unix::request(states), unix::parse)?;
        }
        table.find_holders();
        table.name_remotes();
        table.rows = pairs::rows(&table.sockets);
        table.keep(filter);
        Ok(table)
    }

    /// The rows, TCP first, then UDP, then Unix.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().filter_map(|&(socket, other)| {
            let other = other.and_then(|index| self.sockets.get(index));
            Some(Row { socket: self.sockets.get(socket)?, other })
        })
    }

    /// What could not be shown; usually nothing.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    fn add(
        &mut self,
        kind: Kind,
        request: &[u8],
        parse: impl Fn(&[u8]) -> Option<Socket>,
    ) -> io::Result<()> {
        let mut left = TABLE_SOCKETS;
        let sockets = &mut self.sockets;
        let dumped = netlink::dump(request, |body| {
            sockets.extend(parse(body));
            left -= 1;
            left > 0
        });
        if left == 0 {
            self.missing.push(Missing::Sockets(kind));
        }
        match dumped {
            // A kernel without the module for this kind.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !self.missing.contains(&Missing::Kind(kind)) {
                    self.missing.push(Missing::Kind(kind));
                }
                Ok(())
            }
            dumped => dumped,
        }
    }

    fn find_holders(&mut self) {
        let mut holders = Holders::read();
        for socket in &mut self.sockets {
            if socket.inode != 0 {
                socket.holders = holders.take(socket.inode);
            }
        }
        if holders.cut {
            self.missing.push(Missing::Holders);
        }
    }

    /// Unix sockets are told the number of their other end; its name is what people know.
    fn name_remotes(&mut self) {
        let names: std::collections::HashMap<u32, Name> = self
            .sockets
            .iter()
            .filter(|socket| socket.kind.is_unix() && socket.local != Name::Unnamed)
            .map(|socket| (socket.inode, socket.local.clone()))
            .collect();
        for socket in &mut self.sockets {
            if let Some(peer) = socket.peer_inode {
                socket.remote = Some(names.get(&peer).cloned().unwrap_or(Name::Unnamed));
            }
        }
    }

    fn keep(&mut self, filter: &Filter) {
        let sockets = &self.sockets;
        self.rows.retain(|&(socket, other)| {
            let ends = || std::iter::once(socket).chain(other).filter_map(|end| sockets.get(end));
            ends().any(|end| filter.takes(end))
        });
        let order = |&(socket, other): &(usize, Option<usize>)| {
            let socket = sockets.get(socket);
            (socket.map(|socket| socket.kind), socket.map(rank), other.is_none())
        };
        self.rows.sort_by_key(order);
    }
}

/// Listeners come first, for they are what people look for.
fn rank(socket: &Socket) -> u8 {
    u8::from(!socket.is_listening())
}

impl Filter {
    /// Whether one end is as it should be in every respect but the port, which is that of either address.
    fn takes(&self, end: &Socket) -> bool {
        let ports = [end.local.port(), end.remote.as_ref().and_then(Name::port)];
        (!self.listening || end.is_listening())
            && self.pid.is_none_or(|pid| end.holders.iter().any(|holder| holder.pid == pid))
            && self.port.is_none_or(|port| ports.contains(&Some(port)))
            && self.state.is_none_or(|state| end.state == state)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_the_answer_is_it_is_a_socket_or_none(
            head in 0_u8..14, bytes in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            for family in [1, 2, 10] {
                let body = [&[family, head, head][..], &bytes].concat();
                for parsed in [inet::parse(Kind::Tcp, &body), unix::parse(&body)] {
                    // What is read must also be shown without a control character.
                    let shown = parsed.map(|socket| socket.local.to_string()).unwrap_or_default();
                    prop_assert!(!shown.contains(char::is_control));
                }
            }
            netlink::try_to_read(&bytes);
        }
    }
}
