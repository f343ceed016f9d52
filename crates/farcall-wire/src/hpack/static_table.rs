//! The static table (RFC 7541 appendix A).

use std::ops::RangeInclusive;

/// A name and a value in one string, so that a decoder copies both at once.
pub(super) struct StaticEntry {
    joined: &'static str,
    name_len: usize,
}

impl StaticEntry {
    /// Name and value without a gap.
    pub(super) const fn joined(&self) -> &'static [u8] {
        self.joined.as_bytes()
    }

    /// Octets of the name, at the begin of `joined`.
    pub(super) const fn name_len(&self) -> usize {
        self.name_len
    }

    pub(super) const fn name(&self) -> &'static [u8] {
        self.joined().split_at(self.name_len).0
    }

    pub(super) const fn value(&self) -> &'static [u8] {
        self.joined().split_at(self.name_len).1
    }
}

macro_rules! entries {
    ($($name:literal $value:literal)*) => {
        [$(StaticEntry { joined: concat!($name, $value), name_len: $name.len() }),*]
    };
}

/// The number of entries; the dynamic table's indexes begin behind it.
pub(super) const LEN: usize = 61;

/// The indexes of the entries named `:path`.
pub(super) const PATH_INDEXES: RangeInclusive<usize> = 4..=5;

/// Index 1 is at position 0.
pub(super) static ENTRIES: [StaticEntry; LEN] = TABLE;

pub(super) const TABLE: [StaticEntry; LEN] = entries![
    ":authority" ""
    ":method" "GET"
    ":method" "POST"
    ":path" "/"
    ":path" "/index.html"
    ":scheme" "http"
    ":scheme" "https"
    ":status" "200"
    ":status" "204"
    ":status" "206"
    ":status" "304"
    ":status" "400"
    ":status" "404"
    ":status" "500"
    "accept-charset" ""
    "accept-encoding" "gzip, deflate"
    "accept-language" ""
    "accept-ranges" ""
    "accept" ""
    "access-control-allow-origin" ""
    "age" ""
    "allow" ""
    "authorization" ""
    "cache-control" ""
    "content-disposition" ""
    "content-encoding" ""
    "content-language" ""
    "content-length" ""
    "content-location" ""
    "content-range" ""
    "content-type" ""
    "cookie" ""
    "date" ""
    "etag" ""
    "expect" ""
    "expires" ""
    "from" ""
    "host" ""
    "if-match" ""
    "if-modified-since" ""
    "if-none-match" ""
    "if-range" ""
    "if-unmodified-since" ""
    "last-modified" ""
    "link" ""
    "location" ""
    "max-forwards" ""
    "proxy-authenticate" ""
    "proxy-authorization" ""
    "range" ""
    "referer" ""
    "refresh" ""
    "retry-after" ""
    "server" ""
    "set-cookie" ""
    "strict-transport-security" ""
    "transfer-encoding" ""
    "user-agent" ""
    "vary" ""
    "via" ""
    "www-authenticate" ""
];
