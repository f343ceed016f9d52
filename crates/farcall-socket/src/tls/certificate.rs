//! What a certificate says.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;

use super::der::{self, Reader};
use super::limits::{CERTIFICATE_NAMES, QUOTED_NAMES};
use super::moment::Moment;
use crate::error::quote;

/// An X.509 certificate: its bytes, and what can be read of them.
///
/// Prints as `CN=ada (DNS:ada.example), issued by CN=Our CA, valid until 2027-01-31 00:00:00 UTC`. To let somebody in, go by
/// [`Certificate::names`] or [`Certificate::fingerprint`]; the subject is for people.
///
/// Two certificates are equal when all their bytes are.
#[derive(Clone)]
pub struct Certificate {
    der: Arc<[u8]>,
    facts: Arc<Facts>,
}

/// A name that a certificate is good for (RFC 5280, section 4.2.1.6).
///
/// Prints as `DNS:example.com`, `IP:127.0.0.1`, `URI:spiffe://example.com/ada` or `email:ada@example.com`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateName {
    /// A host, in lower case; its first label may be `*`.
    Dns(String),
    /// An address.
    Ip(IpAddr),
    /// A URI, as of SPIFFE.
    Uri(String),
    /// A mail address.
    Email(String),
}

/// What was read; what could not be is empty.
#[derive(Default)]
struct Facts {
    subject: String,
    common_name: Option<String>,
    issuer: String,
    is_self_issued: bool,
    not_before: Option<i64>,
    not_after: Option<i64>,
    names: Vec<CertificateName>,
}

impl Certificate {
    /// Any bytes; what is no certificate has no names.
    pub(crate) fn new(der: &[u8]) -> Self {
        let mut facts = Facts::default();
        // What was read before something unreadable came stays.
        let _ = facts.read(der);
        Self { der: der.into(), facts: Arc::new(facts) }
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the whole certificate, as `openssl x509 -fingerprint -sha256` gives it.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest::digest(&digest::SHA256, &self.der).as_ref());
        fingerprint
    }

    /// Who holds it, as in `CN=ada,O=Acme`, in the order of the certificate and escaped as in RFC 4514. Attributes without
    /// a usual short name are left out.
    pub fn subject(&self) -> &str {
        &self.facts.subject
    }

    /// The subject's last common name, which says nothing about hosts any more (RFC 9525, section 2).
    pub fn common_name(&self) -> Option<&str> {
        self.facts.common_name.as_deref()
    }

    /// Who signed it, written as [`Certificate::subject`] is.
    pub fn issuer(&self) -> &str {
        &self.facts.issuer
    }

    /// The names that it is good for, at most the first 1000.
    pub fn names(&self) -> &[CertificateName] {
        &self.facts.names
    }

    /// When its validity begins.
    pub fn not_before(&self) -> Option<SystemTime> {
        self.facts.not_before.and_then(system_time)
    }

    /// When its validity ends.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.facts.not_after.and_then(system_time)
    }

    /// Whether subject and issuer are one.
    pub(super) fn is_self_issued(&self) -> bool {
        self.facts.is_self_issued
    }

    /// For whom it is, in a few words for a message: its first names, or else the subject.
    pub(crate) fn holder(&self) -> String {
        let names = &self.facts.names;
        let first = names.iter().take(QUOTED_NAMES);
        let mut text = first.map(CertificateName::value).collect::<Vec<_>>().join(", ");
        match names.len() {
            0 if self.facts.subject.is_empty() => "nobody (it has no names)".clone_into(&mut text),
            0 => self.facts.subject.clone_into(&mut text),
            count if count > QUOTED_NAMES => {
                text = format!("{text} and {} more", count - QUOTED_NAMES);
            }
            _ => {}
        }
        quote(&text)
    }
}

impl CertificateName {
    /// The name without its kind.
    pub fn value(&self) -> String {
        match self {
            Self::Dns(name) | Self::Uri(name) | Self::Email(name) => name.clone(),
            Self::Ip(address) => address.to_string(),
        }
    }

    /// One alternative of a `GeneralNames`; others than these four are passed over, and so is text with anything in it
    /// that cannot be seen.
    fn read(tag: u8, value: &[u8]) -> Option<Self> {
        let text = || {
            let text = std::str::from_utf8(value).ok()?;
            text.bytes().all(|byte| byte.is_ascii_graphic()).then(|| text.to_owned())
        };
        match tag {
            tag if tag == der::context(1) => text().map(Self::Email),
            tag if tag == der::context(2) => {
                text().map(|name| Self::Dns(name.to_ascii_lowercase()))
            }
            tag if tag == der::context(6) => text().map(Self::Uri),
            tag if tag == der::context(7) => der::address(value).map(Self::Ip),
            _ => None,
        }
    }
}

