//! The server that Autobahn's fuzzing client judges: on every path a WebSocket that sends each message back.
//!
//! It says where, `listening on tcp://127.0.0.1:PORT`, and runs until SIGTERM.

use std::io::Write;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use farcall::Server;
use farcall::websocket::{WebSocket, accept};
use peer::verdict::Verdict;
use tokio::signal::unix::{SignalKind, signal};

/// For what is still open when SIGTERM comes: the judge waits 5 s for the end.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Verdict {
    let mut terminate = signal(SignalKind::terminate())?;
    let application = Router::new().fallback(async |request: Request| accept(&request, echo));
    let bound = Server::new()
        .http(application)
        .listen("tcp://127.0.0.1:0")
        .shutdown_on(async move {
            terminate.recv().await;
        })
        .shutdown_limit(SHUTDOWN_LIMIT)
        .bind()
        .await?;
    println!("listening on {}", bound.endpoint());
    std::io::stdout().flush()?;
    Ok(bound.run().await?)
}

/// Sends back what comes, until the WebSocket ends, whichever way.
async fn echo(mut socket: WebSocket) {
    while let Ok(Some(message)) = socket.receive().await {
        if socket.send(message).await.is_err() {
            break;
        }
    }
}
