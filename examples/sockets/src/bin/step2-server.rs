//! Says hello to the first who comes.

use farcall_socket::{Family, Options, Socket};
use std::{env, error::Error, io::Write};

fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).as_deref().unwrap_or("127.0.0.1:7000").parse()?;
    let socket = Socket::stream(Family::Ipv4, &Options::default())?;
    let bound = socket.bind(&address)?;
    let listening = bound.listen()?;
    let mut connection = listening.accept()?;
    Ok(connection.write_all(b"hello\n")?)
}