impl Facts {
    fn read(&mut self, der: &[u8]) -> Option<()> {
        let mut certificate = Reader::new(der).inside(der::SEQUENCE)?.inside(der::SEQUENCE)?;
        let _version = certificate.optional(der::constructed(0));
        let _serial = certificate.optional(der::INTEGER)?;
        let _signature = certificate.optional(der::SEQUENCE)?;
        let issuer = certificate.optional(der::SEQUENCE)?;
        let mut validity = certificate.inside(der::SEQUENCE)?;
        let subject = certificate.optional(der::SEQUENCE)?;
        let _public_key = certificate.optional(der::SEQUENCE)?;

        self.is_self_issued = issuer == subject;
        self.issuer = distinguished_name(issuer).0;
        (self.subject, self.common_name) = distinguished_name(subject);
        self.not_before = validity.time();
        self.not_after = validity.time();

        let _issuer_id = certificate.optional(der::context(1));
        let _subject_id = certificate.optional(der::context(2));
        let mut extensions = certificate.inside(der::constructed(3))?.inside(der::SEQUENCE)?;
        while let Some(mut extension) = extensions.inside(der::SEQUENCE) {
            let id = extension.optional(der::OBJECT_IDENTIFIER)?;
            extension.skip_boolean();
            let value = extension.optional(der::OCTET_STRING)?;
            if id == SUBJECT_ALTERNATIVE_NAME {
                let mut names = Reader::new(value).inside(der::SEQUENCE)?;
                let names = std::iter::from_fn(|| names.next());
                let names = names.filter_map(|(tag, value)| CertificateName::read(tag, value));
                self.names = names.take(CERTIFICATE_NAMES).collect();
            }
        }
        Some(())
    }
}

/// 2.5.29.17
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The name as text, and its last common name.
fn distinguished_name(bytes: &[u8]) -> (String, Option<String>) {
    let (mut text, mut common_name) = (String::new(), None);
    let mut sets = Reader::new(bytes);
    while let Some(mut set) = sets.inside(der::SET) {
        while let Some(mut attribute) = set.inside(der::SEQUENCE) {
            let kind = attribute.optional(der::OBJECT_IDENTIFIER);
            let value = attribute.next().and_then(|(tag, value)| der::string(tag, value));
            let (Some(kind), Some(value)) = (kind, value) else { continue };
            if let Some(short) = short_name(kind) {
                let comma = if text.is_empty() { "" } else { "," };
                text.extend([comma, short, "=", &escape(&value)]);
            }
            if kind == COMMON_NAME {
                common_name = Some(value);
            }
        }
    }
    (text, common_name)
}

/// RFC 4514, section 3, and the mail address that old authorities put in.
fn short_name(kind: &[u8]) -> Option<&'static str> {
    Some(match kind {
        COMMON_NAME => "CN",
        [0x55, 0x04, 0x06] => "C",
        [0x55, 0x04, 0x07] => "L",
        [0x55, 0x04, 0x08] => "ST",
        [0x55, 0x04, 0x09] => "STREET",
        [0x55, 0x04, 0x0a] => "O",
        [0x55, 0x04, 0x0b] => "OU",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19] => "DC",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01] => "UID",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01] => "emailAddress",
        _ => return None,
    })
}

/// So that no value can look like another attribute (RFC 4514, section 2.4), nor like the end of a line.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => escaped.extend(['\\', character]),
            character if character.is_control() => escaped.extend(character.escape_default()),
            character => escaped.push(character),
        }
    }
    escaped
}

fn system_time(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl std::hash::Hash for Certificate {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.der.hash(state);
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Facts { subject, issuer, names, not_after, .. } = &*self.facts;
        f.write_str(&quote(subject))?;
        if !names.is_empty() {
            let space = if subject.is_empty() { "" } else { " " };
            let names: Vec<_> = names.iter().take(QUOTED_NAMES).map(ToString::to_string).collect();
            write!(f, "{space}({})", quote(&names.join(", ")))?;
        }
        write!(f, ", issued by {}", quote(issuer))?;
        match not_after {
            Some(seconds) => write!(f, ", valid until {}", Moment(*seconds)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({self})")
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Dns(_) => "DNS",
            Self::Ip(_) => "IP",
            Self::Uri(_) => "URI",
            Self::Email(_) => "email",
        };
        write!(f, "{kind}:{}", self.value())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> Vec<u8> {
        let names = ["a.example".to_owned(), "127.0.0.1".to_owned()];
        rcgen::generate_simple_self_signed(names).unwrap().cert.der().to_vec()
    }

    #[test]
    fn what_is_no_certificate_has_no_names() {
        for bytes in [&b""[..], b"\0", b"\x30\x80", &[0xff; 1000]] {
            let certificate = Certificate::new(bytes);
            assert!(certificate.names().is_empty() && certificate.subject().is_empty());
            assert_eq!(certificate.holder(), "nobody (it has no names)");
        }
    }

    #[test]
    fn a_certificate_cut_anywhere_is_read_as_far_as_it_goes() {
        let whole = example();
        assert_eq!(Certificate::new(&whole).names().len(), 2);
        for length in 0..whole.len() {
            let _ = Certificate::new(&whole[..length]).to_string();
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_passed_over(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Certificate::new(&bytes).to_string();
        }

        #[test]
        fn a_certificate_with_changed_bytes_is_read_or_passed_over(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            static EXAMPLE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(example);
            let mut bytes = EXAMPLE.clone();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let certificate = Certificate::new(&bytes);
            let _ = (certificate.to_string(), certificate.not_after(), certificate.holder());
        }
    }
}
