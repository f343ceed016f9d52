//! Certificates for the tests, made as the tests run, and the two ends of a handshake.

use std::path::PathBuf;
use std::time::Duration;

use farcall_socket::{ClientTls, Connection, Identity, Roots, ServerTls, TlsError};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};

/// An authority with the common name that it was given.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key in PEM.
#[derive(Clone)]
pub(crate) struct Pem {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = named(&[], name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots::from_pem(self.pem().as_bytes()).unwrap()
    }

    pub(crate) fn sign(&self, params: &CertificateParams) -> Pem {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pem { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// For servers of these names.
    pub(crate) fn server(&self, names: &[&str]) -> Identity {
        self.sign(&server(names)).identity()
    }

    /// For a client of this name.
    pub(crate) fn client(&self, name: &str) -> Identity {
        self.sign(&client(name)).identity()
    }
}

impl Pem {
    pub(crate) fn identity(&self) -> Identity {
        Identity::from_pem(self.certificate.as_bytes(), self.key.as_bytes()).unwrap()
    }

    /// Writes both into the folder, under `name`.
    pub(crate) fn write(&self, folder: &Folder, name: &str) -> (PathBuf, PathBuf) {
        let certificate = folder.file(&format!("{name}.pem"));
        let key = folder.file(&format!("{name}.key"));
        std::fs::write(&certificate, &self.certificate).unwrap();
        std::fs::write(&key, &self.key).unwrap();
        (certificate, key)
    }
}

pub(crate) fn named(names: &[&str], common_name: &str) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

pub(crate) fn server(names: &[&str]) -> CertificateParams {
    let mut params = named(names, "a server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

pub(crate) fn client(name: &str) -> CertificateParams {
    let mut params = named(&[&format!("{name}.clients.example")], name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

pub(crate) fn expired(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(2020, 2, 29);
    params
}

pub(crate) fn of_the_future(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(3000, 1, 1);
    params.not_after = date_time_ymd(3001, 1, 1);
    params
}

/// Both ends of a handshake over a pipe in memory.
pub(crate) async fn handshake(
    client: &ClientTls,
    server: &ServerTls,
) -> (Result<Connection, TlsError>, Result<Connection, TlsError>) {
    let (left, right) = Connection::pair();
    in_time(async { tokio::join!(client.connect(left, "localhost"), server.accept(right)) }).await
}

/// A handshake that must succeed.
pub(crate) async fn shake(client: &ClientTls, server: &ServerTls) -> (Connection, Connection) {
    let (client, server) = handshake(client, server).await;
    (client.unwrap(), server.unwrap())
}

/// A test that hangs fails.
pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("no end within 20 s")
}

/// A client and a server that trust each other's authority.
pub(crate) fn pair() -> (ClientTls, ServerTls) {
    let authority = Authority::new("Test CA");
    let client = ClientTls::new().roots(authority.roots());
    (client, ServerTls::new(authority.server(&["localhost"])))
}

pub(crate) use super::folder::Folder;
