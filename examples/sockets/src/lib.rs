//! What several of the steps need.

use std::error::Error;
use std::{env, io, process};

use farcall_socket::{Connected, Endpoint, Socket};

/// The endpoint that the program was given as its first argument.
///
/// # Errors
/// When it is no endpoint.
pub fn endpoint() -> Result<Endpoint, Box<dyn Error>> {
    let given = env::args().nth(1);
    Ok(given.as_deref().unwrap_or("tcp://127.0.0.1:7000").parse()?)
}

/// Sends back what comes until the other end says that no more will.
///
/// # Errors
/// When the connection breaks.
pub fn echo(connection: &Socket<Connected>) -> io::Result<u64> {
    let (mut input, mut output) = (connection, connection);
    io::copy(&mut input, &mut output)
}

/// Waits for Enter, so that another terminal can look at this program's sockets.
///
/// # Errors
/// When there is no standard input.
pub fn look() -> io::Result<()> {
    println!("look: farcall sockets --pid {}", process::id());
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}
