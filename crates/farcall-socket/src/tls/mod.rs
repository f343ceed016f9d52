//! TLS 1.2 and 1.3 over any connection, by rustls with the cryptography of AWS-LC.
//!
//! [`ServerTls::accept`] and [`ClientTls::connect`] take a [`crate::Connection`] and give one back that encrypts; whoever
//! reads and writes it sees no difference but [`crate::Connection::tls`] and the certificates of its [`crate::Peer`].
//!
//! Key exchange is post-quantum where the peer can do it (X25519MLKEM768). Sessions are resumed. There is no early data,
//! because the network could deliver it twice; no renegotiation, no compression, and no cipher that is known to be weak.
//! Nothing here knows what the protocols that ALPN names are, reads a clock but for certificates, or sets a time limit: a
//! handshake lasts as long as its caller waits.
//!
//! ```no_run
//! # async fn example(listener: farcall_socket::Listener) -> Result<(), Box<dyn std::error::Error>> {
//! use farcall_socket::{ClientTls, Connection, Identity, Options, ServerTls};
//!
//! let tls = ServerTls::new(Identity::from_pem_files("cert.pem", "key.pem")?);
//! let server = tls.accept(listener.accept().await?).await?;
//!
//! let endpoint = "tls://example.com:443".parse()?;
//! let client = Connection::connect(&endpoint, &Options::default()).await?;
//! let client = ClientTls::new().connect(client, "example.com").await?;
//! println!("{}", client.tls().unwrap()); // TLS 1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768, h2
//! # Ok(()) }
//! ```

mod alert;
mod certificate;
mod client;
mod der;
mod error;
mod explain;
mod file;
mod identity;
mod info;
mod limits;
mod moment;
mod protocols;
mod roots;
mod server;
mod session;
mod verify;
mod wakers;

use std::sync::{Arc, LazyLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use certificate::{Certificate, CertificateName};
pub use client::ClientTls;
pub use error::{TlsError, TlsErrorKind};
pub use identity::Identity;
pub use info::TlsInfo;
pub use roots::Roots;
pub use server::ServerTls;
pub(crate) use session::Session;

/// The same for everybody, and not the one of the process, which another library may have set to something else.
fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    &PROVIDER
}
