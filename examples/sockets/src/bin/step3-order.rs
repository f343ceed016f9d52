//! What the kernel refuses, when the types allow the call.

use std::error::Error;

use example_sockets::look;
use farcall_socket::{Family, Options, Socket};

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::default();
    let bound = Socket::stream(Family::Ipv4, &options)?.bind(&"127.0.0.1:0".parse()?)?;
    let address = bound.local()?;
    look()?;

    let early = Socket::stream(Family::Ipv4, &options)?.connect(&address);
    println!("connect before listen: {}", early.err().ok_or("it was connected")?.kind());

    let listening = bound.listen()?;
    let second = Socket::stream(Family::Ipv4, &options)?.bind(&address);
    let (error, socket) = second.err().ok_or("two have one port")?.into_parts();
    println!("a second bind: {}", error.kind());
    let second = socket.bind(&"127.0.0.1:0".parse()?)?;
    println!("another port: {}", second.local()? != listening.local()?);
    Ok(())
}
