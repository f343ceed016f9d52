//! Which pages' scripts may call, and what a browser has to be told for that: the CORS protocol of the Fetch standard.
//!
//! Never allows cookies and other credentials of the browser: a call says who it is from in its metadata.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use farcall_wire::event::RequestHead;
use farcall_wire::fields::Fields;

use crate::call::Refusal;

/// Fields that tell a script about a reply, beside those that are there.
const ALWAYS_EXPOSED: [&[u8]; 3] = [b"grpc-status", b"grpc-message", b"grpc-status-details-bin"];

/// The verbs that calls are made by.
const METHODS: &str = "GET, POST";

/// Origins of pages whose scripts may call: none unless said otherwise.
#[derive(Clone, Debug)]
pub struct Cors {
    origins: Vec<String>,
    any: bool,
    max_age: Duration,
}

impl Default for Cors {
    fn default() -> Self {
        // Two hours are the most that all browsers keep.
        Self { origins: Vec::new(), any: false, max_age: Duration::from_hours(2) }
    }
}

impl Cors {
    /// No origin is allowed: scripts of other pages cannot call.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows the pages of one origin: `https://app.example.com`, with a port unless it is the scheme's own, and without a
    /// slash at the end. It is compared as it is.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Allows the pages of every origin, but for those that hide theirs. For services that anybody may call.
    #[must_use]
    pub fn allow_any_origin(mut self) -> Self {
        self.any = true;
        self
    }

    /// How long a browser may keep what a preflight said. Default: two hours.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Whether no origin is allowed.
    pub fn is_closed(&self) -> bool {
        !self.any && self.origins.is_empty()
    }

    /// Whether scripts of that origin may call. The origin `null`, which stands for pages that hide theirs, never may: any
    /// page can make itself one.
    pub fn allows(&self, origin: &[u8]) -> bool {
        if origin.is_empty() || origin.eq_ignore_ascii_case(b"null") {
            return false;
        }
        self.any || self.origins.iter().any(|allowed| allowed.as_bytes() == origin)
    }

    /// The answer to the question that a browser asks before a script's request; none when the request is no such
    /// question. An origin that is not allowed gets an answer that allows nothing.
    pub fn preflight(&self, head: &RequestHead) -> Option<Refusal> {
        let fields = head.fields();
        if head.method() != b"OPTIONS" {
            return None;
        }
        let origin = fields.get("origin")?;
        fields.get("access-control-request-method")?;
        let mut answer = Fields::new();
        answer.push(":status", "204");
        answer
            .push("vary", "origin, access-control-request-method, access-control-request-headers");
        if self.allows(origin) {
            answer.push("access-control-allow-origin", origin);
            answer.push("access-control-allow-methods", METHODS);
            if let Some(names) = fields.get("access-control-request-headers") {
                answer.push("access-control-allow-headers", names);
            }
            answer.push("access-control-max-age", self.max_age.as_secs().to_string());
        }
        Some(Refusal { head: answer, body: None::<Bytes> })
    }

    /// Adds to the head of a reply what lets a script of `origin` read it, if that is allowed. Without an origin, and when
    /// none is allowed at all, the head stays as it is.
    pub fn decorate(&self, origin: Option<&[u8]>, head: &mut Cow<'static, Fields>) {
        if self.is_closed() {
            return;
        }
        let Some(origin) = origin.filter(|origin| self.allows(origin)) else {
            // A cache must not give this answer to a page that may read it.
            if origin.is_some() {
                head.to_mut().push("vary", "origin");
            }
            return;
        };
        let exposed = exposed(head);
        let head = head.to_mut();
        head.push("access-control-allow-origin", origin);
        head.push("access-control-expose-headers", exposed);
        head.push("vary", "origin");
    }
}

/// The names of all fields of a reply: a script sees no other.
fn exposed(head: &Fields) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::with_capacity(head.len() + ALWAYS_EXPOSED.len());
    let there = head.iter().map(|field| field.name).filter(|name| !name.starts_with(b":"));
    for name in there.chain(ALWAYS_EXPOSED) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(&b", "[..])
}
