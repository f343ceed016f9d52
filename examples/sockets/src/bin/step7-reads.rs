//! A line says how many bytes follow; the last ones do not all come.

use std::error::Error;
use std::io::Write;

use farcall_socket::lifecycle::Stream;
use farcall_socket::robust::blocking::Buffered;
use farcall_socket::{Connected, Socket};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut near, far) = Socket::<Connected, Stream>::pair()?;
    near.write_all(b"5\nhello4\nfa")?;
    drop(near);

    let mut far = Buffered::new(far);
    while let Some(line) = far.read_line()? {
        let length: u8 = str::from_utf8(&line)?.trim_end().parse()?;
        let mut word = vec![0; length.into()];
        match far.read_exactly(&mut word) {
            Ok(()) => println!("{}", String::from_utf8_lossy(&word)),
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}
