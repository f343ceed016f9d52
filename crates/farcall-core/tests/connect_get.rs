//! Connect's unary calls by GET: the Connect Protocol Reference, "Unary-Get-Request".

mod heads;
mod note;

use bytes::Bytes;
use farcall_core::{
    CallHead, Code, Encoding, Limits, Metadata, Protocol, Refusal, ServerExchange, Status,
};
use farcall_wire::event::{RequestHead, RequestLine};
use heads::{head, refused, text};
use note::{CHAT, FOLLOW, Note, READ, TAKE};

const PROTO: (&str, &str) = ("content-type", "application/proto");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Accepts a GET of the method that may be called so.
fn get(query: &str) -> Result<(ServerExchange, CallHead), Refusal> {
    let path = format!("{}?{query}", READ.path);
    ServerExchange::accept(head("GET", &path, &[]), Some(&READ), &Limits::default())
}

#[test]
fn c03_a_get_is_for_methods_without_side_effects() {
    for method in [&TAKE, &FOLLOW, &CHAT] {
        let path = format!("{}?connect=v1&encoding=json&message=%7B%7D", method.path);
        let refusal =
            ServerExchange::accept(head("GET", &path, &[]), Some(method), &Limits::default());
        let head = refusal.unwrap_err().head;
        assert_eq!((text(&head, ":status"), text(&head, "allow")), (Some("405"), Some("POST")));
    }
}

#[test]
fn a_gets_message_is_in_its_query_and_parameters_come_in_any_order() {
    let note = Note::text("Buf x/y");
    for query in [
        "connect=v1&encoding=json&message=%7B%22text%22%3A%22Buf%20x%2fy%22%7D",
        "message={%22text%22:%22Buf+x/y%22}&unknown=1&encoding=json",
        "base64=1&message=eyJ0ZXh0IjoiQnVmIHgveSJ9&encoding=json&connect=v1",
        "base64=1&message=CgdCdWYgeC95&encoding=proto",
        "base64=1&message=CgdCdWYgeC95&encoding=proto&compression=identity",
        "base64=0&message=%7B%22text%22%3A%22Buf%20x/y%22%7D&encoding=json&compression=",
        "base64=1&message=eyJ0ZXh0IjoiQnVmIHgveSJ9IA%3D%3d&encoding=json",
        "base64=1&message=eyJ0ZXh0IjoiQnVmIHgveSJ9IA&encoding=json",
    ] {
        let (mut exchange, call) = get(query).unwrap_or_else(|_| panic!("{query}"));
        assert_eq!(call.encoding, Encoding::Identity);
        assert!(exchange.is_ended());
        let message = exchange.only_message().unwrap().unwrap();
        assert_eq!(message.decode_request::<Note>(&Limits::default()).unwrap(), note, "{query}");
        assert!(exchange.only_message().unwrap().is_none());
    }
}

#[test]
fn a_gets_empty_message_is_not_decompressed() {
    let (mut exchange, call) = get("encoding=proto&base64=1&compression=gzip&message=").unwrap();
    assert_eq!(call.encoding, Encoding::Gzip);
    assert!(call.accept.contains(Encoding::Gzip), "who sends it can read it");
    let message = exchange.only_message().unwrap().unwrap();
    assert_eq!(message.decode_request::<Note>(&Limits::default()).unwrap(), Note::default());
}

#[test]
fn c04_a_gets_query_is_read_strictly_and_within_limits() {
    for (query, status, error) in [
        ("encoding=json", "400", "query parameter message is missing"),
        ("message=%7B%7D", "400", "query parameter encoding is missing"),
        ("connect=v2&encoding=json&message=%7B%7D", "400", "connect=\\\"v2\\\""),
        ("encoding=json&message=%7", "400", "broken percent-escape"),
        ("encoding=json&message=%zz", "400", "broken percent-escape"),
        ("encoding=proto&base64=1&message=A", "400", "not URL-safe Base64"),
        ("encoding=proto&base64=1&message=%2B%2B%2B%2B", "400", "not URL-safe Base64"),
        ("encoding=json&message=1&message=2", "400", "message\\\" stands twice"),
        ("encoding=proto&base64=1&compression=foo&message=", "501", "supported are"),
    ] {
        let (got, body) = refused(get(query));
        assert_eq!(got, status, "{query}");
        assert!(body.contains(error), "{query}: {body}");
    }
    assert_eq!(refused(get("encoding=xml&message=1")).0, "415");
    let limits = Limits { max_decompressed: 100, ..Limits::default() };
    let mut bomb = Vec::new();
    Encoding::Gzip.compress(&[0; 10_000], &mut bomb).unwrap();
    let line = RequestLine { method: b"POST", path: Some(b"/a.B/C"), ..RequestLine::default() };
    let fields = [PROTO, ("content-encoding", "gzip")].into_iter().collect();
    let (mut exchange, _) =
        ServerExchange::accept(RequestHead::new(line, None, fields), None, &limits).unwrap();
    exchange.receive(bomb.into(), true);
    let message = exchange.only_message().unwrap().unwrap();
    let status = message.decode_request::<Note>(&limits).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "C09");
}

#[test]
fn a_get_that_is_no_call_is_none() {
    for query in ["", "?", "?a=b", "?encoding=json", "?message=1", "?connect=v3"] {
        let head = head("GET", &format!("/page{query}"), &[]);
        assert_eq!(Protocol::of(&head), None, "{query}");
        let refusal = ServerExchange::accept(head, None, &Limits::default()).unwrap_err();
        assert_eq!(text(&refusal.head, ":status"), Some("404"));
    }
    for query in ["?connect=v1", "?encoding=json&message=1", "?message=&encoding="] {
        let head = head("GET", &format!("/a.B/C{query}"), &[]);
        assert_eq!(Protocol::of(&head), Some(Protocol::Connect), "{query}");
    }
}

#[test]
fn g13_only_a_gets_path_ends_at_the_query() {
    use farcall_core::method::call_path;
    assert_eq!(call_path(&head("GET", "/a.B/C?x", &[])), b"/a.B/C");
    assert_eq!(call_path(&head("GET", "/a.B/C", &[])), b"/a.B/C");
    assert_eq!(call_path(&head("POST", "/a.B/C?x", &[])), b"/a.B/C?x");
}

#[test]
fn the_answer_to_a_get_varies_with_what_the_client_accepts() {
    let (exchange, _) = get("connect=v1&encoding=json&message=%7B%7D").unwrap();
    let (dialect, none) = (exchange.dialect(), Metadata::new());
    let whole = dialect.whole(&none, Encoding::Identity, Bytes::new(), &none);
    assert_eq!(text(&whole.head, "vary"), Some("accept-encoding"));
    let failure = dialect.failure(&Status::not_found("x"), &none, &none);
    assert_eq!(text(&failure.head, "vary"), Some("accept-encoding"));
    let post = head("POST", TAKE.path, &[JSON]);
    let (exchange, _) = ServerExchange::accept(post, Some(&TAKE), &Limits::default()).unwrap();
    let whole = exchange.dialect().whole(&none, Encoding::Identity, Bytes::new(), &none);
    assert_eq!(text(&whole.head, "vary"), None);
}
