//! Which hosts a connection answers for.
//!
//! A page from anywhere may let its own name resolve to 127.0.0.1 and so make the browser of this machine talk to a port
//! on loopback as if it were the page's own (DNS rebinding). The name that the browser believes it talks to is in the
//! request. And who has shown a certificate to one name has not shown it to another: its requests stay with that name.

use std::net::Ipv4Addr;

use bytes::Bytes;
use farcall_core::Refusal;
use farcall_socket::Connection;
use farcall_socket::tls::TlsInfo;
use farcall_wire::event::RequestHead;
use farcall_wire::fields::Fields;
use http::Version;

/// What is checked on one connection.
#[derive(Clone, Default)]
pub(crate) struct Guard {
    /// Only this machine can reach it, so that a browser here could be made to.
    loopback: bool,
    /// The name that a client with a certificate asked for when it began TLS.
    asked_for: Option<Box<str>>,
}

impl Guard {
    pub(crate) fn new(loopback: bool, connection: &Connection) -> Self {
        let has_certificate = !connection.peer().certificates().is_empty();
        let asked_for = connection.tls().and_then(TlsInfo::server_name).filter(|_| has_certificate);
        Self { loopback, asked_for: asked_for.map(Box::from) }
    }

    /// Lets requests through whose host is one that the connection answers for.
    pub(crate) fn check(
        &self,
        head: &RequestHead,
        version: Version,
        hosts: &Hosts,
    ) -> Result<(), Refusal> {
        if self.loopback {
            hosts.check(head, version)?;
        }
        let Some(asked_for) = &self.asked_for else { return Ok(()) };
        let authority = head.authority().unwrap_or_default();
        if host(authority).eq_ignore_ascii_case(asked_for.as_bytes()) {
            return Ok(());
        }
        let why = format!("the certificate was shown to \"{asked_for}\", not to ");
        Err(misdirected(why, authority, ""))
    }
}

/// The names, besides those of this machine itself.
#[derive(Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    pub(crate) fn allow(&mut self, host: &str) {
        self.0.push(host.to_ascii_lowercase());
    }

    /// Lets requests through that no browser can have made, and those that name a host which is allowed.
    fn check(&self, head: &RequestHead, version: Version) -> Result<(), Refusal> {
        let fields = head.fields();
        let browser = fields.get("origin").is_some() || fields.get("sec-fetch-site").is_some();
        // Browsers speak HTTP/2 over TLS only, and tell where a request comes from.
        if version == Version::HTTP_2 && !browser {
            return Ok(());
        }
        let authority = head.authority().unwrap_or_default();
        if self.is_allowed(host(authority)) {
            return Ok(());
        }
        let why = "this port is on loopback and answers for localhost only, not for ".to_owned();
        Err(misdirected(why, authority, "; Server::allow_host lets a name in"))
    }

    fn is_allowed(&self, host: &[u8]) -> bool {
        is_own(host) || self.0.iter().any(|allowed| host.eq_ignore_ascii_case(allowed.as_bytes()))
    }
}

/// Whether it is a name of this machine that no other can have (RFC 6761 section 6.3).
fn is_own(host: &[u8]) -> bool {
    const LOCALHOST: &[u8] = b".localhost";
    let ends = host.len().checked_sub(LOCALHOST.len());
    host.eq_ignore_ascii_case(&LOCALHOST[1..])
        || host == b"127.0.0.1"
        || host == b"[::1]"
        || ends.is_some_and(|at| host[at..].eq_ignore_ascii_case(LOCALHOST))
        || str::from_utf8(host)
            .is_ok_and(|host| host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback()))
}

/// The authority without its port.
fn host(authority: &[u8]) -> &[u8] {
    let end = authority.iter().rposition(|byte| *byte == b':');
    match end {
        Some(colon) if authority[colon..].iter().skip(1).all(u8::is_ascii_digit) => {
            &authority[..colon]
        }
        _ => authority,
    }
}

/// RFC 9110 section 15.5.20.
#[cold]
fn misdirected(mut text: String, authority: &[u8], hint: &str) -> Refusal {
    text.push('"');
    text.extend(authority.escape_ascii().map(char::from).take(64));
    text.push('"');
    text.push_str(hint);
    text.push('\n');
    let mut head = Fields::new();
    head.push(":status", "421");
    head.push("content-type", "text/plain; charset=utf-8");
    head.push("content-length", text.len().to_string());
    Refusal { head, body: Some(Bytes::from(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_allowed_with_and_without_port() {
        let mut hosts = Hosts::default();
        hosts.allow("Greet.example");
        for good in ["localhost", "localhost:80", "127.0.0.1:8080", "[::1]:9", "greet.example:1"] {
            assert!(hosts.is_allowed(host(good.as_bytes())), "{good}");
        }
        for bad in ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "", "10.0.0.1:80"] {
            assert!(!hosts.is_allowed(host(bad.as_bytes())), "{bad}");
        }
    }
}
