//! The weather on one port, for every caller, with a page beside it.
//!
//!     cargo run -p guide --bin weather

use axum::Router;
use axum::routing::get;
use farcall::{Cors, Result, Server};
use guide::Stations;
use guide::proto::weather::v1::Weather as _;

#[tokio::main]
async fn main() -> Result<()> {
    let endpoint = std::env::args().nth(1).unwrap_or_else(|| "tcp://127.0.0.1:8080".into());
    let pages = Router::new().route("/about", get(|| async { "What the weather is like.\n" }));
    let server = Server::new()
        .add(Stations.into_service())
        .health()
        .reflection()
        .http(pages)
        .cors(Cors::new().allow_origin("https://app.example.com"))
        .listen(endpoint);

    let bound = server.bind().await?;
    println!("listening at {}", bound.endpoint());
    bound.run().await
}
