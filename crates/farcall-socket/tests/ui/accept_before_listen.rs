use farcall_socket::{Bound, Socket};

pub fn serve(bound: Socket<Bound>) {
    let _ = bound.accept();
}
