//! Where to listen or connect, as a URL.
//!
//! An endpoint is only a name: parsing one opens nothing and asks no name server.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::{
    ABSTRACT_NAME_BYTES, ENDPOINT_BYTES, HOST_BYTES, LABEL_BYTES, UNIX_PATH_BYTES,
};
use crate::{EndpointError, Options, query, services};

/// What an endpoint's URL starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `tcp://host:port`
    Tcp,
    /// `tls://host:port`: TLS over TCP.
    Tls,
    /// `http://host[:port]`: plain TCP, port 80 unless given.
    Http,
    /// `https://host[:port]`: TLS over TCP, port 443 unless given.
    Https,
    /// `ws://host[:port]`: WebSocket over plain TCP, port 80 unless given.
    Ws,
    /// `wss://host[:port]`: WebSocket over TLS, port 443 unless given.
    Wss,
    /// `udp://host:port`: datagrams.
    Udp,
    /// `unix:///path`, or `unix://@name` for an abstract name.
    Unix,
    /// `shm:///path`: shared memory, handed over through the Unix socket at the path.
    Shm,
    /// `mem://name`: inside this process.
    Memory,
    /// `fd://3` or `fd://name`: a socket that a supervisor handed in.
    Descriptor,
}

impl Scheme {
    const ALL: [Self; 11] = [
        Self::Tcp,
        Self::Tls,
        Self::Http,
        Self::Https,
        Self::Ws,
        Self::Wss,
        Self::Udp,
        Self::Unix,
        Self::Shm,
        Self::Memory,
        Self::Descriptor,
    ];

    /// As it is written in a URL, without `://`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Https => "https",
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::Udp => "udp",
            Self::Unix => "unix",
            Self::Shm => "shm",
            Self::Memory => "mem",
            Self::Descriptor => "fd",
        }
    }

    /// Whether the bytes go over TCP, encrypted or not.
    pub fn is_tcp(self) -> bool {
        matches!(self, Self::Tcp | Self::Http | Self::Ws) || self.is_tls()
    }

    /// Whether TLS is spoken on the connection. It begins after connecting and accepting, which are TCP's alone.
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::Https | Self::Wss)
    }

    fn default_port(self) -> Option<u16> {
        match self {
            Self::Http | Self::Ws => Some(80),
            Self::Https | Self::Wss => Some(443),
            _ => None,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where to listen or connect, as a URL.
///
/// Prints back what was parsed. Two endpoints are equal when they name the same place: `tcp://a:http` equals `tcp://a:80`.
/// A query sets [`Options`] for whoever listens or connects there, as in `tcp://a:80?backlog=64&nodelay=0`; it does not
/// belong to the place.
///
/// ```
/// use farcall_socket::{Endpoint, Scheme};
///
/// let endpoint: Endpoint = "tcp://localhost:telnet".parse()?;
/// assert_eq!(endpoint.scheme(), Scheme::Tcp);
/// assert_eq!(endpoint.port(), Some(23));
/// assert_eq!(endpoint.to_string(), "tcp://localhost:telnet");
///
/// let error = "tcp://localhost:70000".parse::<Endpoint>().unwrap_err();
/// assert_eq!(error.part(), "port");
/// # Ok::<_, farcall_socket::EndpointError>(())
/// ```
#[derive(Clone)]
pub struct Endpoint {
    text: Arc<str>,
    scheme: Scheme,
    place: Place,
    /// Where the query begins in the text, after the `?`.
    query: Option<usize>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Place {
    /// The host in lower case and without brackets.
    Host {
        host: Arc<str>,
        port: u16,
    },
    Path(Arc<Path>),
    Name(Arc<str>),
    Descriptor(u32),
}

impl Endpoint {
    /// The kind of transport.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether TLS is spoken there: `tls://`, `https://` and `wss://`.
    pub fn is_tls(&self) -> bool {
        self.scheme.is_tls()
    }

    /// The host in lower case, an IPv6 address without its brackets; `None` where the scheme has no host.
    pub fn host(&self) -> Option<&str> {
        match &self.place {
            Place::Host { host, .. } => Some(host),
            _ => None,
        }
    }

    /// The port's number, also when it was written as a service name; `None` where the scheme has no port.
    pub fn port(&self) -> Option<u16> {
        match self.place {
            Place::Host { port, .. } => Some(port),
            _ => None,
        }
    }

    /// The path of a `unix://` or `shm://` endpoint.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Path(path) => Some(path),
            _ => None,
        }
    }

    /// The name of a `mem://name`, `unix://@name` or `fd://name` endpoint.
    pub fn name(&self) -> Option<&str> {
        match &self.place {
            Place::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The number of an `fd://3` endpoint.
    pub fn descriptor(&self) -> Option<u32> {
        match self.place {
            Place::Descriptor(number) => Some(number),
            _ => None,
        }
    }

    /// The options of the query, as in `backlog=64&nodelay=0`.
    pub fn query(&self) -> Option<&str> {
        self.query.and_then(|at| self.text.get(at..))
    }

    /// The given options with those that the endpoint's query changes. Listening and connecting do this by themselves.
    ///
    /// ```
    /// use farcall_socket::{Endpoint, Options};
    /// let endpoint: Endpoint = "tcp://127.0.0.1:80?backlog=64&nodelay=0".parse()?;
    /// let expected = Options { backlog: Some(64), nodelay: false, ..Options::default() };
    /// assert_eq!(endpoint.options(&Options::default()), expected);
    /// # Ok::<_, farcall_socket::EndpointError>(())
    /// ```
    pub fn options(&self, given: &Options) -> Options {
        let mut options = given.clone();
        if let Some(query) = self.query() {
            query::apply(query, &mut options);
        }
        options
    }

    /// What a client writes into `:authority` or `Host`: `host:port`, or `localhost` where there is no host.
    ///
    /// The port is left out where it is the one that the scheme has without saying, so `https://h:443` gives `h`
    /// (RFC 9110, section 4.2.3); `tcp://` and `tls://` have none. An IPv6 zone is left out, too: it means nothing to the
    /// other end (RFC 6874, section 1).
    pub fn authority(&self) -> String {
        let Place::Host { host, port } = &self.place else {
            return "localhost".to_owned();
        };
        let host = match host.split('%').next() {
            Some(address) if address.contains(':') => format!("[{address}]"),
            _ => host.to_string(),
        };
        match self.scheme.default_port() {
            Some(default) if default == *port => host,
            _ => format!("{host}:{port}"),
        }
    }

    /// The same scheme at the address that a socket was really bound to.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self::from_address(self.scheme, address, self.query())
    }

    fn from_address(scheme: Scheme, address: SocketAddr, query: Option<&str>) -> Self {
        let place = format!("{scheme}://{address}");
        let (text, query) = match query {
            Some(query) => (format!("{place}?{query}"), Some(place.len() + 1)),
            None => (place, None),
        };
        let host = address.ip().to_string().into();
        let place = Place::Host { host, port: address.port() };
        Self { text: text.into(), scheme, place, query }
    }
}

impl From<SocketAddr> for Endpoint {
    /// `tcp://` at the address.
    fn from(address: SocketAddr) -> Self {
        Self::from_address(Scheme::Tcp, address, None)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(url: &str) -> Result<Self, EndpointError> {
        if url.len() > ENDPOINT_BYTES {
            let expected = "at most 1,024 bytes";
            return Err(EndpointError::new(url, "length", expected, url));
        }
        let (scheme, rest) = parse_scheme(url)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        if let Some(query) = query {
            query::check(url, query)?;
        }
        let place = match scheme {
            Scheme::Unix if rest.starts_with('@') => parse_abstract_name(url, &rest[1..])?,
            Scheme::Unix | Scheme::Shm => parse_path(url, rest)?,
            Scheme::Memory => parse_name(url, rest)?,
            Scheme::Descriptor => parse_descriptor(url, rest)?,
            _ => parse_host_and_port(url, scheme, rest)?,
        };
        let query = query.map(|query| url.len() - query.len());
        Ok(Self { text: url.into(), scheme, place, query })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.text)
    }
}

impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.place == other.place
    }
}

