//! Scripts of other pages: the CORS protocol of the Fetch standard.

mod heads;

use std::borrow::Cow;
use std::time::Duration;

use farcall_core::Cors;
use farcall_wire::event::{RequestHead, RequestLine};
use farcall_wire::fields::Fields;
use heads::text;

const APP: &str = "https://app.example.com";

fn listed() -> Cors {
    Cors::new().allow_origin(APP).allow_origin("http://localhost:3000")
}

fn question(origin: &str) -> Vec<(&str, &str)> {
    vec![
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,connect-protocol-version"),
    ]
}

fn head(verb: &str, fields: &[(&str, &str)]) -> RequestHead {
    let line =
        RequestLine { method: verb.as_bytes(), path: Some(b"/a.B/C"), ..RequestLine::default() };
    RequestHead::new(line, None, fields.iter().copied().collect())
}

fn decorated(cors: &Cors, origin: Option<&str>) -> Cow<'static, Fields> {
    let fields = [(":status", "200"), ("grpc-status", "0"), ("shard", "7"), ("shard", "8")];
    let mut head = Cow::Owned(fields.into_iter().collect());
    cors.decorate(origin.map(str::as_bytes), &mut head);
    head
}

#[test]
fn c06_nothing_is_allowed_unless_said() {
    let closed = Cors::new();
    assert!(closed.is_closed() && !closed.allows(APP.as_bytes()));
    let answer = closed.preflight(&head("OPTIONS", &question(APP))).unwrap();
    assert_eq!(text(&answer.head, ":status"), Some("204"));
    assert!(answer.head.iter().all(|field| !field.name.starts_with(b"access-control")));
    assert_eq!(decorated(&closed, Some(APP)).len(), 4);
}

#[test]
fn a_preflight_of_a_listed_origin_is_answered() {
    let cors = listed().max_age(Duration::from_mins(1));
    let answer = cors.preflight(&head("OPTIONS", &question(APP))).unwrap();
    assert_eq!(answer.body, None);
    for (name, value) in [
        (":status", "204"),
        ("access-control-allow-origin", APP),
        ("access-control-allow-methods", "GET, POST"),
        ("access-control-allow-headers", "content-type,connect-protocol-version"),
        ("access-control-max-age", "60"),
    ] {
        assert_eq!(text(&answer.head, name), Some(value));
    }
    assert!(text(&answer.head, "vary").unwrap().contains("origin"));
}

#[test]
fn what_is_no_preflight_is_left_alone() {
    let cors = listed();
    assert!(cors.preflight(&head("POST", &question(APP))).is_none());
    assert!(cors.preflight(&head("OPTIONS", &question(APP)[..1])).is_none());
    assert!(cors.preflight(&head("OPTIONS", &question(APP)[1..])).is_none());
}

#[test]
fn c06_an_origin_is_compared_exactly() {
    let cors = listed();
    assert!(cors.allows(APP.as_bytes()) && cors.allows(b"http://localhost:3000"));
    for origin in [
        "",
        "null",
        "NULL",
        "*",
        "https://app.example.com/",
        "https://app.example.com.evil.com",
        "https://evil.app.example.com",
        "http://app.example.com",
        "https://app.example.com:444",
        "HTTPS://APP.EXAMPLE.COM",
        "https://app.example.com,https://evil.com",
    ] {
        assert!(!cors.allows(origin.as_bytes()), "{origin}");
        let answer = cors.preflight(&head("OPTIONS", &question(origin))).unwrap();
        assert_eq!(text(&answer.head, "access-control-allow-origin"), None, "{origin}");
        let head = decorated(&cors, Some(origin));
        assert_eq!(text(&head, "access-control-allow-origin"), None);
        assert_eq!(text(&head, "vary"), Some("origin"));
    }
}

#[test]
fn c06_any_origin_is_echoed_and_null_is_not() {
    let cors = Cors::new().allow_any_origin();
    let head = decorated(&cors, Some("https://anybody.example"));
    assert_eq!(text(&head, "access-control-allow-origin"), Some("https://anybody.example"));
    assert!(head.get("access-control-allow-credentials").is_none());
    assert!(!cors.allows(b"null") && !cors.allows(b""));
}

#[test]
fn a_reply_tells_a_script_all_its_fields() {
    let head = decorated(&listed(), Some(APP));
    assert_eq!(text(&head, "access-control-allow-origin"), Some(APP));
    assert_eq!(
        text(&head, "access-control-expose-headers"),
        Some("grpc-status, shard, grpc-message, grpc-status-details-bin")
    );
    assert_eq!(text(&head, "vary"), Some("origin"));
}

#[test]
fn a_reply_to_no_page_costs_nothing() {
    assert_eq!(decorated(&listed(), None).len(), 4);
}
