use farcall_socket::{Bound, Socket, lifecycle::Datagram};

pub fn serve(bound: Socket<Bound, Datagram>) {
    let _ = bound.listen();
}
