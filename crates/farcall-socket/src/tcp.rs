//! TCP: how its sockets are opened and set up.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout_at;

use crate::connection::{Connection, Pipe};
use crate::error::{BindError, BindErrorKind, ConnectError, ConnectErrorKind};
use crate::race::race;
use crate::resolve::resolve;
use crate::{Address, Endpoint, Options, Peer};

/// Listens on the first of the endpoint's addresses that can be had, and says where that is.
pub(crate) async fn bind(
    endpoint: &Endpoint,
    options: &Options,
) -> Result<(OwnedFd, Endpoint), BindError> {
    let addresses = resolve(endpoint)
        .await
        .map_err(|error| BindError::new(endpoint, BindErrorKind::Unresolved, error))?;
    let mut first_error = None;
    for address in addresses {
        match listen(address, options) {
            Ok((socket, local)) => return Ok((socket, endpoint.at(local))),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    let error = first_error.unwrap_or_else(|| io::ErrorKind::NotFound.into());
    Err(BindError::from_io(endpoint, error))
}

fn listen(address: SocketAddr, options: &Options) -> io::Result<(OwnedFd, SocketAddr)> {
    let socket = open(address, options)?;
    // Without it a restart within a minute is refused while old connections linger in TIME_WAIT.
    socket.set_reuse_address(true)?;
    if let SocketAddr::V6(v6) = address {
        // `[::]` means every interface, whatever net.ipv6.bindv6only says.
        socket.set_only_v6(!v6.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(options.kernel_backlog())?;
    let local = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((socket.into(), local))
}

/// A non-blocking, close-on-exec socket with all options set; accepted sockets inherit them from their listener.
fn open(address: SocketAddr, options: &Options) -> io::Result<Socket> {
    let kind = Type::STREAM.nonblocking().cloexec();
    let socket = Socket::new(Domain::for_address(address), kind, Some(Protocol::TCP))?;
    socket.set_tcp_nodelay(options.nodelay)?;
    if let Some(keepalive) = &options.keepalive {
        let whole_seconds =
            |d: Duration| d.clamp(Duration::from_secs(1), Duration::from_secs(32_767));
        let keepalive = TcpKeepalive::new()
            .with_time(whole_seconds(keepalive.idle))
            .with_interval(whole_seconds(keepalive.interval))
            .with_retries(u32::from(keepalive.probes.clamp(1, 127)));
        socket.set_tcp_keepalive(&keepalive)?;
    }
    if options.user_timeout.is_some() {
        socket.set_tcp_user_timeout(options.user_timeout)?;
    }
    Ok(socket)
}

/// A connected socket as a connection.
pub(crate) fn connection(stream: TcpStream, address: SocketAddr) -> Connection {
    let peer = Peer::new(Address::Tcp(canonical(address)), None);
    Connection::new(Pipe::Tcp(stream), Arc::new(peer))
}

/// Connects to the first of the endpoint's addresses that answers.
pub(crate) async fn connect(
    endpoint: &Endpoint,
    options: &Options,
) -> Result<Connection, ConnectError> {
    let deadline = options.connect_deadline();
    let Ok(addresses) = timeout_at(deadline, resolve(endpoint)).await else {
        let message = "the name servers gave no answer in time";
        let error = io::Error::new(io::ErrorKind::TimedOut, message);
        return Err(ConnectError::from_io(endpoint, error));
    };
    let unresolved = |error| ConnectError::new(endpoint, ConnectErrorKind::Unresolved, error);
    let addresses = addresses.map_err(unresolved)?;
    let (stream, address) = race(addresses, deadline, |address| {
        let socket = open(address, options);
        Box::pin(async move { Ok((dial(socket?, address).await?, address)) })
    })
    .await
    .map_err(|attempts| ConnectError::from_attempts(endpoint, attempts))?;
    Ok(connection(stream, address))
}

async fn dial(socket: Socket, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::from_std_stream(socket.into());
    let stream = socket.connect(address).await?;
    if is_own_echo(&stream)? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

/// Whether the socket is connected to itself. That happens when nobody listens on a port of the ephemeral range and the
/// kernel picks that very port for this end (simultaneous open, RFC 9293, section 3.5).
fn is_own_echo(stream: &TcpStream) -> io::Result<bool> {
    match stream.peer_addr() {
        Ok(peer) => Ok(stream.local_addr()? == peer),
        // Connected, and closed by the other end since: the first read will tell.
        Err(_) => Ok(false),
    }
}

/// The address of this end.
pub(crate) fn local(stream: &TcpStream) -> io::Result<Address> {
    let address = SockRef::from(stream).local_addr()?;
    let address = address.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok(Address::Tcp(canonical(address)))
}

/// A socket that listens on `[::]` reports IPv4 peers as `::ffff:a.b.c.d`; people and rules know them by `a.b.c.d`.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip if ip == address.ip() => address,
        ip => SocketAddr::new(ip, address.port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_are_written_as_ipv4_and_others_stay_whole() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert_eq!(canonical(address("[::ffff:10.0.0.1]:80")), address("10.0.0.1:80"));
        assert_eq!(canonical(address("[fe80::1%3]:80")), address("[fe80::1%3]:80"));
    }

    #[test]
    fn accepted_sockets_inherit_the_options_of_their_listener() {
        let options = Options::default();
        let (listener, address) = listen("127.0.0.1:0".parse().unwrap(), &options).unwrap();
        let client = std::net::TcpStream::connect(address).unwrap();
        let (accepted, _) = std::net::TcpListener::from(listener).accept().unwrap();

        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap().as_secs(), 60);
        assert_eq!(socket.tcp_keepalive_interval().unwrap().as_secs(), 20);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
        assert_eq!(socket.tcp_user_timeout().unwrap(), options.user_timeout);
        drop(client);
    }

    #[tokio::test]
    async fn a_socket_connected_to_itself_is_seen() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let own = socket.local_addr().unwrap();
        let stream = socket.connect(own).await.unwrap();
        assert!(is_own_echo(&stream).unwrap());
    }
}
