//! The server that is judged: conformance.v1.Calls and grpc.testing.TestService on a free port.
//!
//! It says where, `listening on tcp://127.0.0.1:PORT`, and runs until SIGTERM. `--message-limit=BYTES` raises the bounds on
//! messages; all else keeps its default, because the defaults are judged.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use farcall::{Limits, Server};
use peer::calls::JudgedCalls;
use peer::observed::Observed;
use peer::proto::conformance::v1::Calls;
use peer::proto::grpc::testing::TestService;
use peer::test_service::JudgedTestService;
use tokio::signal::unix::{SignalKind, signal};

/// For calls under way when SIGTERM comes: the judges wait 5 s for the end.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let observed = Observed::default();
    let bound = Server::new()
        .add(JudgedCalls::new(observed.clone()).into_service())
        .add(JudgedTestService.into_service())
        .intercept_with(observed, Observed::around)
        .limits(limits(std::env::args().skip(1))?)
        .listen("tcp://127.0.0.1:0")
        .shutdown_on(async move {
            terminate.recv().await;
        })
        .shutdown_limit(SHUTDOWN_LIMIT)
        .bind()
        .await?;
    for endpoint in bound.endpoints() {
        println!("listening on {endpoint}");
    }
    std::io::stdout().flush()?;
    Ok(bound.run().await?)
}

fn limits(arguments: impl Iterator<Item = String>) -> Result<Limits, Box<dyn Error>> {
    let mut limits = Limits::default();
    for argument in arguments {
        let bytes = argument
            .strip_prefix("--message-limit=")
            .ok_or_else(|| format!("{argument}: expected --message-limit=BYTES"))?
            .parse()?;
        limits.max_receive_message = bytes;
        limits.max_send_message = bytes;
        limits.max_decompressed = bytes;
    }
    Ok(limits)
}
