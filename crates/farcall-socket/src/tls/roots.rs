//! Whom we believe.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;

use super::error::{TlsError, TlsErrorKind};
use super::file;
use super::limits::ROOTS_FILE_BYTES;

/// The certificates of authorities that are believed; at least one.
#[derive(Clone)]
pub struct Roots {
    store: Arc<RootCertStore>,
    sources: Arc<[Source]>,
}

#[derive(Clone)]
enum Source {
    File(PathBuf),
    Memory(Arc<RootCertStore>),
}

impl Roots {
    /// Reads a file of certificates in PEM. Waits in place for the disk.
    ///
    /// # Errors
    /// When the file cannot be read, has no certificate, or one that cannot be a root.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        Self::from_sources(Arc::new([Source::File(path.as_ref().to_owned())]))
    }

    /// The same from memory.
    ///
    /// # Errors
    /// When there is no certificate, or one that cannot be a root.
    pub fn from_pem(pem: &[u8]) -> Result<Self, TlsError> {
        let store = parse(pem, "the given text")?;
        Self::from_sources(Arc::new([Source::Memory(Arc::new(store))]))
    }

    /// The roots of this system: the file and folder that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, or the usual places.
    /// Waits in place for the disk.
    ///
    /// # Errors
    /// When there are none, as in a container without the package `ca-certificates`.
    pub fn system() -> Result<Self, TlsError> {
        let found = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        // The bundle belongs to the system, and one certificate of an old kind in it must not take the others away.
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            let mut text = "no trusted roots on this system: install its package ca-certificates, or set SSL_CERT_FILE \
                            to a file of them"
                .to_owned();
            if let Some(error) = found.errors.first() {
                text = format!("{text} ({error})");
            }
            return Err(TlsError::new(TlsErrorKind::Material, text));
        }
        Self::from_sources(Arc::new([Source::Memory(Arc::new(store))]))
    }

    /// These and the others.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        let mut store = RootCertStore::clone(&self.store);
        store.roots.extend(others.store.roots.iter().cloned());
        let sources = self.sources.iter().chain(others.sources.iter()).cloned().collect();
        Self { store: Arc::new(store), sources }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.store.len()
    }

    pub(super) fn store(&self) -> &Arc<RootCertStore> {
        &self.store
    }

    /// The same with its files read again.
    pub(super) fn reread(&self) -> Result<Self, TlsError> {
        Self::from_sources(self.sources.clone())
    }

    fn from_sources(sources: Arc<[Source]>) -> Result<Self, TlsError> {
        let mut all = RootCertStore::empty();
        for source in sources.iter() {
            match source {
                Source::Memory(store) => all.roots.extend(store.roots.iter().cloned()),
                Source::File(path) => {
                    let pem = file::read(path, "root certificate", ROOTS_FILE_BYTES)?;
                    all.roots.extend(parse(&pem, &path.display().to_string())?.roots);
                }
            }
        }
        Ok(Self { store: Arc::new(all), sources })
    }
}

fn parse(pem: &[u8], place: &str) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for (index, certificate) in file::certificates(pem, place)?.into_iter().enumerate() {
        store.add(certificate).map_err(|error| {
            let text = format!("certificate {} in {place} cannot be a root: {error}", index + 1);
            TlsError::new(TlsErrorKind::Material, text).because(error)
        })?;
    }
    Ok(store)
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({})", self.count())
    }
}
