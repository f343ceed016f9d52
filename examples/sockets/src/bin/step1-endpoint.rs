//! Where to talk, for people and for the kernel.

use std::error::Error;

use farcall_socket::sockaddr::Sockaddr;
use farcall_socket::{Endpoint, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let endpoint: Endpoint = "tcp://127.0.0.1:7000?backlog=5".parse()?;
    println!("scheme {}, host {:?}", endpoint.scheme(), endpoint.host());
    println!("backlog {:?}", endpoint.options(&Options::default()).backlog);

    let address: Sockaddr = "127.0.0.1:7000".parse()?;
    println!("{:02x?}", address.to_storage().address());
    Ok(())
}
