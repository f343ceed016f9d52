//! A server that says the same to everybody, for what a client bounds.

use farcall::{Channel, ChannelConfig};
use farcall_tests::ProbeClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A client over HTTP/1.1 whose every request is answered with these bytes.
pub(crate) async fn answering(answer: Vec<u8>) -> (ProbeClient, Channel) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.windows(4).any(|window| window == b"\r\n\r\n") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let _ = stream.write_all(&answer).await;
                // Until the client has had enough.
                while stream.read_buf(&mut request).await.is_ok_and(|size| size > 0) {}
            });
        }
    });
    let config = ChannelConfig { http1: true, ..ChannelConfig::default() };
    let channel = Channel::with_config(endpoint, config).unwrap();
    (ProbeClient::new(channel.clone()), channel)
}

/// A response with these fields and this content, the last on its connection.
pub(crate) fn response(status: &str, fields: &str, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{fields}content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    [head.as_bytes(), content].concat()
}
