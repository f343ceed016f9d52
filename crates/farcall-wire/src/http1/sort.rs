//! The fields of a head: those that belong to this connection are understood and taken out, the
//! others are for the application.
//!
//! RFC 9110 section 7.6.1 (connection fields), RFC 9112 sections 3.2 (host), 6.1 and 6.2 (framing).

use httparse::Header;

use super::grammar;
use super::refusal::Refusal;
use crate::fields::Fields;

/// The version of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http10,
    Http11,
}

impl Version {
    /// By the number behind `HTTP/1.`.
    pub(super) fn from_minor(minor: Option<u8>) -> Self {
        if minor == Some(1) { Self::Http11 } else { Self::Http10 }
    }
}

/// Fields that are more to the engine than name and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    Connection,
    ContentLength,
    Expect,
    Host,
    /// `keep-alive` and `proxy-connection`: of old, and without a meaning here.
    Obsolete,
    Te,
    TransferEncoding,
    Upgrade,
}

impl Special {
    /// Which one a name in any case is.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let (expected, special) = Self::candidate(name)?;
        name.eq_ignore_ascii_case(expected).then_some(special)
    }

    /// The same for a name in lower case.
    fn of_lower_case(name: &[u8]) -> Option<Self> {
        let (expected, special) = Self::candidate(name)?;
        (name == expected).then_some(special)
    }

    /// The only one that the name can be: by its length, as most names have none of these.
    #[inline]
    fn candidate(name: &[u8]) -> Option<(&'static [u8], Self)> {
        Some(match name.len() {
            2 => (b"te", Self::Te),
            4 => (b"host", Self::Host),
            6 => (b"expect", Self::Expect),
            7 => (b"upgrade", Self::Upgrade),
            10 if matches!(name[0], b'c' | b'C') => (b"connection", Self::Connection),
            10 => (b"keep-alive", Self::Obsolete),
            14 => (b"content-length", Self::ContentLength),
            16 => (b"proxy-connection", Self::Obsolete),
            17 => (b"transfer-encoding", Self::TransferEncoding),
            _ => return None,
        })
    }
}

/// What a head says about its connection and its framing.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own; no two of them make a state
pub(super) struct Facts<'a> {
    pub(super) host: Option<&'a [u8]>,
    pub(super) content_length: Option<u64>,
    pub(super) chunked: bool,
    /// The options `close`, `keep-alive` and `upgrade` of `connection`.
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    pub(super) connection_upgrade: bool,
    /// The option `te` of `connection` and the value `trailers` of `te`.
    trailers: bool,
    pub(super) upgrade: Option<&'a [u8]>,
    pub(super) expect: Option<&'a [u8]>,
    /// Options of `connection` that name other fields.
    named: bool,
    options: usize,
}

/// Options of `connection` in one head: more would only cost time.
const MAX_OPTIONS: usize = 16;

/// Reads all fields. The application's are returned with names in lower case.
pub(super) fn sort<'a>(headers: &[Header<'a>]) -> Result<(Facts<'a>, Fields), Refusal> {
    let size = headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    let mut fields = Fields::with_capacity(headers.len(), size);
    let mut facts = Facts::default();
    for header in headers {
        let mark = push_name(&mut fields, header);
        let passes = match Special::of_lower_case(&fields.buffer()[mark..]) {
            Some(special) => facts.note(special, header.value)?,
            None => true,
        };
        if passes {
            push_value(&mut fields, mark, header);
        } else {
            fields.drop_field(mark);
        }
    }
    facts.settle(headers, &mut fields);
    Ok((facts, fields))
}

/// Appends a field with its name in lower case.
pub(super) fn push(fields: &mut Fields, header: &Header<'_>) {
    let mark = push_name(fields, header);
    push_value(fields, mark, header);
}

/// Appends the name of a field, in lower case; returns where it begins.
fn push_name(fields: &mut Fields, header: &Header<'_>) -> usize {
    let mark = fields.mark();
    let buffer = fields.buffer();
    buffer.extend_from_slice(header.name.as_bytes());
    buffer[mark..].make_ascii_lowercase();
    mark
}

/// Appends the value of a field whose name is there.
fn push_value(fields: &mut Fields, mark: usize, header: &Header<'_>) {
    fields.buffer().extend_from_slice(header.value);
    fields.close_field(mark, header.name.len(), false);
}