impl Eq for Endpoint {}

impl Hash for Endpoint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.scheme.hash(state);
        self.place.hash(state);
    }
}

/// Schemes are case-insensitive (RFC 3986, section 3.1).
fn parse_scheme(url: &str) -> Result<(Scheme, &str), EndpointError> {
    let expected =
        "one of tcp:// tls:// http:// https:// ws:// wss:// udp:// unix:// shm:// mem:// fd://";
    let (written, rest) =
        url.split_once("://").ok_or_else(|| EndpointError::new(url, "scheme", expected, url))?;
    Scheme::ALL
        .into_iter()
        .find(|scheme| scheme.as_str().eq_ignore_ascii_case(written))
        .map(|scheme| (scheme, rest))
        .ok_or_else(|| EndpointError::new(url, "scheme", expected, written))
}

fn parse_host_and_port(url: &str, scheme: Scheme, rest: &str) -> Result<Place, EndpointError> {
    // A browser's address ends in "/"; it says nothing that the host and port did not.
    let rest = match scheme.default_port() {
        Some(_) => rest.strip_suffix('/').unwrap_or(rest),
        None => rest,
    };
    if let Some(at) = rest.find(['/', '#']) {
        let expected = "nothing but ?options after the port";
        return Err(EndpointError::new(url, "path", expected, &rest[at..]));
    }
    let (host, port) = split_port(url, rest)?;
    let port = match (port, scheme.default_port()) {
        (Some(port), _) => parse_port(url, scheme, port)?,
        (None, Some(port)) => port,
        (None, None) => parse_port(url, scheme, "")?,
    };
    Ok(Place::Host { host, port })
}

