//! The echo of proto/echo.proto, by farcall: `farcall-server HOST:PORT current-thread|multi-thread`.

use std::error::Error;

use farcall::{Call, Server};
use tokio::runtime::{Builder, Runtime};

mod proto {
    farcall::include_protos!();
}

use proto::bench::v1::{Echo, Payload};

struct Service;

impl Echo for Service {
    async fn send(&self, request: Payload, _: &mut Call) -> farcall::Result<Payload> {
        Ok(request)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(kind)) = (arguments.next(), arguments.next()) else {
        return Err("usage: farcall-server HOST:PORT current-thread|multi-thread".into());
    };
    runtime(&kind)?.block_on(async {
        Server::new().add(Service.into_service()).listen(format!("tcp://{address}")).run().await
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
