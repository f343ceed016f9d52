//! The client's side: whom it believes, and who it is.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::ServerName;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection};

use super::error::{TlsError, TlsErrorKind};
use super::identity::Identity;
use super::limits::TLS_SESSIONS;
use super::protocols::Protocols;
use super::provider;
use super::roots::Roots;
use super::server::cannot_set_up;
use super::session::Session;
use super::verify::{Nobody, OfServers};
use crate::Connection;
use crate::error::quote;

/// How a client speaks TLS.
///
/// A clone shares everything, also the sessions that can be resumed; so keep one for all connections. The methods that
/// change a setting give a new one.
#[derive(Clone)]
pub struct ClientTls {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    settings: Settings,
    /// Made when it is first needed, and again by a reload.
    config: RwLock<Option<Arc<ClientConfig>>>,
}

#[derive(Clone, Default)]
struct Settings {
    trust: Trust,
    identity: Option<Identity>,
    server_name: Option<String>,
    protocols: Protocols,
}

#[derive(Clone, Default)]
enum Trust {
    #[default]
    System,
    Roots(Roots),
    Everybody,
}

impl Default for ClientTls {
    fn default() -> Self {
        Self::new()
    }
}

impl ClientTls {
    /// A client that believes the roots of the system, has no certificate of its own, and offers the protocols `h2`,
    /// `http/1.1` and `farcall/1`. The roots are read at the first connection.
    pub fn new() -> Self {
        Self::from(Settings::default())
    }

    /// Believe these roots, and no others; [`Roots::and`] joins them to those of the system.
    #[must_use]
    pub fn roots(self, roots: Roots) -> Self {
        self.with(|settings| settings.trust = Trust::Roots(roots))
    }

    /// Show this certificate to a server that asks for one.
    #[must_use]
    pub fn identity(self, identity: Identity) -> Self {
        self.with(|settings| settings.identity = Some(identity))
    }

    /// **Verify nothing.** Any certificate of anybody is taken, so that whoever sits between here and the server can read
    /// and change everything. For trying things out, never for production; [`ClientTls::roots`] with the server's own
    /// certificate does the same job in safety. The peer has no [`crate::Peer::certificates`] then.
    #[must_use]
    pub fn insecure(self) -> Self {
        self.with(|settings| settings.trust = Trust::Everybody)
    }

    /// Ask for this host, and expect its certificate, whatever name is given to [`ClientTls::connect`]: for a server that
    /// is reached by an address or through a tunnel.
    #[must_use]
    pub fn server_name(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.with(|settings| settings.server_name = Some(name))
    }

    /// The application protocols to offer, the most wanted first; the server chooses. Without a name here none is offered.
    #[must_use]
    pub fn alpn<T: Into<Vec<u8>>>(self, protocols: impl IntoIterator<Item = T>) -> Self {
        self.with(|settings| settings.protocols = protocols.into_iter().collect())
    }

    /// Reads the files of certificate, key and roots again, for all handshakes from now on. Waits in place for the disk.
    ///
    /// # Errors
    /// When one file cannot be used; then everything stays as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = self.shared.settings.reread()?.config()?;
        *self.shared.config.write().unwrap_or_else(PoisonError::into_inner) = Some(config);
        Ok(())
    }

    /// Shakes hands with the server and expects its certificate for `server_name`, a host or an address without a port.
    /// How long that may take is the caller's to say.
    ///
    /// In TLS 1.3 a client is done before the server has looked at its certificate. Whether it was let in shows only when
    /// it reads; [`TlsError::of`] finds the reason.
    ///
    /// # Errors
    /// When the server does not speak TLS, has nothing in common with us, or cannot prove its name; when it went away; and
    /// when a setting cannot be used.
    pub async fn connect(
        &self,
        connection: Connection,
        server_name: &str,
    ) -> Result<Connection, TlsError> {
        let settings = &self.shared.settings;
        let server_name = settings.server_name.as_deref().unwrap_or(server_name);
        let parsed = parse_server_name(server_name)?;
        let state = ClientConnection::new(self.config()?, parsed).map_err(cannot_set_up)?;
        let is_verified = !matches!(settings.trust, Trust::Everybody);
        let session = Session::new(state, connection);
        session.connect(server_name, is_verified).await
    }

    fn from(settings: Settings) -> Self {
        Self { shared: Arc::new(Shared { settings, config: RwLock::new(None) }) }
    }

    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.shared.settings.clone();
        change(&mut settings);
        Self::from(settings)
    }

    fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let config = &self.shared.config;
        if let Some(config) = &*config.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(config.clone());
        }
        let mut config = config.write().unwrap_or_else(PoisonError::into_inner);
        match &*config {
            Some(config) => Ok(config.clone()),
            None => Ok(config.insert(self.shared.settings.config()?).clone()),
        }
    }
}

impl Settings {
    fn reread(&self) -> Result<Self, TlsError> {
        let trust = match &self.trust {
            Trust::Roots(roots) => Trust::Roots(roots.reread()?),
            // Those of the system are read whenever a configuration is made.
            other => other.clone(),
        };
        let identity = self.identity.as_ref().map(Identity::reread).transpose()?;
        Ok(Self { trust, identity, ..self.clone() })
    }

    fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let roots = match &self.trust {
            Trust::System => Some(Roots::system()?),
            Trust::Roots(roots) => Some(roots.clone()),
            Trust::Everybody => None,
        };
        let builder = ClientConfig::builder_with_provider(provider().clone())
            .with_safe_default_protocol_versions()
            .map_err(cannot_set_up)?
            .dangerous();
        let builder = match roots {
            Some(roots) => {
                let store = roots.store().clone();
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(store, provider().clone());
                let verifier = OfServers(verifier.build().map_err(cannot_set_up)?);
                builder.with_custom_certificate_verifier(Arc::new(verifier))
            }
            None => builder.with_custom_certificate_verifier(Arc::new(Nobody)),
        };
        let mut config = match &self.identity {
            Some(identity) => {
                let key = CertifiedKey::clone(identity.key());
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.protocols.names()?;
        config.resumption = Resumption::in_memory_sessions(TLS_SESSIONS);
        Ok(Arc::new(config))
    }
}

/// A host as certificates and SNI know it: without a final dot (RFC 6066, section 3), an address without its zone.
fn parse_server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    let host = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let host = host.split('%').next().unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    ServerName::try_from(host.to_owned()).map_err(|error| {
        let name = quote(name);
        let text =
            format!("expected a host name or an address to verify the server by, got `{name}`");
        TlsError::new(TlsErrorKind::ServerName, text).because(error)
    })
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trust = match &self.shared.settings.trust {
            Trust::System => "system".to_owned(),
            Trust::Roots(roots) => format!("{roots:?}"),
            Trust::Everybody => "everybody".to_owned(),
        };
        f.debug_struct("ClientTls")
            .field("trust", &trust)
            .field("identity", &self.shared.settings.identity)
            .finish()
    }
}
