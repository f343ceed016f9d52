//! Which fields HTTP/2 forbids (RFC 9113 section 8.2.1). Judged once, when a literal arrives.

/// Why a field is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Illegal {
    EmptyName,
    UppercaseName,
    NameOctet,
    ValueOctet,
    ValueSpace,
}

impl Illegal {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::EmptyName => "field name is empty",
            Self::UppercaseName => "field name has an uppercase letter",
            Self::NameOctet => "field name has an octet that is not allowed",
            Self::ValueOctet => "field value has NUL, CR or LF",
            Self::ValueSpace => "field value begins or ends with whitespace",
        }
    }
}

/// What is wrong with a name, if anything.
pub(super) fn check_name(name: &[u8]) -> Option<Illegal> {
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
pub(super) fn check_value(value: &[u8]) -> Option<Illegal> {
    // No early end: the loop then works on many octets at once.
    let forbidden =
        value.iter().fold(false, |found, octet| found | matches!(octet, b'\0' | b'\r' | b'\n'));
    if forbidden {
        return Some(Illegal::ValueOctet);
    }
    let blank = |octet: Option<&u8>| matches!(octet, Some(b' ' | b'\t'));
    (blank(value.first()) || blank(value.last())).then_some(Illegal::ValueSpace)
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
