//! What the textbook says about datagrams, as the kernel does it.

use std::net::SocketAddr;

use farcall_socket::{DatagramSocket, Endpoint, Options};

async fn bind() -> DatagramSocket {
    let endpoint: Endpoint = "udp://127.0.0.1:0".parse().unwrap();
    DatagramSocket::bind(&endpoint, &Options::default()).await.unwrap()
}

fn address(socket: &DatagramSocket) -> SocketAddr {
    socket.local().unwrap().socket_address().unwrap()
}

#[tokio::test]
async fn a_datagram_keeps_its_borders() {
    let (receiver, sender) = (bind().await, bind().await);
    let to = receiver.local().unwrap();
    for text in [&b"one"[..], b"", b"three"] {
        sender.send_to(text, &to).await.unwrap();
    }
    let mut buffer = [0; 100];
    for length in [3, 0, 5] {
        assert_eq!(receiver.receive(&mut buffer).await.unwrap().length, length);
    }
}

#[tokio::test]
async fn connecting_a_datagram_socket_sends_nothing_and_proves_nothing() {
    let nobody = bind().await.local().unwrap();
    let client = bind().await.connect_to(&nobody).unwrap();
    assert_eq!(client.remote().unwrap(), nobody);
}

#[tokio::test]
async fn an_unbound_client_gets_a_port_with_its_first_connect() {
    let server = bind().await;
    let endpoint: Endpoint = format!("udp://{}", address(&server)).parse().unwrap();
    let one = DatagramSocket::connect(&endpoint, &Options::default()).await.unwrap();
    let two = DatagramSocket::connect(&endpoint, &Options::default()).await.unwrap();
    assert!(address(&one).port() != 0 && address(&two).port() != 0);
    assert_ne!(address(&one), address(&two));
}
