//! Ports by name.
//!
//! The well-known names are built in, because slim images carry no `/etc/services`; other names are looked up there.
//! No name server is asked.

use std::fs::File;
use std::io::Read;

use crate::limits::SERVICES_FILE_BYTES;

/// Well-known services with the same port over TCP and UDP, by the IANA register of service names.
const WELL_KNOWN: [(&str, u16); 24] = [
    ("echo", 7),
    ("discard", 9),
    ("daytime", 13),
    ("qotd", 17),
    ("chargen", 19),
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("domain", 53),
    ("gopher", 70),
    ("finger", 79),
    ("http", 80),
    ("www", 80),
    ("pop3", 110),
    ("sunrpc", 111),
    ("ntp", 123),
    ("imap", 143),
    ("https", 443),
    ("submission", 587),
    ("imaps", 993),
    ("pop3s", 995),
];

/// The port of a service over `tcp` or `udp`, or `None` if nobody knows the name.
pub(crate) fn port(name: &str, protocol: &str) -> Option<u16> {
    // Names are letters, digits and hyphens (RFC 6335, section 5.1); anything else is a typing error, not a name.
    let is_name =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+.".contains(&b));
    if !is_name {
        return None;
    }
    let built_in = WELL_KNOWN
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|&(_, port)| port);
    built_in.or_else(|| find(&registered()?, name, protocol))
}

/// The name of the service that a port over `tcp` or `udp` is known for: the first of several.
pub(crate) fn name(port: u16, protocol: &str) -> Option<String> {
    let built_in = WELL_KNOWN.iter().find(|&&(_, known)| known == port);
    match built_in {
        Some((name, _)) => Some((*name).to_owned()),
        None => find_name(&registered()?, port, protocol),
    }
}

fn registered() -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open("/etc/services").ok()?;
    file.take(SERVICES_FILE_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Lines read `name port/protocol alias alias # comment`.
fn find(services: &str, name: &str, protocol: &str) -> Option<u16> {
    services.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let official = words.next()?;
        let (port, over) = words.next()?.split_once('/')?;
        let named =
            std::iter::once(official).chain(words).any(|word| word.eq_ignore_ascii_case(name));
        if named && over == protocol { port.parse().ok() } else { None }
    })
}

fn find_name(services: &str, port: u16, protocol: &str) -> Option<String> {
    services.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let official = words.next()?;
        let (number, over) = words.next()?.split_once('/')?;
        let is_it = over == protocol && number.parse() == Ok(port);
        is_it.then(|| official.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::{find, find_name, name, port};

    const FILE: &str = "# comment\nsmall 7/tcp\nfar-call 7001/tcp call # far\nfar-call 7002/udp\nbroken\nodd x/tcp\n";

    #[test]
    fn well_known_names_need_no_file() {
        assert_eq!(port("telnet", "tcp"), Some(23));
        assert_eq!(port("HTTPS", "tcp"), Some(443));
        assert_eq!(port("no such", "tcp"), None);
        assert_eq!(port("", "tcp"), None);
    }

    #[test]
    fn the_file_is_read_by_name_alias_and_protocol() {
        assert_eq!(find(FILE, "far-call", "tcp"), Some(7001));
        assert_eq!(find(FILE, "far-call", "udp"), Some(7002));
        assert_eq!(find(FILE, "CALL", "tcp"), Some(7001));
        assert_eq!(find(FILE, "far", "tcp"), None);
        assert_eq!(find(FILE, "odd", "tcp"), None);
    }

    #[test]
    fn a_port_leads_back_to_its_service() {
        assert_eq!(name(80, "tcp").as_deref(), Some("http"));
        assert_eq!(find_name(FILE, 7002, "udp").as_deref(), Some("far-call"));
        assert_eq!(find_name(FILE, 7002, "tcp"), None);
    }
}
