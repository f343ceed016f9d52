//! The server's side: its certificates, and whom it lets in.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{
    ClientHello, ResolvesServerCert, ServerSessionMemoryCache, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection};

use super::error::{TlsError, TlsErrorKind};
use super::identity::Identity;
use super::limits::TLS_SESSIONS;
use super::protocols::Protocols;
use super::provider;
use super::roots::Roots;
use super::session::Session;
use super::verify::OfClients;
use crate::Connection;

/// How a server speaks TLS.
///
/// A clone shares everything, so that [`ServerTls::reload`] of one is the reload of all. The methods that change a setting
/// give a new one, with its own session tickets.
#[derive(Clone)]
pub struct ServerTls {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    /// Made when it is first needed, and again by a reload.
    config: RwLock<Option<Arc<ServerConfig>>>,
}

#[derive(Clone)]
struct Settings {
    identities: Vec<Identity>,
    clients: Clients,
    protocols: Protocols,
}

#[derive(Clone)]
enum Clients {
    Unasked,
    Accepted(Roots),
    Required(Roots),
}

impl ServerTls {
    /// A server that shows this certificate, asks clients for none, and speaks the protocols `h2`, `http/1.1` and
    /// `farcall/1`.
    pub fn new(identity: Identity) -> Self {
        let identities = vec![identity];
        Self::from(Settings {
            identities,
            clients: Clients::Unasked,
            protocols: Protocols::default(),
        })
    }

    /// One more certificate. A client is shown the first that is for the host it asks for and signed in a way that it
    /// understands; a client that asks for another host, or for none, is shown the first of all.
    #[must_use]
    // As a server adds services; nobody would write `tls + identity`.
    #[allow(clippy::should_implement_trait)]
    pub fn add(self, identity: Identity) -> Self {
        self.with(|settings| settings.identities.push(identity))
    }

    /// Refuses clients without a certificate that these roots vouch for.
    #[must_use]
    pub fn require_client_certificates(self, roots: Roots) -> Self {
        self.with(|settings| settings.clients = Clients::Required(roots))
    }

    /// Asks clients for a certificate, and lets those in, too, that have none. A certificate that these roots do not vouch
    /// for is refused. [`crate::Peer::certificates`] tells one from the other.
    #[must_use]
    pub fn accept_client_certificates(self, roots: Roots) -> Self {
        self.with(|settings| settings.clients = Clients::Accepted(roots))
    }

    /// The application protocols to choose from, the most wanted first. A client that offers others only is refused; a
    /// client that offers none at all is let in. Without a name here nobody is asked.
    #[must_use]
    pub fn alpn<T: Into<Vec<u8>>>(self, protocols: impl IntoIterator<Item = T>) -> Self {
        self.with(|settings| settings.protocols = protocols.into_iter().collect())
    }

    /// Reads the files of certificates, keys and roots again, for all handshakes from now on. Connections that are open
    /// stay as they are. Sessions from before are not resumed, so that who is not trusted any more is not let in by a
    /// ticket. Waits in place for the disk.
    ///
    /// # Errors
    /// When one file cannot be used; then everything stays as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = self.shared.settings.reread()?.config()?;
        *self.shared.config.write().unwrap_or_else(PoisonError::into_inner) = Some(config);
        Ok(())
    }

    /// Shakes hands with a client. How long that may take is the caller's to say. Bytes that were put back with
    /// [`Connection::unread`] are read first.
    ///
    /// A client that is refused is told why and waited for, 500 ms at most, so that it can read it.
    ///
    /// # Errors
    /// When the client does not speak TLS, has nothing in common with us, or is not let in; when it went away; and when
    /// a setting cannot be used.
    pub async fn accept(&self, connection: Connection) -> Result<Connection, TlsError> {
        let state = ServerConnection::new(self.config()?).map_err(cannot_set_up)?;
        let session = Session::new(state, connection);
        session.accept().await
    }

    fn from(settings: Settings) -> Self {
        Self { shared: Arc::new(Shared { settings, config: RwLock::new(None) }) }
    }

    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.shared.settings.clone();
        change(&mut settings);
        Self::from(settings)
    }

    fn config(&self) -> Result<Arc<ServerConfig>, TlsError> {
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
        let clients = match &self.clients {
            Clients::Unasked => Clients::Unasked,
            Clients::Accepted(roots) => Clients::Accepted(roots.reread()?),
            Clients::Required(roots) => Clients::Required(roots.reread()?),
        };
        let identities = self.identities.iter().map(Identity::reread).collect::<Result<_, _>>()?;
        Ok(Self { identities, clients, protocols: self.protocols.clone() })
    }

    fn config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let verifier = |roots: &Roots| {
            WebPkiClientVerifier::builder_with_provider(roots.store().clone(), provider().clone())
        };
        let verifier = match &self.clients {
            Clients::Unasked => None,
            Clients::Accepted(roots) => Some(verifier(roots).allow_unauthenticated().build()),
            Clients::Required(roots) => Some(verifier(roots).build()),
        };
        let builder = ServerConfig::builder_with_provider(provider().clone())
            .with_safe_default_protocol_versions()
            .map_err(cannot_set_up)?;
        let builder = match verifier.transpose().map_err(cannot_set_up)? {
            Some(verifier) => builder.with_client_cert_verifier(Arc::new(OfClients(verifier))),
            None => builder.with_no_client_auth(),
        };
        let choice = Choice(self.identities.clone());
        let mut config = builder.with_cert_resolver(Arc::new(choice));
        config.alpn_protocols = self.protocols.names()?;
        config.ticketer = Ticketer::new().map_err(cannot_set_up)?;
        config.session_storage = ServerSessionMemoryCache::new(TLS_SESSIONS);
        Ok(Arc::new(config))
    }
}

pub(super) fn cannot_set_up(error: impl std::error::Error + Send + Sync + 'static) -> TlsError {
    TlsError::new(TlsErrorKind::Other, format!("cannot set up TLS: {error}")).because(error)
}

/// Which certificate a client is shown. There is at least one.
#[derive(Debug)]
struct Choice(Vec<Identity>);

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = hello.signature_schemes();
        let is_understood =
            |identity: &&Identity| identity.key().key.choose_scheme(schemes).is_some();
        let is_wanted =
            |identity: &&Identity| hello.server_name().is_some_and(|host| identity.is_for(host));
        let understood = || self.0.iter().filter(is_understood);
        let chosen = understood().find(is_wanted);
        let chosen = chosen.or_else(|| understood().next()).or_else(|| self.0.first());
        chosen.map(|identity| identity.key().clone())
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerTls").field(&self.shared.settings.identities).finish()
    }
}

impl From<Identity> for ServerTls {
    fn from(identity: Identity) -> Self {
        Self::new(identity)
    }
}
