//! The end comes when the last descriptor is closed, wherever that is.

use std::error::Error;
use std::io::{self, Write};
use std::os::fd::AsFd;

use example_sockets::look;
use farcall_socket::lifecycle::Stream;
use farcall_socket::{Connected, Socket};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut near, far) = Socket::<Connected, Stream>::pair()?;
    let (left, right) = Socket::<Connected, Stream>::pair()?;

    near.write_all(b"bye")?;
    left.send_descriptors(b"x", &[near.as_fd()])?;
    drop(near); // one of two: the other is under way

    let (_, descriptors) = right.receive_descriptors(&mut [0; 1], 1)?;
    println!("{} came, and is open", descriptors.len());
    look()?;
    drop(descriptors); // the last one
    println!("{}", io::read_to_string(far)?);
    Ok(())
}
