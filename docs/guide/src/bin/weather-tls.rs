//! The weather over TLS, for callers with a certificate and for those without. Reads its certificates again at SIGHUP.
//!
//!     cargo run -p guide --bin weather-tls            in the folder of server.pem, server.key and ada.pem

use std::error::Error;

use farcall::tls::{CertificateName, Identity, Roots, ServerTls};
use farcall::{Call, Next, Reply, Result, Server};
use guide::Stations;
use guide::proto::weather::v1::Weather as _;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = std::env::args().nth(1).unwrap_or_else(|| "tls://127.0.0.1:8443".into());
    let identity = Identity::from_pem_files("server.pem", "server.key")?;
    let tls = ServerTls::new(identity).accept_client_certificates(Roots::from_pem_file("ada.pem")?);

    let again = tls.clone();
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            if let Err(error) = again.reload() {
                eprintln!("the certificates stay as they are: {error}");
            }
        }
    });

    let server = Server::new()
        .add(Stations.into_service())
        .reflection()
        .intercept(name_the_caller)
        .tls(tls)
        .listen(endpoint);
    let bound = server.bind().await?;
    std::fs::write("weather-tls.pid", std::process::id().to_string())?;
    println!("listening at {}", bound.endpoint());
    Ok(bound.run().await?)
}

/// Tells callers who they are, by their certificates.
async fn name_the_caller(call: Call, next: Next) -> Result<Reply> {
    let certificate = call.peer().and_then(|peer| peer.certificates().first());
    let name = certificate.and_then(|certificate| certificate.names().first());
    let name = name.map_or_else(|| "nobody".to_owned(), CertificateName::value);
    let mut reply = next.run(call).await?;
    reply.metadata_mut().append("caller", name)?;
    Ok(reply)
}
