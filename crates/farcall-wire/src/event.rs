//! What an HTTP engine tells its driver.
//!
//! Events are plain values: they own their bytes and borrow nothing from the engine.

use std::fmt;
use std::num::NonZeroU64;

use bytes::Bytes;

use crate::fields::Fields;
use crate::http2::{ConnectionError, ErrorCode};

/// The number of a stream, unique within its connection (RFC 9113 section 5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which end of the connection did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// This end.
    Local,
    /// The other end.
    Remote,
}

/// What happened on a connection. Events come in the order in which the peer caused them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Streams can be opened. In HTTP/2, because the peer's first SETTINGS arrived: it speaks the
    /// protocol.
    Open,
    /// A request began (server).
    Request {
        /// The new stream.
        stream: StreamId,
        /// Its head; it has been checked by RFC 9113 section 8.3.1.
        head: RequestHead,
        /// No data and no trailers follow.
        end: bool,
    },
    /// An interim response, status 100 to 199 (client).
    Informational {
        /// The stream of the request.
        stream: StreamId,
        /// The interim head.
        head: ResponseHead,
    },
    /// The response began (client).
    Response {
        /// The stream of the request.
        stream: StreamId,
        /// Its head; it has been checked by RFC 9113 section 8.3.2.
        head: ResponseHead,
        /// No data and no trailers follow.
        end: bool,
    },
    /// A piece of the body.
    Data {
        /// The stream.
        stream: StreamId,
        /// The bytes, without padding.
        data: Bytes,
        /// Octets that count for flow control (padding included): give them back with
        /// [`Engine::release`](crate::http2::Engine::release) when the data was consumed.
        credit: u32,
        /// The body is complete and no trailers follow.
        end: bool,
    },
    /// The body is complete, and these fields follow it.
    Trailers {
        /// The stream.
        stream: StreamId,
        /// The trailer fields.
        fields: Fields,
    },
    /// The stream ended before its time, other than by the application's own
    /// [`Engine::reset`](crate::http2::Engine::reset). When the connection ends under a stream, the
    /// code is [`ErrorCode::ConnectError`]. `NO_ERROR` behind a complete response only says that
    /// the rest of the request is not wanted.
    Reset {
        /// The stream.
        stream: StreamId,
        /// The code that was received or sent.
        code: ErrorCode,
        /// Who ended it.
        by: Side,
        /// Why, for people.
        reason: &'static str,
        /// The peer provably did not act on the request: it is safe to send it again.
        unprocessed: bool,
    },
    /// A stream that had no room for data has some again.
    Writable {
        /// The stream.
        stream: StreamId,
    },
    /// The peer is going away: no stream can be opened any more, those in flight go on.
    Draining {
        /// Why.
        code: ErrorCode,
        /// What the peer said, escaped; at most 256 octets of it.
        debug: String,
    },
    /// The answer to [`Engine::ping`](crate::http2::Engine::ping).
    Pong {
        /// What was sent.
        payload: [u8; 8],
    },
    /// More streams can be opened, after it had failed for want of a slot or the peer changed its
    /// limit (client).
    Capacity {
        /// How many can be opened now.
        streams: usize,
    },
    /// The connection is over. The last event.
    Closed {
        /// What went wrong; `None` after an orderly end.
        error: Option<ConnectionError>,
    },
}

/// The head of a request: its pseudo-fields apart from the others.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// Method, scheme, authority, path and protocol, one behind the other.
    pseudo: Bytes,
    method_end: u32,
    scheme_end: u32,
    authority_end: u32,
    path_end: u32,
    has_authority: bool,
    has_path: bool,
    path_token: Option<NonZeroU64>,
    fields: Fields,
}

/// The parts of a request's first line, as they are needed to build a [`RequestHead`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// The method, e.g. `POST`.
    pub method: &'a [u8],
    /// The scheme, e.g. `https`; empty if none was given.
    pub scheme: &'a [u8],
    /// Host and port.
    pub authority: Option<&'a [u8]>,
    /// Path and query; `None` for a plain CONNECT.
    pub path: Option<&'a [u8]>,
    /// What an extended CONNECT asks for, e.g. `websocket` (RFC 8441 section 4).
    pub protocol: Option<&'a [u8]>,
}

