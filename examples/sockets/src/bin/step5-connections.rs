//! One listener, three connections.

use std::error::Error;

use example_sockets::look;
use farcall_socket::{Family, Options, Socket};

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::default();
    let bound = Socket::stream(Family::Ipv4, &options)?.bind(&"127.0.0.1:0".parse()?)?;
    let listening = bound.listen()?;

    let mut connections = Vec::new();
    for _ in 0..3 {
        let client = Socket::stream(Family::Ipv4, &options)?.connect(&listening.local()?)?;
        let server = listening.accept()?;
        println!("{} {} {}", server.local()?, server.remote()?, client.local()?);
        connections.push((client, server));
    }
    look()?;
    Ok(())
}
