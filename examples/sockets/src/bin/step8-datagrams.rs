//! Two datagrams, and an answer to each.

use std::error::Error;

use example_sockets::look;
use farcall_socket::{DatagramSocket, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::default();
    let server = DatagramSocket::bind_blocking(&"udp://127.0.0.1:0".parse()?, &options)?;
    let client = DatagramSocket::bind_blocking(&"udp://127.0.0.1:0".parse()?, &options)?;
    let client = client.connect_to(&server.local()?)?;

    client.blocking().send(b"far")?;
    client.blocking().send(b"call")?;
    look()?;

    let mut buffer = [0; 1500];
    for _ in 0..2 {
        let datagram = server.blocking().receive(&mut buffer)?;
        println!("{}", String::from_utf8_lossy(&buffer[..datagram.length]));
        server.blocking().send_to(b"heard", &datagram.from)?;
    }
    let answer = client.blocking().receive(&mut buffer)?;
    println!("{}", String::from_utf8_lossy(&buffer[..answer.length]));
    Ok(())
}
