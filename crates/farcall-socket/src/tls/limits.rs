//! Every bound of TLS, each with its reason.

use std::time::Duration;

/// Ciphertext asked of the transport at once, in bytes: four full TLS records. The buffer belongs to the thread, so that
/// an idle connection holds none.
pub(crate) const TLS_READ_BYTES: usize = 64 * 1024;

/// Bytes that a TLS connection encrypts before the transport has taken them: four full records, one system call.
pub(crate) const TLS_WRITE_BYTES: usize = 64 * 1024;

/// What is remembered of the first bytes of a peer that may not speak TLS at all; enough to say what it speaks.
pub(crate) const TLS_OPENING_BYTES: usize = 16;

/// Sessions that one side remembers so as to take them up again, 1 to 2 KiB each. A server needs them only for clients
/// without tickets.
pub(crate) const TLS_SESSIONS: usize = 256;

/// How long, and for how many bytes, a server that refused a client waits for it to close. Closing at once while bytes of
/// the client are unread makes TCP send a reset, which takes the alert away that says why.
pub(crate) const TLS_LINGER: (Duration, usize) = (Duration::from_millis(500), 64 * 1024);

/// Longest file of a certificate chain or a key, in bytes. Chains that TLS can carry have up to 64 KiB; text takes more.
pub(crate) const IDENTITY_FILE_BYTES: u64 = 1024 * 1024;

/// Longest file of roots, in bytes; the usual bundle of a system has 220 KB.
pub(crate) const ROOTS_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Names that are read out of a certificate. Large ones of the public web have 100; the rest is passed over.
pub(crate) const CERTIFICATE_NAMES: usize = 1000;

/// Names of a certificate that a message lists before it says how many more there are.
pub(crate) const QUOTED_NAMES: usize = 4;

/// Longest protocol name of ALPN, in bytes (RFC 7301, section 3.1).
pub(crate) const ALPN_NAME_BYTES: usize = 255;
