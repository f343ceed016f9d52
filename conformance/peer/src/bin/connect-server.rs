//! The server that Connect's conformance suite judges.
//!
//! Standard input carries one message, which says what the server has to be able to do, and is closed after it; that is no
//! reason to stop. Standard output carries one, which says where it listens. It runs until SIGTERM.

use std::time::Duration;

use farcall::tls::{Identity, Roots, ServerTls};
use farcall::{Limits, Server};
use peer::connect::framing;
use peer::connect::service::JudgedConformance;
use peer::proto::connectrpc::conformance::v1::{
    ConformanceService, ServerCompatRequest, ServerCompatResponse, TLSCreds,
};
use peer::verdict::Verdict;
use tokio::signal::unix::{SignalKind, signal};

/// For calls under way when SIGTERM comes; the runner has had all its answers by then.
const SHUTDOWN_LIMIT: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> Verdict {
    let mut terminate = signal(SignalKind::terminate())?;
    let wanted: ServerCompatRequest =
        framing::read(&mut tokio::io::stdin()).await?.ok_or("nothing came on standard input")?;
    let TLSCreds { cert, key } = wanted.server_creds.into_option().unwrap_or_default();
    let mut server = Server::new()
        .add(JudgedConformance.into_service())
        .limits(limits(wanted.message_receive_limit))
        .shutdown_limit(SHUTDOWN_LIMIT)
        .shutdown_on(async move {
            terminate.recv().await;
        });
    if wanted.use_tls {
        let mut tls = ServerTls::new(Identity::from_pem(&cert, &key)?);
        if !wanted.client_tls_cert.is_empty() {
            tls = tls.require_client_certificates(Roots::from_pem(&wanted.client_tls_cert)?);
        }
        server = server.tls(tls).listen("tls://127.0.0.1:0");
    } else {
        server = server.listen("tcp://127.0.0.1:0");
    }
    let bound = server.bind().await?;
    let port = bound.endpoint().port().ok_or("the endpoint has no port")?;
    let listening = ServerCompatResponse {
        host: "127.0.0.1".to_owned(),
        port: port.into(),
        pem_cert: if wanted.use_tls { cert } else { Vec::new() },
    };
    framing::write(&mut tokio::io::stdout(), &listening).await?;
    Ok(bound.run().await?)
}

/// Bounds of `bytes` on a message; none when it is 0.
fn limits(bytes: u32) -> Limits {
    let mut limits = Limits::default();
    if bytes > 0 {
        limits.max_receive_message = bytes as usize;
        limits.max_decompressed = bytes as usize;
    }
    limits
}
