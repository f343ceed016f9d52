//! Which octets HTTP/2 forbids in a field (RFC 9113 section 8.2.1), for all who read or write fields
//! by its rules. What the fields say is judged elsewhere.
//!
//! Whitespace at the ends of a value is let through, against that section: gRPC leaves spaces in grpc-message
//! unescaped, and servers in wide use send messages that end with one.

/// Why a field is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Illegal {
    EmptyName,
    UppercaseName,
    NameOctet,
    ValueOctet,
}

impl Illegal {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::EmptyName => "field name is empty",
            Self::UppercaseName => "field name has an uppercase letter",
            Self::NameOctet => "field name has an octet that is not allowed",
            Self::ValueOctet => "field value has NUL, CR or LF",
        }
    }
}

/// What is wrong with a name, if anything.
pub(crate) fn check_name(name: &[u8]) -> Option<Illegal> {
    // A colon is legal in front only: it makes a pseudo-field.
    let letters = name.strip_prefix(b":").unwrap_or(name);
    if letters.is_empty() {
        return Some(Illegal::EmptyName);
    }
    if letters.iter().all(|&octet| NAME_OCTETS[octet as usize]) {
        return None;
    }
    let uppercase = letters.iter().any(u8::is_ascii_uppercase);
    Some(if uppercase { Illegal::UppercaseName } else { Illegal::NameOctet })
}

/// What is wrong with a value, if anything.
pub(crate) fn check_value(value: &[u8]) -> Option<Illegal> {
    // No early end: the loop then works on many octets at once.
    let forbidden =
        value.iter().fold(false, |found, octet| found | matches!(octet, b'\0' | b'\r' | b'\n'));
    forbidden.then_some(Illegal::ValueOctet)
}

/// Octets of a token (RFC 9110 section 5.6.2) without the uppercase letters.
static NAME_OCTETS: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut octet = 0;
    while octet < 256 {
        allowed[octet] = matches!(
            octet as u8,
            b'a'..=b'z' | b'0'..=b'9' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+'
                | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        );
        octet += 1;
    }
    allowed
};
