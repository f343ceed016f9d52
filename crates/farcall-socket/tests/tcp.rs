//! TCP: listening, queueing, connecting, and what is said when it fails.

use std::net::SocketAddr;
use std::time::Duration;

use farcall_socket::{Address, BindErrorKind, ConnectErrorKind};
use farcall_socket::{Connection, Endpoint, Listener, Options};
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn endpoint(url: &str) -> Endpoint {
    url.parse().unwrap()
}

async fn listen(options: &Options) -> Listener {
    Listener::bind(&endpoint("tcp://127.0.0.1:0"), options).await.unwrap()
}

fn backlog(backlog: u32) -> Options {
    Options {
        backlog: Some(backlog),
        connect_timeout: Duration::from_millis(250),
        ..Options::default()
    }
}

/// A port of 127.0.0.1 that is taken but refuses connects, for as long as the socket lives.
fn refusing() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&address.into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

fn port(address: &Address) -> u16 {
    match address {
        Address::Tcp(address) => address.port(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn port_0_becomes_a_real_port_and_the_scheme_stays() {
    let options = Options::default();
    for scheme in ["tcp", "http"] {
        let listener =
            Listener::bind(&endpoint(&format!("{scheme}://127.0.0.1:0")), &options).await.unwrap();
        let real = listener.endpoint();
        assert_ne!(real.port(), Some(0));
        assert_eq!(real.scheme().as_str(), scheme);
        assert_eq!(endpoint(&real.to_string()), *real);
        let _client = Connection::connect(real, &options).await.unwrap();
        listener.accept().await.unwrap();
    }
}

#[tokio::test]
async fn both_ends_know_each_other_and_an_accepted_connection_has_the_listeners_port() {
    let listener = listen(&Options::default()).await;
    let client = Connection::connect(listener.endpoint(), &Options::default()).await.unwrap();
    let server = listener.accept().await.unwrap();
    assert_eq!(Some(port(&server.local().unwrap())), listener.endpoint().port());
    assert_eq!(*server.peer().address(), client.local().unwrap());
    assert_eq!(*client.peer().address(), server.local().unwrap());
    assert_eq!(client.peer().to_string(), listener.endpoint().to_string());
    assert_eq!(server.peer().credentials(), None);
}

#[tokio::test]
async fn connections_come_in_the_order_of_their_connects_and_may_send_before() {
    let listener = listen(&Options::default()).await;
    let mut clients = Vec::new();
    for number in 0..10_u8 {
        let mut client =
            Connection::connect(listener.endpoint(), &Options::default()).await.unwrap();
        client.write_all(&[number]).await.unwrap();
        clients.push(client);
    }
    for number in 0..10 {
        let mut server = listener.accept().await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), number);
    }
}

#[tokio::test]
async fn a_queue_of_5_takes_6_and_the_7th_hears_nothing() {
    let options = backlog(5);
    let listener = listen(&options).await;
    let mut waiting = Vec::new();
    for _ in 0..6 {
        waiting.push(Connection::connect(listener.endpoint(), &options).await.unwrap());
    }
    let error = Connection::connect(listener.endpoint(), &options).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::Timeout);
    let port = listener.endpoint().port().unwrap();
    assert_eq!(
        error.to_string(),
        format!("cannot connect to tcp://127.0.0.1:{port}: 127.0.0.1:{port}: no answer in time")
    );
}

#[tokio::test]
async fn the_default_queue_is_the_systems_maximum() {
    let maximum: usize =
        std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse().unwrap();
    let listener = listen(&Options::default()).await;
    // More than the 128 of the standard library.
    let count = maximum.min(200);
    let mut waiting = Vec::new();
    for _ in 0..count {
        waiting.push(Connection::connect(listener.endpoint(), &Options::default()).await.unwrap());
    }
    let mut accepted = Vec::new();
    while let Some(connection) = listener.try_accept().unwrap() {
        accepted.push(connection);
    }
    assert_eq!(accepted.len(), count);
}

#[tokio::test]
async fn a_taken_port_is_in_use_and_the_error_names_it() {
    let listener = listen(&Options::default()).await;
    let error = Listener::bind(listener.endpoint(), &Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), BindErrorKind::InUse);
    assert_eq!(error.endpoint(), listener.endpoint());
    let text = error.to_string();
    let expected = format!("cannot listen on {}: ", listener.endpoint());
    assert!(text.starts_with(&expected), "{text}");
}

