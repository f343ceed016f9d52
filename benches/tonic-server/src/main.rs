//! The echo of proto/echo.proto, by tonic: `tonic-server HOST:PORT current-thread|multi-thread`.

use std::error::Error;

use tokio::runtime::{Builder, Runtime};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

mod proto {
    #![allow(clippy::all, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/bench.v1.Echo.rs"));
}

use proto::echo_server::{Echo, EchoServer};

/// `bench.v1.Payload`, as tonic's own generator writes it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Payload {
    #[prost(bytes = "vec", tag = "1")]
    pub body: Vec<u8>,
}

struct Service;

#[tonic::async_trait]
impl Echo for Service {
    async fn send(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(kind)) = (arguments.next(), arguments.next()) else {
        return Err("usage: tonic-server HOST:PORT current-thread|multi-thread".into());
    };
    let address = address.parse()?;
    runtime(&kind)?.block_on(async {
        Server::builder().add_service(EchoServer::new(Service)).serve(address).await
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
