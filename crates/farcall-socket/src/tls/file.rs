//! PEM from a file or from memory, with the file in every error.
//!
//! Reading waits in place; a file of certificates is read when a program starts, or when it is told to reload.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::{TlsError, TlsErrorKind};

/// The bytes of a file that is at most so long.
pub(super) fn read(path: &Path, what: &str, limit: u64) -> Result<Vec<u8>, TlsError> {
    let failed = |error: io::Error| {
        let text = format!("cannot read the {what} file {}: {error}", path.display());
        TlsError::new(TlsErrorKind::File, text).because(error)
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        let text = format!("it is longer than {limit} bytes");
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, text)));
    }
    Ok(bytes)
}

/// All certificates; at least one. `place` is where they come from, for people.
pub(super) fn certificates(
    pem: &[u8],
    place: &str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| {
        let text = format!("cannot read the certificates in {place}: {error}");
        TlsError::new(TlsErrorKind::Material, text).because(error)
    })?;
    if certificates.is_empty() {
        let text =
            format!("no certificate in {place}: expected a line -----BEGIN CERTIFICATE-----");
        return Err(TlsError::new(TlsErrorKind::Material, text));
    }
    Ok(certificates)
}

/// The first private key.
pub(super) fn private_key(pem: &[u8], place: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| {
        // `BEGIN ENCRYPTED PRIVATE KEY`, or `Proc-Type: 4,ENCRYPTED` in the old form.
        let is_encrypted = pem.windows(9).any(|window| window == b"ENCRYPTED");
        let text = if is_encrypted {
            format!(
                "the private key in {place} is encrypted; store it readable by this program only, as \
                 `openssl pkey -in old.pem -out new.pem` does"
            )
        } else {
            format!("no private key in {place}: {error}; expected a line -----BEGIN PRIVATE KEY-----")
        };
        TlsError::new(TlsErrorKind::Material, text).because(error)
    })
}
