//! The page at `/`: tells whoever opens the port with something else than a call what it has found.

use bytes::Bytes;
use farcall_core::Refusal;
use farcall_wire::event::RequestHead;
use farcall_wire::fields::Fields;

const TEXT: &str = "This port takes remote procedure calls: gRPC over HTTP/2.\n";

/// Whether the request is one for the page.
pub(crate) fn is_asked_for(head: &RequestHead) -> bool {
    head.path() == b"/" && matches!(head.method(), b"GET" | b"HEAD" | b"POST")
}

/// The page, without its text when the request was HEAD.
pub(crate) fn page(is_head: bool) -> Refusal {
    let mut head = Fields::new();
    head.push(b":status", b"200");
    head.push(b"content-type", b"text/plain; charset=utf-8");
    head.push(b"content-length", TEXT.len().to_string());
    Refusal { head, body: (!is_head).then(|| Bytes::from_static(TEXT.as_bytes())) }
}
