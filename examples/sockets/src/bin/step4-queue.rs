//! Seven clients, room for five and one more, and nobody who accepts.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use example_sockets::look;
use farcall_socket::{Family, Options, Socket};

fn main() -> Result<(), Box<dyn Error>> {
    let patience = Duration::from_millis(200);
    let options = Options { backlog: Some(5), connect_timeout: patience, ..Options::default() };
    let bound = Socket::stream(Family::Ipv4, &options)?.bind(&"127.0.0.1:0".parse()?)?;
    let listening = bound.listen()?;

    let mut clients = Vec::new();
    for number in 1..=7 {
        match Socket::stream(Family::Ipv4, &options)?.connect(&listening.local()?) {
            Ok(mut client) => {
                writeln!(client, "client {number}")?;
                clients.push(client);
            }
            Err(error) => println!("client {number}: {}", error.kind()),
        }
    }
    look()?;

    while let Some(connection) = listening.try_accept()? {
        let mut line = String::new();
        BufReader::new(connection).read_line(&mut line)?;
        print!("accepted: {line}");
    }
    Ok(())
}
