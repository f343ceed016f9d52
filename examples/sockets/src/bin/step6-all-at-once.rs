//! Echoes to all clients at once, with a thread for each.

use std::error::Error;
use std::thread;

use example_sockets::{echo, endpoint};
use farcall_socket::{Options, Socket};

fn main() -> Result<(), Box<dyn Error>> {
    let listening = Socket::listening_at(&endpoint()?, &Options::default())?;
    loop {
        let connection = listening.accept()?;
        thread::spawn(move || echo(&connection));
    }
}
