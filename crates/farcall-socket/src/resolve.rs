//! From a host and port to addresses.
//!
//! Names are asked of the system's resolver, on tokio's blocking threads. Nothing is cached here.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;

use crate::Endpoint;
use crate::limits::ADDRESSES;

/// The addresses of an endpoint with a host, in the order in which they are to be tried; at least one.
pub(crate) async fn resolve(endpoint: &Endpoint) -> io::Result<Vec<SocketAddr>> {
    let (Some(host), Some(port)) = (endpoint.host(), endpoint.port()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found: Vec<_> = lookup_host((host, port)).await?.collect();
    if found.is_empty() {
        let message = format!("`{host}` has no address");
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    Ok(interleave(found))
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
