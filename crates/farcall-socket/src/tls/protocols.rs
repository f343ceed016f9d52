//! The application protocols that client and server agree on in the handshake (ALPN, RFC 7301).

use super::error::{TlsError, TlsErrorKind};
use super::limits::ALPN_NAME_BYTES;
use crate::error::quote;

/// What farcall speaks, the most wanted first.
const DEFAULT: [&str; 3] = ["h2", "http/1.1", "farcall/1"];

/// Names in the order of preference; none turns ALPN off.
#[derive(Clone, Debug)]
pub(super) struct Protocols(Vec<Vec<u8>>);

impl Default for Protocols {
    fn default() -> Self {
        DEFAULT.into_iter().collect()
    }
}

impl<T: Into<Vec<u8>>> FromIterator<T> for Protocols {
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl Protocols {
    /// As they go into the handshake.
    ///
    /// # Errors
    /// A name has 1 to 255 bytes (RFC 7301, section 3.1).
    pub(super) fn names(&self) -> Result<Vec<Vec<u8>>, TlsError> {
        match self.0.iter().find(|name| !(1..=ALPN_NAME_BYTES).contains(&name.len())) {
            None => Ok(self.0.clone()),
            Some(wrong) => {
                let wrong = quote(&String::from_utf8_lossy(wrong));
                let text =
                    format!("bad protocol name for ALPN: expected 1 to 255 bytes, got `{wrong}`");
                Err(TlsError::new(TlsErrorKind::Setting, text))
            }
        }
    }
}
