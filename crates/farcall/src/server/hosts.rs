//! Which hosts a port on loopback answers for.
//!
//! A page from anywhere may let its own name resolve to 127.0.0.1 and so make the browser of this machine talk to this
//! port as if it were the page's own (DNS rebinding). The name that the browser believes it talks to is in the request.

use bytes::Bytes;
use farcall_core::Refusal;
use farcall_wire::event::RequestHead;
use farcall_wire::fields::Fields;
use http::Version;

/// The names, besides those of this machine itself.
#[derive(Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    pub(crate) fn allow(&mut self, host: &str) {
        self.0.push(host.to_ascii_lowercase());
    }

    /// Lets requests through that no browser can have made, and those that name a host which is allowed.
    pub(crate) fn check(&self, head: &RequestHead, version: Version) -> Result<(), Refusal> {
        let fields = head.fields();
        let browser = fields.get("origin").is_some() || fields.get("sec-fetch-site").is_some();
        // Browsers speak HTTP/2 over TLS only, and tell where a request comes from.
        if version == Version::HTTP_2 && !browser {
            return Ok(());
        }
        let authority = head.authority().unwrap_or_default();
        if self.is_allowed(&String::from_utf8_lossy(host(authority)).to_ascii_lowercase()) {
            return Ok(());
        }
        Err(misdirected(authority))
    }

    fn is_allowed(&self, host: &str) -> bool {
        let own = host == "localhost" || host.ends_with(".localhost") || host == "[::1]";
        let address = host.parse().is_ok_and(|address: std::net::Ipv4Addr| address.is_loopback());
        own || address || self.0.iter().any(|allowed| allowed == host)
    }
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
fn misdirected(authority: &[u8]) -> Refusal {
    let shown: String = authority.escape_ascii().to_string().chars().take(64).collect();
    let text = format!(
        "this port is on loopback and answers for localhost only, not for \"{shown}\"; Server::allow_host lets a name in\n"
    );
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
            let name = String::from_utf8_lossy(host(good.as_bytes())).into_owned();
            assert!(hosts.is_allowed(&name), "{good}");
        }
        for bad in ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "", "10.0.0.1:80"] {
            let name = String::from_utf8_lossy(host(bad.as_bytes())).into_owned();
            assert!(!hosts.is_allowed(&name), "{bad}");
        }
    }
}
