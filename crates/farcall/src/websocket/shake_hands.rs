//! The opening handshake over a pipe of bytes, by the engine of HTTP/1.1.

use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use farcall_wire::event::Event;
use farcall_wire::http1;
use farcall_wire::http2::Role;
use farcall_wire::websocket::handshake::{Agreed, Request, RequestTarget};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Sends the request and reads the response. Returns what came behind it as well.
pub(super) async fn shake_hands(
    pipe: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &Request,
    target: RequestTarget<'_>,
) -> Result<(Agreed, Bytes), String> {
    let text = |error: std::io::Error| error.to_string();
    let mut engine = http1::Engine::new(Role::Client, http1::Config::default(), Instant::now());
    engine.open(&request.fields(target), true).map_err(|error| error.to_string())?;
    engine.fill(Instant::now());
    let output = engine.output();
    pipe.write_all(output).await.map_err(text)?;
    output.advance(output.len());
    let mut input = BytesMut::with_capacity(2048);
    let mut behind = BytesMut::new();
    let mut agreed = None;
    loop {
        while let Some(event) = engine.poll_event() {
            match event {
                Event::Response { head, .. } => {
                    agreed = Some(request.verify(&head).map_err(|error| error.to_string())?);
                }
                Event::Data { data, .. } => behind.extend_from_slice(&data),
                Event::Closed { error } => {
                    return Err(error.map_or_else(
                        || "the server closed the connection".to_owned(),
                        |error| error.to_string(),
                    ));
                }
                Event::Reset { reason, .. } => return Err(reason.to_owned()),
                _ => {}
            }
        }
        if let Some(agreed) = agreed {
            return Ok((agreed, behind.freeze()));
        }
        if pipe.read_buf(&mut input).await.map_err(text)? == 0 {
            engine.receive_eof(Instant::now());
        } else {
            engine.receive(&mut input, Instant::now());
        }
    }
}
