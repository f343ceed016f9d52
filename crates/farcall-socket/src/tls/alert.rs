//! The peer's last word, in ours (RFC 8446, section 6).

use rustls::AlertDescription;

use super::error::TlsErrorKind;

/// What the peer's alert means, from the side of whoever received it.
pub(super) fn explain(alert: AlertDescription, we_are_the_client: bool) -> (TlsErrorKind, String) {
    let peer = if we_are_the_client { "the server" } else { "the client" };
    let kind = match alert {
        AlertDescription::NoApplicationProtocol => TlsErrorKind::NoProtocol,
        AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity => {
            TlsErrorKind::Incompatible
        }
        _ => TlsErrorKind::Alert,
    };
    let words = words(alert, we_are_the_client);
    (kind, format!("{peer} {words} (alert {})", name(alert)))
}

fn words(alert: AlertDescription, we_are_the_client: bool) -> &'static str {
    match alert {
        AlertDescription::NoApplicationProtocol => {
            "speaks none of the protocols that we offered (ALPN)"
        }
        AlertDescription::CertificateRequired => "requires a client certificate, and none was sent",
        AlertDescription::UnknownCA => "does not trust whoever issued our certificate",
        AlertDescription::CertificateExpired => "says that our certificate is not valid now",
        AlertDescription::CertificateRevoked => "says that our certificate was revoked",
        AlertDescription::BadCertificate if we_are_the_client => {
            "does not accept our certificate, or wants one and got none"
        }
        AlertDescription::BadCertificate => {
            "does not accept our certificate; it may be for another name"
        }
        AlertDescription::UnsupportedCertificate => "cannot use a certificate of our kind",
        AlertDescription::CertificateUnknown => "does not accept our certificate",
        AlertDescription::AccessDenied => "accepts our certificate, but does not let us in",
        AlertDescription::UnrecognisedName => "serves no host of the name that we asked for",
        AlertDescription::ProtocolVersion => "speaks no version of TLS that we do (1.2 and 1.3)",
        AlertDescription::InsufficientSecurity => "asks for stronger ciphers than we have",
        AlertDescription::HandshakeFailure => "found no parameters that suit both sides",
        AlertDescription::DecryptError => {
            "could not verify a signature or a finished message of ours"
        }
        AlertDescription::InternalError => "failed inside",
        AlertDescription::UserCanceled => "gave up",
        _ => "refused what we sent",
    }
}

/// As the alert is registered, with its number where it has no name.
fn name(alert: AlertDescription) -> String {
    let Some(camel) = alert.as_str() else {
        return u8::from(alert).to_string();
    };
    let mut name = String::new();
    let mut was_upper = true;
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && !was_upper {
            name.push('_');
        }
        was_upper = letter.is_ascii_uppercase();
        name.push(letter.to_ascii_lowercase());
    }
    // The one that is spelled otherwise than in the register.
    name.replace("unrecognised", "unrecognized")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_named_as_they_are_registered() {
        let names = [
            (AlertDescription::UnknownCA, "unknown_ca"),
            (AlertDescription::NoApplicationProtocol, "no_application_protocol"),
            (AlertDescription::UnrecognisedName, "unrecognized_name"),
            (AlertDescription::BadRecordMac, "bad_record_mac"),
            (AlertDescription::Unknown(200), "200"),
        ];
        for (alert, expected) in names {
            assert_eq!(name(alert), expected);
        }
    }
}