fn split_port<'a>(url: &str, rest: &'a str) -> Result<(Arc<str>, Option<&'a str>), EndpointError> {
    let Some(bracketed) = rest.strip_prefix('[') else {
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        };
        return Ok((parse_host(url, host)?, port));
    };
    let (host, after) = bracketed
        .split_once(']')
        .ok_or_else(|| EndpointError::new(url, "host", "`]` after the IPv6 address", rest))?;
    let port = match after.strip_prefix(':') {
        Some(port) => Some(port),
        None if after.is_empty() => None,
        None => return Err(EndpointError::new(url, "port", "`:` after `]`", after)),
    };
    Ok((parse_ipv6(url, host)?, port))
}

/// The text between the brackets: an address, and perhaps a zone after `%` or `%25` (RFC 6874, section 2).
fn parse_ipv6(url: &str, host: &str) -> Result<Arc<str>, EndpointError> {
    let expected = "an IPv6 address between the brackets";
    let wrong = || EndpointError::new(url, "host", expected, host);
    let (address, zone) = match host.split_once('%') {
        Some((address, zone)) => (address, Some(zone.strip_prefix("25").unwrap_or(zone))),
        None => (host, None),
    };
    let address: Ipv6Addr = address.parse().map_err(|_| wrong())?;
    let is_name = |zone: &str| !zone.is_empty() && zone.bytes().all(|b| b.is_ascii_graphic());
    match zone {
        Some(zone) if is_name(zone) => Ok(format!("{address}%{zone}").into()),
        Some(_) => Err(wrong()),
        None => Ok(address.to_string().into()),
    }
}

fn parse_host(url: &str, host: &str) -> Result<Arc<str>, EndpointError> {
    let wrong = |expected| EndpointError::new(url, "host", expected, host);
    if host.is_empty() {
        return Err(wrong("a host (0.0.0.0 or [::] to listen on every interface)"));
    }
    if host.contains(':') {
        return Err(wrong("an IPv6 address in brackets, as in [::1]:8080"));
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let labels_fit = name.split('.').all(is_label);
    if name.len() > HOST_BYTES || !labels_fit {
        return Err(wrong(
            "a host name of letters, digits, `-`, `_` and dots (other scripts in their xn-- form)",
        ));
    }
    // A name that ends in a number is an address, and only the usual way to write one is taken: resolvers also read
    // 127.1, 0x7f.1 and 017700000001.
    let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    if is_number && host.parse::<Ipv4Addr>().is_err() {
        return Err(wrong("an IPv4 address of four numbers up to 255"));
    }
    Ok(host.to_ascii_lowercase().into())
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_BYTES).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn parse_port(url: &str, scheme: Scheme, port: &str) -> Result<u16, EndpointError> {
    let expected = "a port from 0 to 65535 or the name of a service";
    let wrong = || EndpointError::new(url, "port", expected, port);
    if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) {
        return port.parse().map_err(|_| wrong());
    }
    let protocol = if scheme == Scheme::Udp { "udp" } else { "tcp" };
    services::port(port, protocol).ok_or_else(wrong)
}

/// The path is taken as it is written; nothing in it is decoded, so that no path with a `?` can be written.
fn parse_path(url: &str, path: &str) -> Result<Place, EndpointError> {
    let wrong = |expected| EndpointError::new(url, "path", expected, path);
    if !path.starts_with('/') {
        return Err(wrong("an absolute path, so three slashes, as in unix:///run/x.sock"));
    }
    if path.ends_with('/') {
        return Err(wrong("the path of a file"));
    }
    if path.contains('\0') {
        return Err(wrong("a path without a zero byte"));
    }
    if path.len() > UNIX_PATH_BYTES {
        return Err(wrong("a path of at most 107 bytes"));
    }
    Ok(Place::Path(Path::new(path).into()))
}

fn parse_name(url: &str, name: &str) -> Result<Place, EndpointError> {
    let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if name.is_empty() || !name.bytes().all(is_name_byte) {
        let expected = "a name of letters, digits, `-`, `_` and `.`";
        return Err(EndpointError::new(url, "name", expected, name));
    }
    Ok(Place::Name(name.into()))
}

/// A name outside the file system. Only what can be read and typed is taken; the kernel would take any bytes.
fn parse_abstract_name(url: &str, name: &str) -> Result<Place, EndpointError> {
    let fits = (1..=ABSTRACT_NAME_BYTES).contains(&name.len());
    if !fits || !name.bytes().all(|b| b.is_ascii_graphic()) {
        let expected = "1 to 107 letters, digits and signs after the `@`";
        return Err(EndpointError::new(url, "name", expected, name));
    }
    Ok(Place::Name(name.into()))
}

/// A number, or the name that the supervisor gave to the socket.
fn parse_descriptor(url: &str, written: &str) -> Result<Place, EndpointError> {
    let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let is_name =
        written.starts_with(|c: char| c.is_ascii_alphabetic()) && written.bytes().all(is_name_byte);
    if is_name {
        return Ok(Place::Name(written.into()));
    }
    let digits = written.bytes().all(|b| b.is_ascii_digit());
    match written.parse::<i32>() {
        Ok(number) if digits => Ok(Place::Descriptor(number.unsigned_abs())),
        _ => {
            let expected = "the number or name of an inherited socket, as in fd://3 or fd://web";
            Err(EndpointError::new(url, "descriptor", expected, written))
        }
    }
}
