//! From an error of rustls to a sentence that says what happened, to which certificate, and what to do.

use rustls::{CertificateError, Error, PeerIncompatible};

use super::alert;
use super::certificate::Certificate;
use super::error::TlsErrorKind;
use super::moment::{Moment, Span};
use crate::error::quote;

/// What is known about the handshake that failed.
pub(super) struct Circumstances<'a> {
    /// The name that the client asked for; `None` on a server.
    pub(super) server_name: Option<&'a str>,
    /// The first bytes that came.
    pub(super) opening: &'a [u8],
    /// The peer's certificate, if it was refused.
    pub(super) refused: Option<Certificate>,
}

impl Circumstances<'_> {
    fn we_are_the_client(&self) -> bool {
        self.server_name.is_some()
    }

    fn peer(&self) -> &'static str {
        if self.we_are_the_client() { "the server" } else { "the client" }
    }

    /// The kind and the sentence.
    pub(super) fn explain(&self, error: &Error) -> (TlsErrorKind, String) {
        if let Some(spoken) = plaintext(self.opening) {
            let port = if self.we_are_the_client() { "" } else { ", and this port takes TLS only" };
            let text = format!("{} does not speak TLS, but {spoken}{port}", self.peer());
            return (TlsErrorKind::NotTls, text);
        }
        match error {
            Error::InvalidCertificate(cause) => self.explain_certificate(cause),
            Error::NoCertificatesPresented => {
                let text = "the client sent no certificate, and one is required";
                (TlsErrorKind::NoCertificate, text.to_owned())
            }
            Error::NoApplicationProtocol => {
                let text = "the client offers none of the application protocols that are spoken here (ALPN)";
                (TlsErrorKind::NoProtocol, text.to_owned())
            }
            Error::AlertReceived(alert) => alert::explain(*alert, self.we_are_the_client()),
            Error::PeerIncompatible(cause) => {
                (TlsErrorKind::Incompatible, format!("{} {}", self.peer(), incompatible(cause)))
            }
            Error::PeerMisbehaved(cause) => {
                let text = format!("{} broke the rules of TLS: {cause:?}", self.peer());
                (TlsErrorKind::Protocol, text)
            }
            Error::DecryptError => {
                let text =
                    "a record cannot be decrypted: its bytes were changed or are out of order";
                (TlsErrorKind::Protocol, text.to_owned())
            }
            Error::InvalidMessage(_)
            | Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. }
            | Error::PeerSentOversizedRecord => {
                let text = format!("{} sent no TLS that can be understood: {error}", self.peer());
                (TlsErrorKind::Protocol, text)
            }
            other => (TlsErrorKind::Other, other.to_string()),
        }
    }

    fn explain_certificate(&self, cause: &CertificateError) -> (TlsErrorKind, String) {
        let certificate = self.certificate();
        match cause {
            CertificateError::ExpiredContext { time, not_after } => {
                let ago = Span(time.as_secs().saturating_sub(not_after.as_secs()));
                let not_after = moment(not_after.as_secs());
                let text = format!("{certificate} expired {ago} ago (not after {not_after})");
                (TlsErrorKind::Expired, text)
            }
            CertificateError::Expired => (TlsErrorKind::Expired, format!("{certificate} expired")),
            CertificateError::NotValidYetContext { time, not_before } => {
                let ahead = Span(not_before.as_secs().saturating_sub(time.as_secs()));
                let not_before = moment(not_before.as_secs());
                let text = format!(
                    "{certificate} is not valid for another {ahead} (not before {not_before}); one of the two clocks may \
                     be wrong"
                );
                (TlsErrorKind::NotYetValid, text)
            }
            CertificateError::UnknownIssuer => {
                (TlsErrorKind::UnknownIssuer, format!("{certificate} {}", self.unknown_issuer()))
            }
            CertificateError::NotValidForNameContext { .. } | CertificateError::NotValidForName => {
                let holder = self.refused.as_ref().map_or_else(String::new, Certificate::holder);
                let name = quote(self.server_name.unwrap_or_default());
                let text = format!("expected a certificate for {name}, got one for {holder}");
                (TlsErrorKind::WrongName, text)
            }
            other => (TlsErrorKind::BadCertificate, format!("{certificate} {}", wrong(other))),
        }
    }

    /// The certificate as the subject of a sentence.
    fn certificate(&self) -> String {
        match &self.refused {
            Some(refused) if self.we_are_the_client() => {
                format!("certificate for {}", refused.holder())
            }
            Some(refused) => format!("the client's certificate for {}", refused.holder()),
            None => "the certificate".to_owned(),
        }
    }

    fn unknown_issuer(&self) -> String {
        match &self.refused {
            Some(refused) if refused.is_self_issued() => {
                "is self-signed, and not among the trusted roots".to_owned()
            }
            Some(refused) => {
                let issuer = quote(refused.issuer());
                format!("was issued by {issuer}, and no trusted root vouches for that")
            }
            None => "was issued by nobody whom a trusted root vouches for".to_owned(),
        }
    }
}

