//! The same calls over a file, and who is at the other end.

use std::error::Error;

use example_sockets::{endpoint, look};
use farcall_socket::{Options, Socket};

fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = endpoint()?;
    let listening = Socket::listening_at(&endpoint, &Options::default())?;
    let client = Socket::connected_to(&endpoint, &Options::default())?;
    let server = listening.accept()?;

    let peer = server.peer()?;
    let who = peer.credentials().ok_or("only Unix sockets know")?;
    println!("user {}, process {:?}", who.uid, who.pid);
    look()?;

    drop((client, server, listening));
    println!("the file is there: {:?}", endpoint.path().map(std::path::Path::exists));
    Ok(())
}