#[tokio::test]
async fn an_address_of_another_machine_is_not_found() {
    let error =
        Listener::bind(&endpoint("tcp://192.0.2.1:0"), &Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), BindErrorKind::NotFound);
}

#[tokio::test]
async fn a_restart_gets_its_port_back_while_old_connections_linger() {
    let options = Options::default();
    let listener = listen(&options).await;
    let place = listener.endpoint().clone();
    let mut client = Connection::connect(&place, &options).await.unwrap();
    let mut server = listener.accept().await.unwrap();
    // The end that closes first keeps the port in TIME_WAIT.
    server.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    drop((server, client, listener));
    Listener::bind(&place, &options).await.unwrap();
}

#[tokio::test]
async fn a_refused_connect_names_endpoint_address_and_cause() {
    let (_socket, port) = refusing();
    let error =
        Connection::connect(&endpoint(&format!("tcp://127.0.0.1:{port}")), &Options::default())
            .await
            .unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::Refused);
    assert_eq!(error.attempts().len(), 1);
    let text = error.to_string();
    let expected =
        format!("cannot connect to tcp://127.0.0.1:{port}: 127.0.0.1:{port}: Connection refused");
    assert!(text.starts_with(&expected), "{text}");
    let error = std::io::Error::from(error);
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_name_whose_addresses_all_refuse_lists_each_of_them() {
    let (_socket, port) = refusing();
    let addresses: std::collections::BTreeSet<_> =
        tokio::net::lookup_host(("localhost", port)).await.unwrap().collect();
    let error =
        Connection::connect(&endpoint(&format!("tcp://localhost:{port}")), &Options::default())
            .await
            .unwrap_err();
    let tried: std::collections::BTreeSet<_> =
        error.attempts().iter().filter_map(|a| a.address).collect();
    assert_eq!(tried, addresses);
    for address in addresses {
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
}

#[tokio::test]
async fn a_name_is_tried_address_by_address_until_one_answers() {
    let listener = listen(&Options::default()).await;
    let port = listener.endpoint().port().unwrap();
    let place = endpoint(&format!("tcp://localhost:{port}"));
    let _client = Connection::connect(&place, &Options::default()).await.unwrap();
    listener.accept().await.unwrap();
}

#[tokio::test]
async fn a_name_without_an_address_is_unresolved() {
    let options = Options { connect_timeout: Duration::from_secs(2), ..Options::default() };
    let error =
        Connection::connect(&endpoint("tcp://nobody.invalid:80"), &options).await.unwrap_err();
    // Nobody has such a name (RFC 6761, section 6.4), but a machine without name servers may need long to find out.
    let kinds = [ConnectErrorKind::Unresolved, ConnectErrorKind::Timeout];
    assert!(kinds.contains(&error.kind()), "{error}");
}

#[tokio::test]
async fn a_listener_on_every_interface_takes_ipv4_and_names_it_so() {
    let options = Options::default();
    let Ok(listener) = Listener::bind(&endpoint("tcp://[::]:0"), &options).await else {
        return; // no IPv6 on this machine
    };
    let port = listener.endpoint().port().unwrap();
    let _client =
        Connection::connect(&endpoint(&format!("tcp://127.0.0.1:{port}")), &options).await.unwrap();
    let server = listener.accept().await.unwrap();
    let peer = server.peer().to_string();
    assert!(peer.starts_with("tcp://127.0.0.1:"), "{peer}");
    assert!(server.local().unwrap().to_string().starts_with("tcp://127.0.0.1:"));
}

#[test]
fn a_successor_on_another_runtime_takes_over_without_losing_a_connection() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (old, new, clients) = (runtime(), runtime(), runtime());
    let options = Options::default();
    let first = old.block_on(listen(&options));
    let waiting = clients.block_on(async {
        let mut waiting = Vec::new();
        for _ in 0..40 {
            waiting.push(Connection::connect(first.endpoint(), &options).await.unwrap());
        }
        waiting
    });
    let served = old.block_on(async { [first.accept().await, first.accept().await] });
    let second = new.block_on(async { first.try_clone() }).unwrap();
    drop(first);
    drop(old);
    new.block_on(async {
        for _ in 0..38 {
            second.accept().await.unwrap();
        }
        assert!(second.try_accept().unwrap().is_none());
    });
    assert_eq!((waiting.len(), served.len()), (40, 2));
}
