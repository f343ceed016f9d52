use farcall_socket::{Socket, Unbound};

pub fn serve(socket: Socket<Unbound>) {
    let _ = socket.listen();
}
