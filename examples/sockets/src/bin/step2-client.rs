//! Hears what the server says.

use farcall_socket::{Family, Options, Socket};
use std::{env, error::Error, io};

fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).as_deref().unwrap_or("127.0.0.1:7000").parse()?;
    let socket = Socket::stream(Family::Ipv4, &Options::default())?;
    let connection = socket.connect(&address)?;
    let text = io::read_to_string(connection)?;
    print!("{text}");
    Ok(())
}
