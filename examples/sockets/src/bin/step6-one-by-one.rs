//! Echoes to one client after the other.

use std::error::Error;

use example_sockets::{echo, endpoint};
use farcall_socket::{Options, Socket};

fn main() -> Result<(), Box<dyn Error>> {
    let listening = Socket::listening_at(&endpoint()?, &Options::default())?;
    loop {
        let connection = listening.accept()?;
        // A client that breaks off is no reason to end.
        let _ = echo(&connection);
    }
}
