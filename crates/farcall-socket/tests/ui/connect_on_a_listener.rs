use farcall_socket::{Listening, Socket, sockaddr::Sockaddr};

pub fn call(listening: Socket<Listening>, address: &Sockaddr) {
    let _ = listening.connect(address);
}
