use farcall_socket::{Family, Options, Socket};
use std::io::Write;

pub fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let socket = Socket::stream(Family::Ipv4, &Options::default())?;
    let bound = socket.bind(&"127.0.0.1:7000".parse()?)?;
    let listening = bound.listen()?;
    let mut connection = listening.accept()?;
    connection.write_all(b"hello\n")?;
    Ok(())
}
