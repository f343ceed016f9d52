//! The small words of RFC 9110 and RFC 9112: tokens, values, numbers, lists, hosts.

/// Whether this is a token (RFC 9110 section 5.6.2).
pub(super) fn is_token(octets: &[u8]) -> bool {
    !octets.is_empty() && are_all(&TOKEN, octets)
}

/// Whether a request's target can be of these octets: visible ASCII without the fragment's `#` and three that no URI
/// has and some readers take for something else.
pub(super) fn is_target(octets: &[u8]) -> bool {
    are_all(&TARGET, octets)
}

/// Whether a field's value can be sent: no control character but the tab (RFC 9110 section 5.5).
pub(super) fn is_value(octets: &[u8]) -> bool {
    // No early end: the loop then works on many octets at once.
    let controls = octets.iter().fold(0, |found, &octet| {
        found | u8::from(octet < b' ' && octet != b'\t') | u8::from(octet == 0x7f)
    });
    controls == 0
}

/// A number of digits only: no sign, no list, no overflow.
pub(super) fn number(octets: &[u8]) -> Option<u64> {
    if octets.is_empty() {
        return None;
    }
    octets.iter().try_fold(0_u64, |number, octet| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// The members of a comma-separated list without the whitespace around them, empty ones left out
/// (RFC 9110 section 5.6.1).
pub(super) fn members(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|octet| *octet == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// Whether this is a host and perhaps a port (RFC 9110 section 7.2), without userinfo.
pub(super) fn is_authority(octets: &[u8]) -> bool {
    let end = if octets.first() == Some(&b'[') {
        octets.iter().position(|octet| *octet == b']').map_or(0, |last| last + 1)
    } else {
        octets.iter().position(|octet| *octet == b':').unwrap_or(octets.len())
    };
    let (host, port) = octets.split_at(end);
    let valid = match host {
        [b'[', address @ .., b']'] => is_ip_address(address),
        name => !name.is_empty() && is_registered_name(name),
    };
    valid
        && match port {
            [] | [b':'] => true,
            [b':', digits @ ..] => {
                digits.len() <= 5 && number(digits).is_some_and(|port| port <= 0xffff)
            }
            _ => false,
        }
}

/// What is between the brackets of an address: an IPv6 address without a zone, by its octets.
fn is_ip_address(octets: &[u8]) -> bool {
    octets.contains(&b':')
        && octets
            .iter()
            .all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':' | b'.'))
}

/// A registered name or an IPv4 address (RFC 3986 section 3.2.2).
fn is_registered_name(octets: &[u8]) -> bool {
    let mut rest = octets;
    while let Some(end) = rest.iter().position(|&octet| !NAME[octet as usize]) {
        rest = match &rest[end..] {
            [b'%', a, b, behind @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => behind,
            _ => return false,
        };
    }
    true
}

/// Whether a line of a head ends with an LF alone: that is a line's end to some readers and
/// none to others (RFC 9112 section 2.2).
pub(super) fn has_bare_line_feed(head: &[u8]) -> bool {
    let pairs = head.iter().zip(head.iter().skip(1));
    let bare = pairs.fold(0, |found, (&before, &octet)| {
        found | (u8::from(octet == b'\n') & u8::from(before != b'\r'))
    });
    bare != 0 || head.first() == Some(&b'\n')
}

/// Whether all octets are in a table.
fn are_all(table: &[bool; 256], octets: &[u8]) -> bool {
    // No early end: nearly always there is none, and the loop is shorter.
    octets.iter().fold(true, |all, &octet| all & table[octet as usize])
}

/// Letters, digits and some others.
const fn table(others: &[u8]) -> [bool; 256] {
    let mut allowed = [false; 256];
    let mut octet = 0;
    while octet < 256 {
        allowed[octet] = (octet as u8).is_ascii_alphanumeric();
        octet += 1;
    }
    let mut index = 0;
    while index < others.len() {
        allowed[others[index] as usize] = true;
        index += 1;
    }
    allowed
}

/// Octets of a token.
static TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// Octets of a request's target.
static TARGET: [bool; 256] = table(b"!\"$%&'()*+,-./:;=?@[]^_`{|}~");

/// Octets of a registered name: unreserved and sub-delims. A `%` only in front of two hex digits.
static NAME: [bool; 256] = table(b"-._~!$&'()*+,;=");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9110_s7_2_an_authority_is_a_host_and_perhaps_a_port() {
        for good in ["a", "a.b:80", "a:", "[::1]", "[::1]:443", "1.2.3.4:65535", "a%2eb", "x_y"] {
            assert!(is_authority(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            ":80",
            "u@a",
            "a b",
            "a/b",
            "a:b",
            "a:65536",
            "a:000080",
            "[::1",
            "[]",
            "[a]",
            "[::1]x",
            "a%2",
            "a%zz",
            "a\\b",
            "a?b",
            "a#b",
            "\u{e4}",
            "a:80:80",
            "[::1%25lo]",
            "a\"",
        ] {
            assert!(!is_authority(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn a_target_is_of_visible_ascii_but_for_four_octets() {
        for octet in 0..=u8::MAX {
            let legal = octet.is_ascii_graphic() && !b"#<>\\".contains(&octet);
            assert_eq!(is_target(&[octet]), legal, "{octet}");
        }
    }

    #[test]
    fn a_number_has_digits_only_and_fits() {
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for bad in ["", "+1", "-1", "0x1", "1 ", "1,1", "18446744073709551616", "1_0"] {
            assert_eq!(number(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn control_characters_are_no_values() {
        assert!(is_value(b"a\tb \xe4") && is_value(b""));
        for bad in [&b"a\r"[..], b"\n", b"\0", b"\x7f", b"\x1b[0m"] {
            assert!(!is_value(bad));
        }
    }
}
