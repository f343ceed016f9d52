use farcall_socket::{Connected, Socket};

pub fn serve(connection: Socket<Connected>) {
    let _ = connection.listen();
}
