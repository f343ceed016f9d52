use farcall_socket::{Bound, Socket, sockaddr::Sockaddr};

pub fn bind(bound: Socket<Bound>, other: &Sockaddr) {
    let _ = bound.bind(other);
}
