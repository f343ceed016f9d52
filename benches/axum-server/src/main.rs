//! The shop of proto/shop.proto as JSON over HTTP/1.1, by axum: `axum-server HOST:PORT current-thread|multi-thread`.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::routing::post;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// `bench.v1.Order`, as an axum program writes it; a field that is absent is empty, as in protobuf.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Order {
    id: String,
    customer: String,
    email: String,
    address: String,
    note: String,
    express: bool,
    discount: f64,
    lines: Vec<Line>,
}

/// `bench.v1.Line`.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Line {
    sku: String,
    title: String,
    quantity: u32,
    unit_price: u32,
    weight: f64,
}

/// `bench.v1.Receipt`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    number: u32,
    total: u32,
    order: Order,
}

/// The number of the next order. It keeps its ten digits, so that every reply has the same length.
static NEXT: AtomicU32 = AtomicU32::new(1_000_000_000);

async fn place(Json(order): Json<Order>) -> Json<Receipt> {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let total = order.lines.iter().fold(0, add);
    Json(Receipt { number, total, order })
}

fn add(total: u32, line: &Line) -> u32 {
    total.saturating_add(line.quantity.saturating_mul(line.unit_price))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(kind)) = (arguments.next(), arguments.next()) else {
        return Err("usage: axum-server HOST:PORT current-thread|multi-thread".into());
    };
    runtime(&kind)?.block_on(async {
        let listener = TcpListener::bind(&address).await?.tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });
        let shop = Router::new().route("/bench.v1.Shop/Place", post(place));
        axum::serve(listener, shop).await?;
        Ok(())
    })
}

/// The runtime by name; the multi-thread one has a single worker, for the server is pinned to one core.
fn runtime(kind: &str) -> Result<Runtime, Box<dyn Error>> {
    let mut builder = match kind {
        "current-thread" => Builder::new_current_thread(),
        "multi-thread" => Builder::new_multi_thread(),
        other => {
            return Err(
                format!("expected current-thread or multi-thread, found \"{other}\"").into()
            );
        }
    };
    Ok(builder.worker_threads(1).enable_all().build()?)
}
