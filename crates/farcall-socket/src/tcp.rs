//! TCP: how its sockets are opened and set up.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::timeout_at;

use crate::connection::Connection;
use crate::error::{BindError, BindErrorKind, ConnectError, ConnectErrorKind};
use crate::lifecycle::is_own_echo;
use crate::pipe::Pipe;
use crate::race::race;
use crate::resolve::addresses as resolve;
use crate::{Address, Endpoint, Listening, Options, Peer, Socket};

/// Listens on the first of the endpoint's addresses that can be had, and says where that is.
pub(crate) async fn bind(
    endpoint: &Endpoint,
    options: &Options,
) -> Result<(Socket<Listening>, Endpoint), BindError> {
    let addresses = resolve(endpoint)
        .await
        .map_err(|error| BindError::new(endpoint, BindErrorKind::Unresolved, error))?;
    listen_on_first(endpoint, addresses, options)
}

/// Listens on the first of these addresses that can be had.
pub(crate) fn listen_on_first(
    endpoint: &Endpoint,
    addresses: Vec<SocketAddr>,
    options: &Options,
) -> Result<(Socket<Listening>, Endpoint), BindError> {
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

fn listen(address: SocketAddr, options: &Options) -> io::Result<(Socket<Listening>, SocketAddr)> {
    let socket = Socket::stream(address.into(), options)?;
    let socket = socket.bind(&address.into())?.listen()?;
    let local = socket.local()?.socket_address().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, local))
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
        let options = options.clone();
        Box::pin(async move { Ok((dial(address, &options).await?, address)) })
    })
    .await
    .map_err(|attempts| ConnectError::from_attempts(endpoint, attempts))?;
    Ok(connection(stream, address))
}

async fn dial(address: SocketAddr, options: &Options) -> io::Result<TcpStream> {
    let connecting = Socket::stream(address.into(), options)?.begin_connect(address)?;
    let stream = TcpStream::from_std(connecting.into_raw().into())?;
    stream.writable().await?;
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    if is_own_echo(&SockRef::from(&stream))? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

/// The address of this end.
pub(crate) fn local(stream: &TcpStream) -> io::Result<Address> {
    let address = SockRef::from(stream).local_addr()?;
    let address = address.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok(Address::Tcp(canonical(address)))
}

/// A socket that listens on `[::]` reports IPv4 peers as `::ffff:a.b.c.d`; people and rules know them by `a.b.c.d`.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
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
        let (accepted, _) = (listener.accept().unwrap(), address);

        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap().as_secs(), 60);
        assert_eq!(socket.tcp_keepalive_interval().unwrap().as_secs(), 20);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
        assert_eq!(socket.tcp_user_timeout().unwrap(), options.user_timeout);
        drop(client);
    }

    #[test]
    fn a_socket_connected_to_itself_is_seen() {
        let socket = Socket::stream(crate::Family::Ipv4, &Options::default()).unwrap();
        let bound = socket.bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
        let own = bound.local().unwrap();
        assert_eq!(bound.connect(&own).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
