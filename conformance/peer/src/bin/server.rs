//! The server that is judged: conformance.v1.Calls and grpc.testing.TestService on a free port, with health and reflection.
//!
//! It says where, `listening on tcp://127.0.0.1:PORT`, and runs until SIGTERM. `--message-limit=BYTES` raises the bounds on
//! messages; all else keeps its default, because the defaults are judged. `--certificate=FILE` and `--key=FILE` add a second
//! port, for TLS only; `--origin=ORIGIN` lets the pages of that origin call.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use farcall::tls::{Identity, ServerTls};
use farcall::{Cors, Limits, Server};
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
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let observed = Observed::default();
    let mut server = Server::new()
        .add(JudgedCalls::new(observed.clone()).into_service())
        .add(JudgedTestService.into_service())
        .intercept_with(observed, Observed::around)
        .health()
        .reflection()
        .limits(arguments.limits)
        .listen("tcp://127.0.0.1:0")
        .shutdown_on(async move {
            terminate.recv().await;
        })
        .shutdown_limit(SHUTDOWN_LIMIT);
    if let (Some(certificate), Some(key)) = (arguments.certificate, arguments.key) {
        let tls = ServerTls::new(Identity::from_pem_files(certificate, key)?);
        server = server.tls(tls).listen("tls://127.0.0.1:0");
    }
    if let Some(origin) = arguments.origin {
        server = server.cors(Cors::default().allow_origin(origin));
    }
    let bound = server.bind().await?;
    for endpoint in bound.endpoints() {
        println!("listening on {endpoint}");
    }
    std::io::stdout().flush()?;
    Ok(bound.run().await?)
}

/// How the server is to be.
#[derive(Default)]
struct Arguments {
    limits: Limits,
    certificate: Option<String>,
    key: Option<String>,
    origin: Option<String>,
}

impl Arguments {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut parsed = Self::default();
        for argument in arguments {
            let (name, value) = argument.split_once('=').ok_or("expected --name=value")?;
            match name {
                "--message-limit" => {
                    let bytes = value.parse()?;
                    parsed.limits.max_receive_message = bytes;
                    parsed.limits.max_send_message = bytes;
                    parsed.limits.max_decompressed = bytes;
                }
                "--certificate" => parsed.certificate = Some(value.to_owned()),
                "--key" => parsed.key = Some(value.to_owned()),
                "--origin" => parsed.origin = Some(value.to_owned()),
                _ => return Err(format!("no argument is called {name}").into()),
            }
        }
        Ok(parsed)
    }
}
