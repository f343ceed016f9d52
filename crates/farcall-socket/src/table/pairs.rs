//! Which two sockets are the ends of one connection.
//!
//! Only ends on this machine, and in this network namespace, can be found.

use std::collections::{HashMap, HashSet};

use super::socket::{Kind, Name, Socket, State};

/// The sockets in rows: the index of one end and, where it is known, that of the other. Clients come first.
pub(super) fn rows(sockets: &[Socket]) -> Vec<(usize, Option<usize>)> {
    let partners = partners(sockets);
    let ports: HashSet<_> = sockets
        .iter()
        .filter(|socket| socket.state == State::Listening)
        .filter_map(|socket| socket.local.port())
        .collect();
    let mut rows = Vec::with_capacity(sockets.len());
    for (index, socket) in sockets.iter().enumerate() {
        let Some(partner) = partners[index] else {
            rows.push((index, None));
            continue;
        };
        if index < partner {
            let serves = is_server(socket, &ports) && !is_server(&sockets[partner], &ports);
            rows.push(if serves { (partner, Some(index)) } else { (index, Some(partner)) });
        }
    }
    rows
}

/// An accepted socket has its listener's port or name.
fn is_server(socket: &Socket, ports: &HashSet<u16>) -> bool {
    match &socket.local {
        Name::Ip(address) => ports.contains(&address.port()),
        Name::Path(_) | Name::Abstract(_) => true,
        Name::Unnamed => false,
    }
}

/// For each socket the index of its other end; nobody is the partner of two.
fn partners(sockets: &[Socket]) -> Vec<Option<usize>> {
    let mut by_names: HashMap<(Kind, &Name, &Name), usize> = HashMap::new();
    let mut by_inode: HashMap<u32, usize> = HashMap::new();
    for (index, socket) in sockets.iter().enumerate() {
        match &socket.remote {
            Some(remote) if !socket.kind.is_unix() => {
                by_names.insert((socket.kind, &socket.local, remote), index);
            }
            _ if socket.peer_inode.is_some_and(|inode| inode != 0) => {
                by_inode.insert(socket.inode, index);
            }
            _ => {}
        }
    }
    let partner = |index: usize| {
        let socket: &Socket = &sockets[index];
        let found = match &socket.remote {
            Some(remote) if !socket.kind.is_unix() => {
                by_names.get(&(socket.kind, remote, &socket.local))
            }
            _ => by_inode.get(&socket.peer_inode?),
        };
        // A socket connected to itself is not two.
        found.copied().filter(|&other| other != index)
    };
    (0..sockets.len())
        .map(|index| partner(index).filter(|&other| partner(other) == Some(index)))
        .collect()
}
