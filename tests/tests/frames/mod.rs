//! A client of a WebSocket behind its handshake: frames on whatever pipe there is.

use std::time::Instant;

use bytes::BytesMut;
use farcall_wire::http2::Role;
use farcall_wire::websocket::{Config, Engine, Event, SendError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// One end of a WebSocket. It reads only when it is asked for what comes next.
pub(crate) struct Frames<T> {
    pub(crate) pipe: T,
    pub(crate) engine: Engine,
    input: BytesMut,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Frames<T> {
    pub(crate) fn new(pipe: T) -> Self {
        let engine = Engine::new(Role::Client, Config::default(), Instant::now());
        Self { pipe, engine, input: BytesMut::new() }
    }

    pub(crate) async fn write(&mut self) {
        self.engine.fill(Instant::now());
        let output = self.engine.output();
        self.pipe.write_all(output).await.unwrap();
        output.clear();
    }

    pub(crate) async fn send(&mut self, data: &[u8]) -> Result<(), SendError> {
        self.engine.send_binary(data)?;
        self.write().await;
        Ok(())
    }

    pub(crate) async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.engine.poll_event() {
                return event;
            }
            if self.pipe.read_buf(&mut self.input).await.unwrap() == 0 {
                self.engine.receive_eof(Instant::now());
            } else {
                self.engine.receive(&mut self.input, Instant::now());
            }
        }
    }
}
