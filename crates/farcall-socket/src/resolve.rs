//! From a host and port to addresses.
//!
//! Names are asked of the system's resolver, on tokio's blocking threads. Nothing is cached here.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use tokio::net::lookup_host;

use crate::limits::ADDRESSES;
use crate::sockaddr::{Sockaddr, SockaddrUn};
use crate::{Endpoint, ResolveError, Scheme, services};

/// What an endpoint stands for, before anything is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The name of the service that the port is known for, such as `http` for 80.
    pub service: Option<String>,
    /// The port's number; `None` where the scheme has no port.
    pub port: Option<u16>,
    /// The addresses in the order in which a connect tries them, at least one; [`Sockaddr::to_storage`] has their bytes.
    pub addresses: Vec<Sockaddr>,
}

impl Resolved {
    /// The addresses that have an IP address and port, in the same order.
    pub fn socket_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.addresses.iter().filter_map(Sockaddr::socket_address)
    }
}

/// Looks up what an endpoint stands for: its service and its addresses, as a connect would. Opens no connection.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let resolved = farcall_socket::resolve(&"tcp://127.0.0.1:telnet".parse()?).await?;
/// assert_eq!(resolved.service.as_deref(), Some("telnet"));
/// assert_eq!(resolved.addresses[0].to_string(), "127.0.0.1:23");
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// # Errors
/// When the name has no address or the name servers do not answer; and for `mem://` and `fd://`, which have none.
pub async fn resolve(endpoint: &Endpoint) -> Result<Resolved, ResolveError> {
    let failed = |error| ResolveError::new(endpoint, error);
    let addresses = match (endpoint.host(), endpoint.path(), endpoint.name()) {
        (Some(_), _, _) => {
            let found = addresses(endpoint).await.map_err(failed)?;
            found.into_iter().map(Sockaddr::from).collect()
        }
        (_, Some(path), _) => {
            let address = SockaddrUn::from_path(path).map_err(|error| failed(error.into()))?;
            vec![address.into()]
        }
        (_, _, Some(name)) if endpoint.scheme() == Scheme::Unix => {
            let address = SockaddrUn::from_abstract(name.as_bytes());
            vec![address.map_err(|error| failed(error.into()))?.into()]
        }
        _ => {
            let text = format!("{}:// has no address", endpoint.scheme());
            return Err(failed(io::Error::new(io::ErrorKind::Unsupported, text)));
        }
    };
    let protocol = if endpoint.scheme() == Scheme::Udp { "udp" } else { "tcp" };
    let service = endpoint.port().and_then(|port| services::name(port, protocol));
    Ok(Resolved { service, port: endpoint.port(), addresses })
}

/// The addresses of an endpoint with a host, in the order in which they are to be tried; at least one.
pub(crate) async fn addresses(endpoint: &Endpoint) -> io::Result<Vec<SocketAddr>> {
    match host_and_port(endpoint)? {
        (host, port, None) => ordered(host, lookup_host((host, port)).await?),
        (_, port, Some(address)) => Ok(vec![SocketAddr::new(address, port)]),
    }
}

/// [`addresses`] for a caller without a runtime: waits in place.
pub(crate) fn addresses_in_place(endpoint: &Endpoint) -> io::Result<Vec<SocketAddr>> {
    match host_and_port(endpoint)? {
        (host, port, None) => ordered(host, (host, port).to_socket_addrs()?),
        (_, port, Some(address)) => Ok(vec![SocketAddr::new(address, port)]),
    }
}

/// The host, the port, and the address where the host is one already.
fn host_and_port(endpoint: &Endpoint) -> io::Result<(&str, u16, Option<IpAddr>)> {
    let (Some(host), Some(port)) = (endpoint.host(), endpoint.port()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    Ok((host, port, host.parse().ok()))
}

fn ordered(host: &str, found: impl Iterator<Item = SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    let ordered = interleave(found.collect());
    if ordered.is_empty() {
        let message = format!("`{host}` has no address");
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    Ok(ordered)
}

/// Alternates the two families, beginning with the one that the resolver prefers (RFC 8305, section 4), so that a family
/// without a route costs one attempt delay and not one per address.
fn interleave(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut unique: Vec<SocketAddr> = Vec::new();
    for address in found {
        if unique.len() < ADDRESSES && !unique.contains(&address) {
            unique.push(address);
        }
    }
    let first_is_ipv4 = unique.first().is_some_and(SocketAddr::is_ipv4);
    let (mut next, mut other): (VecDeque<_>, VecDeque<_>) =
        unique.into_iter().partition(|address| address.is_ipv4() == first_is_ipv4);
    let mut ordered = Vec::with_capacity(next.len() + other.len());
    while let Some(address) = next.pop_front() {
        ordered.push(address);
        if !other.is_empty() {
            std::mem::swap(&mut next, &mut other);
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 80)).collect()
    }

    #[test]
    fn families_alternate_and_the_resolvers_first_choice_stays_first() {
        let found = addresses(&["::1", "::2", "::3", "10.0.0.1", "::1", "10.0.0.2"]);
        let expected = addresses(&["::1", "10.0.0.1", "::2", "10.0.0.2", "::3"]);
        assert_eq!(interleave(found), expected);

        let found = addresses(&["10.0.0.1", "::1", "::2", "::3"]);
        let expected = addresses(&["10.0.0.1", "::1", "::2", "::3"]);
        assert_eq!(interleave(found), expected);
    }

    #[test]
    fn a_name_server_cannot_make_us_try_without_end() {
        let port = |port| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(interleave((0..1000).map(port).collect()).len(), ADDRESSES);
    }
}
