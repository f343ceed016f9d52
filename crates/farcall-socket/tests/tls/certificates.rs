//! What is read of a certificate, and what is said about files that have none.

use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use farcall_socket::{CertificateName, Identity, Roots, TlsErrorKind};
use rcgen::{DnType, KeyPair, SanType, date_time_ymd};

use crate::authority::{Authority, Folder, Pem, named, server};

#[test]
fn a_certificate_says_who_holds_it_who_issued_it_and_until_when() {
    let mut params = named(&["Example.com", "*.example.com", "127.0.0.1", "::1"], "Ada, \u{e9}=x");
    params.distinguished_name.push(DnType::OrganizationName, "Acme");
    let uri = "spiffe://example.com/ada".try_into().unwrap();
    params.subject_alt_names.push(SanType::URI(uri));
    let mail = "ada@example.com".try_into().unwrap();
    params.subject_alt_names.push(SanType::Rfc822Name(mail));
    params.not_before = date_time_ymd(1970, 1, 2);
    params.not_after = date_time_ymd(2099, 12, 31);

    let identity = Authority::new("Test CA").sign(&params).identity();
    let certificate = identity.certificate();
    assert_eq!(certificate.subject(), "CN=Ada\\, \u{e9}\\=x,O=Acme");
    assert_eq!(certificate.common_name(), Some("Ada, \u{e9}=x"));
    assert_eq!(certificate.issuer(), "CN=Test CA");
    let names = [
        CertificateName::Dns("example.com".to_owned()),
        CertificateName::Dns("*.example.com".to_owned()),
        CertificateName::Ip(IpAddr::from([127, 0, 0, 1])),
        CertificateName::Ip("::1".parse().unwrap()),
        CertificateName::Uri("spiffe://example.com/ada".to_owned()),
        CertificateName::Email("ada@example.com".to_owned()),
    ];
    assert_eq!(certificate.names(), names);
    let written: Vec<_> = names.iter().skip(3).map(ToString::to_string).collect();
    assert_eq!(written, ["IP:::1", "URI:spiffe://example.com/ada", "email:ada@example.com"]);
    assert_eq!(certificate.not_before(), Some(UNIX_EPOCH + Duration::from_hours(24)));
    let end = UNIX_EPOCH + Duration::from_hours(1_139_544);
    assert_eq!(certificate.not_after(), Some(end));
    let text = "CN=Ada\\, \u{e9}\\=x,O=Acme (DNS:example.com, DNS:*.example.com, IP:127.0.0.1, IP:::1), issued by \
                CN=Test CA, valid until 2099-12-31 00:00:00 UTC";
    assert_eq!(certificate.to_string(), text);
    assert_eq!(format!("{identity:?}"), format!("Identity({text})"));
}

#[test]
fn a_fingerprint_tells_certificates_apart() {
    let authority = Authority::new("Test CA");
    let (one, two) = (authority.server(&["a"]), authority.server(&["a"]));
    assert_eq!(one.certificate().fingerprint(), one.clone().certificate().fingerprint());
    assert_ne!(one.certificate().fingerprint(), two.certificate().fingerprint());
    assert_ne!(one.certificate(), two.certificate());
}

#[test]
fn l15_a_control_character_in_a_name_is_escaped() {
    let authority = Authority::new("Test\r\n\u{1b}[31mCA");
    let identity = authority.server(&["a"]);
    assert_eq!(identity.certificate().issuer(), "CN=Test\\r\\n\\u{1b}[31mCA");
}

#[test]
fn certificate_and_key_may_stand_in_one_file() {
    let folder = Folder::new();
    let pem = Authority::new("Test CA").sign(&server(&["a"]));
    let path = folder.file("both.pem");
    std::fs::write(&path, format!("{}{}", pem.key, pem.certificate)).unwrap();
    let identity = Identity::from_pem_files(&path, &path).unwrap();
    assert_eq!(identity.certificate(), pem.identity().certificate());
}

