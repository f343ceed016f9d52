//! A connection whose every byte is the test's.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection to a server on TCP.
pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) async fn connect(endpoint: &str) -> Self {
        let address = endpoint.strip_prefix("tcp://").expect("an endpoint on TCP");
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("TCP has the option");
        Self(stream)
    }

    /// Writes, and reads until the server closes.
    pub(crate) async fn exchange(self, bytes: &[u8]) -> String {
        self.exchange_in_pieces(bytes, usize::MAX).await
    }

    /// The same, `size` bytes in a write.
    pub(crate) async fn exchange_in_pieces(mut self, bytes: &[u8], size: usize) -> String {
        for piece in bytes.chunks(size.min(bytes.len())) {
            self.0.write_all(piece).await.expect("the server reads");
            tokio::task::yield_now().await;
        }
        let mut answer = Vec::new();
        // A reset behind the answer does not make it worse.
        let _ = self.0.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Writes, and reads the first line of the answer.
    pub(crate) async fn first_line_after(mut self, bytes: &[u8]) -> String {
        self.0.write_all(bytes).await.expect("the server reads");
        let mut answer = Vec::new();
        while !answer.contains(&b'\n') {
            assert_ne!(self.0.read_buf(&mut answer).await.expect("an answer"), 0, "no answer");
        }
        String::from_utf8_lossy(&answer).into_owned()
    }
}
