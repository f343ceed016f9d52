use farcall_socket::{Socket, Unbound, sockaddr::Sockaddr};

pub fn bind(socket: Socket<Unbound>, one: &Sockaddr, other: &Sockaddr) {
    let _ = socket.bind(one);
    let _ = socket.bind(other);
}