impl RequestLine<'_> {
    /// The parts one behind the other, as [`RequestHead::from_parts`] takes them.
    pub(crate) fn concat(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.method);
        out.extend_from_slice(self.scheme);
        out.extend_from_slice(self.authority.unwrap_or_default());
        out.extend_from_slice(self.path.unwrap_or_default());
        out.extend_from_slice(self.protocol.unwrap_or_default());
    }
}

impl RequestHead {
    /// A head with the given line and regular fields.
    pub fn new(line: RequestLine<'_>, path_token: Option<NonZeroU64>, fields: Fields) -> Self {
        let mut pseudo = Vec::new();
        line.concat(&mut pseudo);
        Self::from_parts(pseudo.into(), line, path_token, fields)
    }

    /// A head whose pseudo-fields were concatenated (and perhaps shared) by the caller.
    pub(crate) fn from_parts(
        pseudo: Bytes,
        line: RequestLine<'_>,
        path_token: Option<NonZeroU64>,
        fields: Fields,
    ) -> Self {
        let method_end = line.method.len();
        let scheme_end = method_end + line.scheme.len();
        let authority_end = scheme_end + line.authority.map_or(0, <[u8]>::len);
        let path_end = authority_end + line.path.map_or(0, <[u8]>::len);
        Self {
            pseudo,
            path_end: path_end as u32,
            method_end: method_end as u32,
            scheme_end: scheme_end as u32,
            authority_end: authority_end as u32,
            has_authority: line.authority.is_some(),
            has_path: line.path.is_some(),
            path_token,
            fields,
        }
    }

    /// The method, e.g. `POST`.
    pub fn method(&self) -> &[u8] {
        &self.pseudo[..self.method_end as usize]
    }

    /// The scheme, e.g. `https`; empty if none was given (CONNECT).
    pub fn scheme(&self) -> &[u8] {
        &self.pseudo[self.method_end as usize..self.scheme_end as usize]
    }

    /// Host and port, if given.
    pub fn authority(&self) -> Option<&[u8]> {
        self.has_authority
            .then(|| &self.pseudo[self.scheme_end as usize..self.authority_end as usize])
    }

    /// Path and query; empty for a plain CONNECT.
    pub fn path(&self) -> &[u8] {
        &self.pseudo[self.authority_end as usize..self.path_end as usize]
    }

    /// What an extended CONNECT asks for, e.g. `websocket`.
    pub fn protocol(&self) -> Option<&[u8]> {
        let protocol = &self.pseudo[self.path_end as usize..];
        (!protocol.is_empty()).then_some(protocol)
    }

    /// Whether there is a path; only a plain CONNECT has none.
    pub fn has_path(&self) -> bool {
        self.has_path
    }

    /// Identity of the header-table entry that the path came from: on one connection, same token,
    /// same bytes.
    pub fn path_token(&self) -> Option<NonZeroU64> {
        self.path_token
    }

    /// The regular fields.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The regular fields, taken out.
    pub fn into_fields(self) -> Fields {
        self.fields
    }
}

impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method().escape_ascii().to_string())
            .field("scheme", &self.scheme().escape_ascii().to_string())
            .field(
                "authority",
                &self.authority().map(|authority| authority.escape_ascii().to_string()),
            )
            .field("path", &self.path().escape_ascii().to_string())
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// The head of a response: its status apart from the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    status: u16,
    fields: Fields,
}

impl ResponseHead {
    /// A head with the given status and regular fields.
    pub fn new(status: u16, fields: Fields) -> Self {
        Self { status, fields }
    }

    /// The status, 100 to 999.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The regular fields.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The regular fields, taken out.
    pub fn into_fields(self) -> Fields {
        self.fields
    }
}