impl<'a> Facts<'a> {
    /// Notes what a field says; true if the application shall see it too.
    fn note(&mut self, special: Special, value: &'a [u8]) -> Result<bool, Refusal> {
        match special {
            Special::Host => {
                let valid = value.is_empty() || grammar::is_authority(value);
                if self.host.replace(value).is_some() {
                    return Err(Refusal::malformed("expected one host, got another", value));
                }
                if !valid {
                    return Err(Refusal::malformed("expected a host and perhaps a port", value));
                }
                Ok(false)
            }
            Special::ContentLength => {
                let length = grammar::number(value).ok_or_else(|| {
                    Refusal::malformed("expected digits in content-length", value)
                })?;
                match self.content_length.replace(length) {
                    Some(_) => {
                        Err(Refusal::malformed("expected one content-length, got another", value))
                    }
                    None => Ok(true),
                }
            }
            Special::TransferEncoding => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    let reason = "expected one transfer-encoding that is chunked";
                    return Err(Refusal::malformed(reason, value));
                }
                self.chunked = true;
                Ok(false)
            }
            Special::Connection => self.note_options(value).map(|()| false),
            Special::Te => {
                self.trailers |=
                    grammar::members(value).any(|member| member.eq_ignore_ascii_case(b"trailers"));
                Ok(false)
            }
            Special::Upgrade => {
                if self.upgrade.replace(value).is_some() {
                    return Err(Refusal::malformed("expected one upgrade, got another", value));
                }
                Ok(false)
            }
            Special::Expect => {
                // Of several, one that cannot be met counts.
                if self.expect.is_none_or(|first| first.eq_ignore_ascii_case(b"100-continue")) {
                    self.expect = Some(value);
                }
                Ok(true)
            }
            Special::Obsolete => Ok(false),
        }
    }

    fn note_options(&mut self, value: &[u8]) -> Result<(), Refusal> {
        for option in grammar::members(value) {
            self.options += 1;
            if self.options > MAX_OPTIONS || !grammar::is_token(option) {
                return Err(Refusal::malformed("expected a few names in connection", value));
            }
            match option.len() {
                5 if option.eq_ignore_ascii_case(b"close") => self.close = true,
                10 if option.eq_ignore_ascii_case(b"keep-alive") => self.keep_alive = true,
                7 if option.eq_ignore_ascii_case(b"upgrade") => self.connection_upgrade = true,
                2 if option.eq_ignore_ascii_case(b"te") => {}
                _ => self.named = true,
            }
        }
        Ok(())
    }

    /// Puts back what was understood and is still good for the application, and takes out what
    /// `connection` names.
    fn settle(&self, headers: &[Header<'_>], fields: &mut Fields) {
        if self.named {
            remove_named(headers, fields);
        }
        if self.trailers {
            fields.push("te", "trailers");
        }
        // RFC 9110 section 7.8: without the option, upgrade is to be ignored. So is h2c, always.
        if let Some(upgrade) = self.asked_upgrade() {
            fields.push("upgrade", upgrade);
        }
    }

    /// The protocol that the peer asks for or agrees to.
    pub(super) fn asked_upgrade(&self) -> Option<&'a [u8]> {
        self.upgrade
            .filter(|value| self.connection_upgrade && !value.eq_ignore_ascii_case(b"h2c"))
            .filter(|value| !value.is_empty())
    }

    /// Refuses two framings at once, and one that the version does not have (RFC 9112 sections 6.1
    /// and 6.3).
    pub(super) fn check_framing(&self, version: Version) -> Result<(), Refusal> {
        if self.chunked && self.content_length.is_some() {
            let reason = "expected content-length or transfer-encoding, got both";
            return Err(Refusal::new(400, reason));
        }
        if self.chunked && version == Version::Http10 {
            return Err(Refusal::new(400, "expected no transfer-encoding in HTTP/1.0"));
        }
        Ok(())
    }
}

/// Takes out the fields that `connection` names (RFC 9110 section 7.6.1), but for the length of the
/// content: no message may talk us out of it.
#[cold]
fn remove_named(headers: &[Header<'_>], fields: &mut Fields) {
    let values = headers
        .iter()
        .filter(|header| Special::of(header.name.as_bytes()) == Some(Special::Connection));
    for name in values.flat_map(|header| grammar::members(header.value)) {
        let name = name.to_ascii_lowercase();
        if let Ok(name) = std::str::from_utf8(&name)
            && name != "content-length"
        {
            fields.remove(name);
        }
    }
}
