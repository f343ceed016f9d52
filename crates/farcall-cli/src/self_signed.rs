//! A certificate for this machine as seen from itself, made on the spot: to try TLS without one.

use farcall::tls::{Identity, Roots};
use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::Result;

/// The names that the certificate is for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate that vouches for itself, and its key. Both are PEM.
pub(crate) struct SelfSigned {
    certificate: String,
    key: String,
}

impl SelfSigned {
    /// Makes one.
    ///
    /// # Errors
    /// None in practice: the names are names.
    pub(crate) fn make() -> Result<Self> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(NAMES.map(str::to_owned))?;
        Ok(Self { certificate: cert.pem(), key: signing_key.serialize_pem() })
    }

    /// The certificate alone.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// What a server shows.
    ///
    /// # Errors
    /// None in practice: both were made a moment ago.
    pub(crate) fn identity(&self) -> Result<Identity> {
        Ok(Identity::from_pem(self.certificate.as_bytes(), self.key.as_bytes())?)
    }

    /// What a client believes.
    ///
    /// # Errors
    /// As of [`SelfSigned::identity`].
    pub(crate) fn roots(&self) -> Result<Roots> {
        Ok(Roots::from_pem(self.certificate.as_bytes())?)
    }
}
