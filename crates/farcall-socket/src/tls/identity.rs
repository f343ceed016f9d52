//! A certificate chain and its private key: who we are.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::Error;
use rustls::sign::CertifiedKey;

use super::certificate::{Certificate, CertificateName};
use super::error::{TlsError, TlsErrorKind};
use super::file;
use super::limits::IDENTITY_FILE_BYTES;
use super::provider;

/// A certificate chain and the private key of its first certificate.
///
/// Prints, also for debugging, what the certificate says and nothing of the key.
#[derive(Clone)]
pub struct Identity {
    key: Arc<CertifiedKey>,
    certificate: Certificate,
    /// Where it came from, so that it can be read again.
    files: Option<Arc<(PathBuf, PathBuf)>>,
}

impl Identity {
    /// Reads a chain, the own certificate first, and its key (PKCS#8, PKCS#1 or SEC1), both in PEM. The two may be one
    /// file. Waits in place for the disk.
    ///
    /// # Errors
    /// When a file cannot be read, has no certificate or no usable key, or when the key belongs to another certificate.
    pub fn from_pem_files(
        certificates: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        Self::from_files(Arc::new((certificates.as_ref().to_owned(), key.as_ref().to_owned())))
    }

    fn from_files(files: Arc<(PathBuf, PathBuf)>) -> Result<Self, TlsError> {
        let (chain, key) = (&files.0, &files.1);
        let chain_pem = file::read(chain, "certificate", IDENTITY_FILE_BYTES)?;
        let key_pem = file::read(key, "private key", IDENTITY_FILE_BYTES)?;
        let (chain, key) = (chain.display().to_string(), key.display().to_string());
        let identity = Self::parse((&chain_pem, &chain), (&key_pem, &key))?;
        Ok(Self { files: Some(files), ..identity })
    }

    /// The same from memory. It has no files to be read again, so that [`super::ServerTls::reload`] leaves it as it is.
    ///
    /// # Errors
    /// As [`Identity::from_pem_files`].
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Self::parse((certificates, "the given text"), (key, "the given text"))
    }

    /// The files read again, if it came from files.
    pub(super) fn reread(&self) -> Result<Self, TlsError> {
        match &self.files {
            Some(files) => Self::from_files(files.clone()),
            None => Ok(self.clone()),
        }
    }

    /// The first certificate of the chain.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(super) fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }

    /// Whether the certificate is for this host; `*` stands for one label (RFC 9525, section 6.3).
    pub(super) fn is_for(&self, host: &str) -> bool {
        self.certificate.names().iter().any(|name| match name {
            CertificateName::Dns(name) => match name.strip_prefix("*.") {
                Some(parent) => host.split_once('.').is_some_and(|(label, rest)| {
                    !label.is_empty() && rest.eq_ignore_ascii_case(parent)
                }),
                None => host.eq_ignore_ascii_case(name),
            },
            _ => false,
        })
    }

    fn parse(
        (chain_pem, chain_place): (&[u8], &str),
        (key_pem, key_place): (&[u8], &str),
    ) -> Result<Self, TlsError> {
        let chain = file::certificates(chain_pem, chain_place)?;
        let key = file::private_key(key_pem, key_place)?;
        let certificate = Certificate::new(chain.first().map_or(&[], |first| first.as_ref()));
        let holder = certificate.holder();
        let key = CertifiedKey::from_der(chain, key, provider()).map_err(|error| {
            let (kind, text) = match &error {
                Error::InconsistentKeys(_) => (
                    TlsErrorKind::KeyMismatch,
                    format!(
                        "the private key in {key_place} does not belong to the certificate for {holder} in {chain_place}"
                    ),
                ),
                Error::InvalidCertificate(_) => (
                    TlsErrorKind::Material,
                    format!("the first certificate in {chain_place} cannot be used: {error}"),
                ),
                _ => (
                    TlsErrorKind::Material,
                    format!("the private key in {key_place} cannot be used: {error}"),
                ),
            };
            TlsError::new(kind, text).because(error)
        })?;
        Ok(Self { key: Arc::new(key), certificate, files: None })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.certificate)
    }
}
