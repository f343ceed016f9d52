use farcall_socket::{Socket, Unbound};
use std::io::Write;

pub fn write(mut socket: Socket<Unbound>) {
    let _ = socket.write(b"hello");
}