fn moment(seconds: u64) -> Moment {
    Moment(i64::try_from(seconds).unwrap_or(i64::MAX / 2))
}

/// What else can be wrong with a certificate, as the end of a sentence.
fn wrong(cause: &CertificateError) -> String {
    match cause {
        CertificateError::BadEncoding => "cannot be read".to_owned(),
        CertificateError::Revoked => "was revoked by its issuer".to_owned(),
        CertificateError::BadSignature => {
            "does not fit its signature: the issuer or the sender has another key".to_owned()
        }
        CertificateError::UnhandledCriticalExtension => {
            "has a critical extension that is not understood here".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            format!("is not meant for this use: {cause}")
        }
        // The verifier has a name for it, but rustls none.
        CertificateError::Other(inner) if inner.to_string().contains("CaUsedAsEndEntity") => {
            "is that of a certificate authority and cannot be a server's or client's own; make one with \
             basicConstraints=CA:FALSE"
                .to_owned()
        }
        other => format!("is not acceptable: {other}"),
    }
}

fn incompatible(cause: &PeerIncompatible) -> String {
    match cause {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SupportedVersionsExtensionRequired
        // Which came with TLS 1.2, and is looked for first.
        | PeerIncompatible::SignatureAlgorithmsExtensionRequired
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled => {
            "speaks no version of TLS that we do (1.2 and 1.3)".to_owned()
        }
        PeerIncompatible::NoCipherSuitesInCommon => {
            "has no cipher suite in common with us".to_owned()
        }
        PeerIncompatible::NoKxGroupsInCommon => "has no key exchange in common with us".to_owned(),
        PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => {
            "cannot verify the signatures of our kind of key".to_owned()
        }
        other => format!("cannot speak TLS with us: {other:?}"),
    }
}

/// What the bytes are, if they are not the beginning of a TLS record.
fn plaintext(opening: &[u8]) -> Option<String> {
    // A record begins with its type, change_cipher_spec to application_data, and the major version 3.
    let is_record = match opening {
        [] => true,
        [kind] => (20..=23).contains(kind),
        [kind, major, ..] => (20..=23).contains(kind) && *major == 3,
    };
    if is_record {
        return None;
    }
    let methods =
        ["GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE "];
    let is_method =
        |method: &&str| opening.starts_with(&method.as_bytes()[..method.len().min(opening.len())]);
    let line = || quote(&String::from_utf8_lossy(opening));
    Some(match opening {
        [b'H', b'T', b'T', b'P', ..] => format!("plaintext HTTP/1 (`{}...`)", line()),
        // The preface of a client; the length of a server's first SETTINGS, its type and no flags (RFC 9113, section 3.4).
        [b'P', b'R', b'I', b' ', ..] | [0, 0, _, 4, 0, ..] => "plaintext HTTP/2".to_owned(),
        _ if methods.iter().any(is_method) => {
            format!("plaintext HTTP/1 (`{}...`)", line())
        }
        _ if opening.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n')) => {
            format!("something else (`{}...`)", line())
        }
        _ => "something else".to_owned(),
    })
}
