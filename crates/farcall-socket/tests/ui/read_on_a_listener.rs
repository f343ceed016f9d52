use farcall_socket::{Listening, Socket};
use std::io::Read;

pub fn read(mut listening: Socket<Listening>) {
    let _ = listening.read(&mut [0; 16]);
}
