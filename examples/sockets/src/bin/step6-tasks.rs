//! Echoes to all clients at once, with a task for each.

use std::error::Error;

use example_sockets::endpoint;
use farcall_socket::{Listener, Options};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = Listener::bind(&endpoint()?, &Options::default()).await?;
    loop {
        let connection = listener.accept().await?;
        tokio::spawn(async move {
            let (mut input, mut output) = tokio::io::split(connection);
            tokio::io::copy(&mut input, &mut output).await
        });
    }
}