#[test]
fn an_error_names_the_file_and_what_is_wrong_with_it() {
    let folder = Folder::new();
    let authority = Authority::new("Test CA");
    let (certificate, key) = authority.sign(&server(&["one.example"])).write(&folder, "one");
    let (_, other_key) = authority.sign(&server(&["two.example"])).write(&folder, "two");
    let (nothing, missing) = (folder.file("nothing.pem"), folder.file("missing.pem"));
    std::fs::write(&nothing, "nothing\n").unwrap();
    let cut = folder.file("cut.pem");
    std::fs::write(&cut, "-----BEGIN CERTIFICATE-----\nMIIB").unwrap();
    let nonsense = folder.file("nonsense.pem");
    std::fs::write(&nonsense, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .unwrap();
    let encrypted = folder.file("encrypted.key");
    let text = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    std::fs::write(&encrypted, text).unwrap();
    let huge = folder.file("huge.pem");
    std::fs::write(&huge, vec![b'\n'; 1024 * 1024 + 1]).unwrap();

    let path = |name: &str| folder.file(name).display().to_string();
    let cases = [
        (
            &missing,
            &key,
            TlsErrorKind::File,
            format!("cannot read the certificate file {}: No such", path("missing.pem")),
        ),
        (
            &certificate,
            &missing,
            TlsErrorKind::File,
            format!("cannot read the private key file {}", path("missing.pem")),
        ),
        (&huge, &key, TlsErrorKind::File, "it is longer than 1048576 bytes".to_owned()),
        (
            &nothing,
            &key,
            TlsErrorKind::Material,
            format!("no certificate in {}: expected a line -----BEGIN", path("nothing.pem")),
        ),
        (
            &cut,
            &key,
            TlsErrorKind::Material,
            format!("cannot read the certificates in {}", path("cut.pem")),
        ),
        (
            &nonsense,
            &key,
            TlsErrorKind::Material,
            format!("the first certificate in {} cannot be used", path("nonsense.pem")),
        ),
        (
            &certificate,
            &nothing,
            TlsErrorKind::Material,
            format!("no private key in {}", path("nothing.pem")),
        ),
        (
            &certificate,
            &encrypted,
            TlsErrorKind::Material,
            format!("the private key in {} is encrypted", path("encrypted.key")),
        ),
        (
            &certificate,
            &other_key,
            TlsErrorKind::KeyMismatch,
            format!(
                "the private key in {} does not belong to the certificate for one.example in {}",
                path("two.key"),
                path("one.pem")
            ),
        ),
    ];
    for (certificate, key, kind, text) in cases {
        let error = Identity::from_pem_files(certificate, key).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(&text), "{error}\nshould say\n{text}");
    }
}

#[test]
fn every_usual_kind_of_key_is_taken() {
    let authority = Authority::new("Test CA");
    let pem = authority.sign(&server(&["a"]));
    assert!(pem.key.contains("BEGIN PRIVATE KEY"));
    let algorithms =
        [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519];
    for algorithm in algorithms {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = server(&["a"]).self_signed(&key).unwrap().pem();
        Pem { certificate, key: key.serialize_pem() }.identity();
    }
}

#[test]
fn roots_come_from_files_and_text_and_can_be_joined() {
    let folder = Folder::new();
    let (one, two) = (Authority::new("One"), Authority::new("Two"));
    let path = folder.file("roots.pem");
    std::fs::write(&path, format!("{}{}", one.pem(), two.pem())).unwrap();
    let roots = Roots::from_pem_file(&path).unwrap();
    assert_eq!(roots.count(), 2);
    assert_eq!(roots.and(&Authority::new("Three").roots()).count(), 3);

    let error = Roots::from_pem(b"").unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::Material);
    let nonsense = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let text = Roots::from_pem(nonsense).unwrap_err().to_string();
    assert!(text.starts_with("certificate 1 in the given text cannot be a root"), "{text}");
    let text = Roots::from_pem_file(folder.file("missing")).unwrap_err().to_string();
    assert!(text.starts_with("cannot read the root certificate file"), "{text}");
}
