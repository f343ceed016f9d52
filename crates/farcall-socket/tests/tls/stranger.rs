//! The other end as somebody else built it: rustls with the glue of `tokio-rustls`.

use std::io;
use std::sync::Arc;

use farcall_socket::Connection;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::authority::{Authority, server as server_params};

type Versions<'a> = &'a [&'static SupportedProtocolVersion];

pub(crate) struct Client(pub(crate) Arc<ClientConfig>);

pub(crate) struct Server(Arc<ServerConfig>);

pub(crate) fn client_config(authority: &Authority, versions: Versions<'_>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub(crate) fn client(authority: &Authority, versions: Versions<'_>) -> Client {
    Client(Arc::new(client_config(authority, versions)))
}

/// A server of `localhost`.
pub(crate) fn server(authority: &Authority, versions: Versions<'_>) -> Server {
    let pem = authority.sign(&server_params(&["localhost"]));
    let certificate = CertificateDer::from_pem_slice(pem.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pem.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Server(Arc::new(config))
}

impl Client {
    pub(crate) async fn connect(
        &self,
        transport: Connection,
    ) -> io::Result<tokio_rustls::client::TlsStream<Connection>> {
        let name = "localhost".try_into().unwrap();
        TlsConnector::from(self.0.clone()).connect(name, transport).await
    }
}

impl Server {
    pub(crate) async fn accept(
        &self,
        transport: Connection,
    ) -> io::Result<tokio_rustls::server::TlsStream<Connection>> {
        TlsAcceptor::from(self.0.clone()).accept(transport).await
    }
}
