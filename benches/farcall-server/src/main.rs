//! The echo and the shop of proto/, by farcall: `farcall-server HOST:PORT current-thread|multi-thread`.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};

use farcall::{Call, Server};
use tokio::runtime::{Builder, Runtime};

mod proto {
    farcall::include_protos!();
}

use proto::bench::v1::{Echo, Line, Order, Payload, Receipt, Shop};

struct Mirror;

impl Echo for Mirror {
    async fn send(&self, request: Payload, _: &mut Call) -> farcall::Result<Payload> {
        Ok(request)
    }
}

/// The number of the next order. It keeps its ten digits, so that every reply has the same length.
static NEXT: AtomicU32 = AtomicU32::new(1_000_000_000);

struct Counter;

impl Shop for Counter {
    async fn place(&self, order: Order, _: &mut Call) -> farcall::Result<Receipt> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let total = order.lines.iter().fold(0, add);
        Ok(Receipt { number, total, order: order.into() })
    }
}

fn add(total: u32, line: &Line) -> u32 {
    total.saturating_add(line.quantity.saturating_mul(line.unit_price))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(kind)) = (arguments.next(), arguments.next()) else {
        return Err("usage: farcall-server HOST:PORT current-thread|multi-thread".into());
    };
    runtime(&kind)?.block_on(async {
        Server::new()
            .add(Mirror.into_service())
            .add(Counter.into_service())
            .listen(format!("tcp://{address}"))
            .run()
            .await
    })?;
    Ok(())
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
