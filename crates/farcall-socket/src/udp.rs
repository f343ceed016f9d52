//! UDP: how its sockets are set up, and how an endpoint leads to one.
//!
//! Nothing here sends or receives: [`crate::DatagramSocket`] does.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use rustix::net::netdevice::name_to_index;
use socket2::{Domain, InterfaceIndexOrAddress, Socket};

use crate::Options;

/// Sets what is UDP's own.
pub(crate) fn apply(options: &Options, socket: &Socket, domain: Domain) -> io::Result<()> {
    if options.broadcast && domain == Domain::IPV4 {
        socket.set_broadcast(true)?;
    }
    apply_multicast(options, socket, domain)?;
    for &group in &options.groups {
        if group.is_ipv4() == (domain == Domain::IPV4) {
            join(socket, group, interface(options, socket)?)?;
        }
    }
    Ok(())
}

fn apply_multicast(options: &Options, socket: &Socket, domain: Domain) -> io::Result<()> {
    let hops = u32::from(options.multicast_hops);
    if domain == Domain::IPV4 {
        socket.set_multicast_ttl_v4(hops)?;
        socket.set_multicast_loop_v4(options.multicast_loop)?;
        // Otherwise a socket on 0.0.0.0 also gets what other sockets of this machine have joined.
        return socket.set_multicast_all_v4(false);
    }
    socket.set_multicast_hops_v6(hops)?;
    socket.set_multicast_loop_v6(options.multicast_loop)?;
    // Kernels before 4.20 do not know it.
    let _ = socket.set_multicast_all_v6(false);
    match interface(options, socket)? {
        0 => Ok(()),
        index => socket.set_multicast_if_v6(index),
    }
}

/// The number of the device that the options name; 0 leaves the choice to the routes.
fn interface(options: &Options, socket: &Socket) -> io::Result<u32> {
    options.device.as_ref().map_or(Ok(0), |name| Ok(name_to_index(socket, name)?))
}

/// Begins to receive what is sent to the group.
pub(crate) fn join(socket: &Socket, group: IpAddr, interface: u32) -> io::Result<()> {
    match group {
        IpAddr::V4(group) => socket.join_multicast_v4_n(&group, &choice(interface)),
        IpAddr::V6(group) => socket.join_multicast_v6(&group, interface),
    }
}

/// Ends [`join`].
pub(crate) fn leave(socket: &Socket, group: IpAddr, interface: u32) -> io::Result<()> {
    match group {
        IpAddr::V4(group) => socket.leave_multicast_v4_n(&group, &choice(interface)),
        IpAddr::V6(group) => socket.leave_multicast_v6(&group, interface),
    }
}

fn choice(interface: u32) -> InterfaceIndexOrAddress {
    match interface {
        0 => InterfaceIndexOrAddress::Address(Ipv4Addr::UNSPECIFIED),
        index => InterfaceIndexOrAddress::Index(index),
    }
}
