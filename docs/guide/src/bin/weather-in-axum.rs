//! The weather as a part of an axum program.
//!
//!     cargo run -p guide --bin weather-in-axum

use axum::Router;
use axum::routing::get;
use farcall::Server;
use guide::Stations;
use guide::proto::weather::v1::Weather as _;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let calls = Server::new().add(Stations.into_service()).reflection();
    let app = Router::new()
        .route("/about", get(|| async { "What the weather is like.\n" }))
        .fallback_service(calls.into_http_service());

    let listener = TcpListener::bind(address).await?;
    println!("listening at {}", listener.local_addr()?);
    axum::serve(listener, app).await
}
