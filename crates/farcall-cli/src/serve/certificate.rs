//! The file in which clients find the certificate that a server has made for itself.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use farcall::tls::Identity;

use crate::Result;
use crate::self_signed::SelfSigned;

/// A certificate that lies in a file as long as this value lives. The key never leaves the process.
pub(super) struct Certificate {
    path: PathBuf,
    made: SelfSigned,
}

impl Certificate {
    /// Makes one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn make() -> Result<Self> {
        let made = SelfSigned::make()?;
        let path = std::env::temp_dir().join(format!("farcall-{}.pem", std::process::id()));
        write_new(&path, made.certificate()).map_err(|error| {
            let text = format!("cannot write the certificate to {}: {error}", path.display());
            io::Error::new(error.kind(), text)
        })?;
        Ok(Self { path, made })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the server shows.
    ///
    /// # Errors
    /// As of [`SelfSigned::identity`].
    pub(super) fn identity(&self) -> Result<Identity> {
        self.made.identity()
    }
}

/// A file in a folder of everybody's must not be one that somebody else has put there.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o644).open(path)?;
    file.write_all(text.as_bytes())
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // Whoever has removed it already wanted it gone.
        let _ = fs::remove_file(&self.path);
    }
}
