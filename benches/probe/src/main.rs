//! Calls a server before it is measured: `probe HOST:PORT BYTES`. Fails unless every reply is OK and carries the
//! bytes that were sent; h2load sees neither the bytes nor grpc-status.

use std::error::Error;

use tonic::transport::Endpoint;

mod proto {
    #![allow(clippy::all, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/bench.v1.Echo.rs"));
}

use proto::echo_client::EchoClient;

/// `bench.v1.Payload`, as tonic's own generator writes it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Payload {
    #[prost(bytes = "vec", tag = "1")]
    pub body: Vec<u8>,
}

const CALLS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(bytes)) = (arguments.next(), arguments.next()) else {
        return Err("usage: probe HOST:PORT BYTES".into());
    };
    let bytes = bytes.parse()?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(check(&address, bytes))
}

async fn check(address: &str, bytes: usize) -> Result<(), Box<dyn Error>> {
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
    let mut echo = EchoClient::new(channel);
    for call in 0..CALLS {
        // A different fill each time: a server that answers with a constant is found out.
        let sent = Payload { body: vec![call as u8; bytes] };
        let received = echo.send(sent.clone()).await?.into_inner();
        if received != sent {
            return Err(format!("call {call}: expected {sent:?}, found {received:?}").into());
        }
    }
    println!("{CALLS} calls answered with the bytes that were sent");
    Ok(())
}
