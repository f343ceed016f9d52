//! The client's side of Connect: the Connect Protocol Reference.

mod heads;
mod note;

use std::time::Duration;

use bytes::Bytes;
use farcall_core::{
    Cardinality, ClientExchange, Code, Codec, Dialect, Encoding, Limits, Metadata, Method, Next,
    Outgoing, Protocol, Status,
};
use farcall_wire::event::ResponseHead;
use heads::{envelope, gzip};
use note::{CHAT, FOLLOW, Note, TAKE};

const PROTO: (&str, &str) = ("content-type", "application/proto");
const JSON: (&str, &str) = ("content-type", "application/json");
const STREAM: (&str, &str) = ("content-type", "application/connect+proto");

fn exchange(method: &Method, codec: Codec) -> ClientExchange {
    let many = method.kind.streams_replies();
    let replies = if many { Cardinality::Many } else { Cardinality::One };
    let dialect = Dialect::for_call(Protocol::Connect, codec, method);
    ClientExchange::new(dialect, replies, &Limits::default())
}

fn head(status: u16, fields: &[(&str, &str)]) -> ResponseHead {
    ResponseHead::new(status, fields.iter().copied().collect())
}

/// The outcome of a call of `method` that was answered with this.
fn outcome(
    method: &Method,
    status: u16,
    fields: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Metadata, Status> {
    let mut exchange = exchange(method, Codec::Proto);
    let _ = exchange.receive_head(head(status, fields), false);
    exchange.receive(body.into(), false);
    exchange.receive(Bytes::new(), true);
    while let Ok(Next::Message(_)) = exchange.next_message() {}
    exchange.into_outcome().unwrap()
}

fn request(method: &Method, codec: Codec, metadata: &Metadata) -> Vec<(String, String)> {
    let call = Outgoing {
        path: method.path,
        authority: "localhost",
        scheme: "https",
        metadata,
        timeout: Some(Duration::from_micros(1500)),
        encoding: Encoding::Gzip,
        get: None,
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let fields = exchange(method, codec).request_head(&call);
    fields.iter().map(|field| (text(field.name), text(field.value))).collect()
}

#[test]
fn a_unary_request_is_a_post_with_http_content_codings() {
    let mut metadata = Metadata::new();
    metadata.append("tenant", "acme").unwrap();
    let accepted =
        if cfg!(feature = "compression") { "zstd,gzip,br,deflate,snappy" } else { "gzip" };
    let agent = concat!("connect-rust-farcall/", env!("CARGO_PKG_VERSION"));
    let expected = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", "/farcall.test.Notes/Take"),
        (":authority", "localhost"),
        ("connect-timeout-ms", "2"),
        JSON,
        ("connect-protocol-version", "1"),
        ("content-encoding", "gzip"),
        ("accept-encoding", accepted),
        ("user-agent", agent),
        ("tenant", "acme"),
    ];
    assert_eq!(
        request(&TAKE, Codec::Json, &metadata),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn a_streaming_request_has_content_codings_of_its_own() {
    let fields = request(&CHAT, Codec::Json, &Metadata::new());
    let has = |name: &str, value: &str| {
        fields.iter().any(|field| field.0 == name && field.1.contains(value))
    };
    assert!(has("content-type", "application/connect+json"));
    assert!(has("connect-content-encoding", "gzip") && has("connect-accept-encoding", "gzip"));
    assert!(!has("content-encoding", "") && !has("accept-encoding", ""));
}

#[test]
fn a_timeout_that_ten_digits_do_not_hold_is_left_out() {
    for (timeout, text) in [
        (Duration::ZERO, Some("1")),
        (Duration::from_millis(9_999_999_999), Some("9999999999")),
        (Duration::from_secs(10_000_000), None),
        (Duration::MAX, None),
    ] {
        let metadata = Metadata::new();
        let fields = exchange(&TAKE, Codec::Proto).request_head(&Outgoing {
            path: TAKE.path,
            authority: "localhost",
            scheme: "http",
            metadata: &metadata,
            timeout: Some(timeout),
            encoding: Encoding::Identity,
            get: None,
        });
        assert_eq!(fields.get("connect-timeout-ms"), text.map(str::as_bytes));
    }
}

#[test]
fn a_get_orders_its_parameters_as_the_specification_does() {
    let path = |codec, encoding, message: &'static [u8]| {
        let (metadata, message) = (Metadata::new(), Bytes::from_static(message));
        let fields = exchange(&TAKE, codec).request_head(&Outgoing {
            path: TAKE.path,
            authority: "localhost",
            scheme: "http",
            metadata: &metadata,
            timeout: None,
            encoding,
            get: Some(&message),
        });
        String::from_utf8(fields.get(":path").unwrap().to_vec()).unwrap()
    };
    let base = "/farcall.test.Notes/Take?connect=v1";
    assert_eq!(
        path(Codec::Json, Encoding::Identity, br#"{"text":"a b"}"#),
        format!("{base}&encoding=json&message=%7B%22text%22%3A%22a%20b%22%7D")
    );
    assert_eq!(
        path(Codec::Proto, Encoding::Identity, &[0xff, 0xfe, 0xfd, 0xfc]),
        format!("{base}&base64=1&encoding=proto&message=__79_A")
    );
    assert_eq!(
        path(Codec::Json, Encoding::Gzip, &[0xff]),
        format!("{base}&base64=1&compression=gzip&encoding=json&message=_w")
    );
}

#[test]
fn trailing_metadata_of_a_unary_reply_loses_its_prefix() {
    let mut exchange = exchange(&TAKE, Codec::Proto);
    let fields = [
        PROTO,
        ("shard", "7"),
        ("trailer-cost", "1"),
        ("trailer-raw-bin", "/w"),
        ("trailer-cost", "2"),
        ("trailer-connect-secret", "x"),
    ];
    let leading = exchange.receive_head(head(200, &fields), false).unwrap().unwrap();
    assert_eq!(leading.iter().count(), 1);
    assert!(exchange.outcome().is_none(), "the body is not complete");
    exchange.receive(Bytes::new(), true);
    let note: Note =
        exchange.only_message().unwrap().unwrap().decode_reply(&Limits::default()).unwrap();
    assert_eq!(note, Note::default());
    let trailing = exchange.into_outcome().unwrap().unwrap();
    assert_eq!(trailing.get_all("cost").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(trailing.get_bin("raw-bin"), Some(vec![255]));
    assert_eq!(trailing.len(), 3, "names of the protocol are out of sight");
}

#[test]
fn an_empty_body_is_not_decompressed() {
    let mut exchange = exchange(&TAKE, Codec::Proto);
    exchange.receive_head(head(200, &[PROTO, ("content-encoding", "gzip")]), true).unwrap();
    let message = exchange.only_message().unwrap().unwrap();
    assert_eq!(message.decode_reply::<Note>(&Limits::default()).unwrap(), Note::default());
}

#[test]
fn an_error_is_read_from_its_json() {
    let body = r#"{"code":"out_of_range","message":"oops","foobar":"baz","details":[
        {"type":"farcall.test.Note","value":"CgVoZWxsbw","frob":"nitz","debug":"garbage"},
        {"type":"farcall.test.Note"}, "no detail"]}"#;
    for (fields, body) in [
        (&[JSON, ("trailer-cost", "3")][..], body.as_bytes().to_vec()),
        (
            &[
                ("content-type", "application/json; charset=utf-8"),
                ("content-encoding", "gzip"),
                ("trailer-cost", "3"),
            ],
            gzip(body.as_bytes()),
        ),
    ] {
        let status = outcome(&TAKE, 422, fields, body).unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::OutOfRange, "oops"));
        assert_eq!(status.details().len(), 1);
        assert_eq!(status.details()[0].type_url, "type.googleapis.com/farcall.test.Note");
        assert_eq!(status.detail::<Note>(), Some(Note::text("hello")));
        assert_eq!(status.metadata().get("cost"), Some("3"));
    }
}

#[test]
fn an_error_without_a_code_has_that_of_its_http_status() {
    for (status, body, message) in [
        (401, "null", None),
        (401, "", None),
        (401, "[]", None),
        (401, "{", None),
        (401, "<html>", None),
        (401, r#"{"code":null,"message":"oops"}"#, Some("oops")),
        (401, r#"{"message":"oops"}"#, Some("oops")),
        (401, r#"{"code":"foobar","message":"oops"}"#, Some("oops")),
        (401, "{}", Some("")),
    ] {
        let failure = outcome(&TAKE, status, &[JSON], body).unwrap_err();
        assert_eq!(failure.code(), Code::Unauthenticated, "{body}");
        match message {
            Some(message) => assert_eq!(failure.message(), message),
            None => assert!(failure.message().contains("HTTP status 401"), "{failure}"),
        }
    }
}

#[test]
fn an_http_status_without_an_error_is_mapped_to_a_code() {
    for (http, code) in [
        (400, Code::Internal),
        (401, Code::Unauthenticated),
        (403, Code::PermissionDenied),
        (404, Code::Unimplemented),
        (408, Code::Unknown),
        (418, Code::Unknown),
        (429, Code::Unavailable),
        (500, Code::Unknown),
        (502, Code::Unavailable),
        (503, Code::Unavailable),
        (504, Code::Unavailable),
        (304, Code::Unknown),
        (800, Code::Unknown),
    ] {
        for method in [&TAKE, &FOLLOW] {
            for fields in [&[][..], &[PROTO], &[("content-type", "text/html")], &[STREAM]] {
                let status = outcome(method, http, fields, "").unwrap_err();
                assert_eq!(status.code(), code, "{http} {fields:?}");
                assert!(status.message().contains(&http.to_string()), "{status}");
            }
        }
    }
}

#[test]
fn the_content_type_of_a_reply_is_that_of_the_request() {
    for (method, content_type, code) in [
        (&TAKE, "image/jpeg", Code::Unknown),
        (&TAKE, "", Code::Unknown),
        (&TAKE, "application/json", Code::Internal),
        (&TAKE, "application/connect+proto", Code::Internal),
        (&TAKE, "application/grpc", Code::Internal),
        (&FOLLOW, "application/connect+json", Code::Internal),
        (&FOLLOW, "application/connect+foo", Code::Internal),
        (&FOLLOW, "application/proto", Code::Unknown),
        (&FOLLOW, "text/html", Code::Unknown),
    ] {
        let status = outcome(method, 200, &[("content-type", content_type)], "").unwrap_err();
        assert_eq!(status.code(), code, "{content_type}");
    }
}

#[test]
fn an_unexpected_compression_is_internal() {
    let coding = ("content-encoding", "foo");
    assert_eq!(outcome(&TAKE, 200, &[PROTO, coding], "").unwrap_err().code(), Code::Internal);
    assert_eq!(outcome(&TAKE, 404, &[JSON, coding], "").unwrap_err().code(), Code::Internal);
    let coding = ("connect-content-encoding", "foo");
    assert_eq!(outcome(&FOLLOW, 200, &[STREAM, coding], "").unwrap_err().code(), Code::Internal);
    let body = [envelope(1, b"x"), envelope(2, b"{}")].concat();
    let coding = ("connect-content-encoding", "identity");
    assert_eq!(outcome(&FOLLOW, 200, &[STREAM, coding], body).unwrap_err().code(), Code::Internal);
}

#[test]
fn a_stream_ends_well_with_an_end_that_names_no_error() {
    for end in
        ["{}", r#"{"error":null}"#, r#"{"metadata":null,"other":[1]}"#, "{ \"metadata\":{} }"]
    {
        let body = [envelope(0, b""), envelope(2, end.as_bytes())].concat();
        assert!(outcome(&FOLLOW, 200, &[STREAM], body).is_ok(), "{end}");
    }
    let end = r#"{"metadata":{"Cost":["1","2"],"raw-bin":["/w"],"connect-x":["1"]}}"#;
    let trailing = outcome(&FOLLOW, 200, &[STREAM], envelope(2, end.as_bytes())).unwrap();
    assert_eq!(trailing.get_all("cost").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(trailing.get_bin("raw-bin"), Some(vec![255]));
    assert_eq!(trailing.len(), 3);
}

#[test]
fn a_stream_ends_badly_with_an_end_that_names_an_error() {
    for (end, code, message) in [
        (r#"{"error":{"code":"out_of_range","message":"oops","x":1}}"#, Code::OutOfRange, "oops"),
        (r#"{"error":{"code":"unauthenticated"}}"#, Code::Unauthenticated, ""),
        (r#"{"error":{"code":null,"message":"oops"}}"#, Code::Unknown, "oops"),
        (r#"{"error":{"message":"oops"}}"#, Code::Unknown, "oops"),
        (r#"{"error":{"code":"foobar","message":"oops"}}"#, Code::Unknown, "oops"),
        (r#"{"error":{}}"#, Code::Unknown, ""),
    ] {
        let status = outcome(&FOLLOW, 200, &[STREAM], envelope(2, end.as_bytes())).unwrap_err();
        assert_eq!((status.code(), status.message()), (code, message), "{end}");
    }
    let end = r#"{"error":{"code":"aborted"},"metadata":{"cost":["3"]}}"#;
    let fields = [STREAM, ("connect-content-encoding", "gzip")];
    let body = envelope(3, &gzip(end.as_bytes()));
    let status = outcome(&FOLLOW, 200, &fields, body).unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    assert_eq!(status.metadata().get("cost"), Some("3"));
}

#[test]
fn c07_an_end_that_is_missing_doubled_too_large_or_unreadable_is_internal() {
    let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(16 * 1024));
    let bomb = gzip(&vec![b' '; 1024 * 1024]);
    let many: Vec<_> = (0..101).map(|n| format!("\"a{n}\":[\"\"]")).collect();
    let many = format!("{{\"metadata\":{{{}}}}}", many.join(","));
    for (body, what) in [
        (vec![], "missing"),
        (envelope(0, b""), "missing"),
        (envelope(2, b"{}")[..5].to_vec(), "cut"),
        (envelope(2, b"{}")[..6].to_vec(), "cut"),
        ([envelope(2, b"{}"), envelope(2, b"{}")].concat(), "doubled"),
        ([envelope(2, b"{}"), envelope(0, b"")].concat(), "followed by a message"),
        ([envelope(2, b"{}"), vec![0]].concat(), "followed by a byte"),
        (envelope(2, large.as_bytes()), "too large"),
        (envelope(2, b""), "empty"),
        (envelope(2, b"{"), "no JSON"),
        (envelope(2, b"null"), "no object"),
        (envelope(2, br#"{"error":"x"}"#), "an error that is no object"),
        (envelope(2, br#"{"metadata":{"a":"b"}}"#), "metadata without a list"),
        (envelope(2, br#"{"metadata":{"a":[1]}}"#), "metadata that is no text"),
        (envelope(2, many.as_bytes()), "too much metadata"),
        (envelope(2, br#"{"metadata":{"a b":["c"]}}"#), "a name that is none"),
        (envelope(2, br#"{"metadata":{"a":["b\r\nc: d"]}}"#), "a value that is two fields"),
        (envelope(2, "[".repeat(1000).as_bytes()), "too deep"),
        (envelope(3, b"{}"), "compressed without a compression"),
        (envelope(6, b"{}"), "an unknown flag"),
    ] {
        let status = outcome(&FOLLOW, 200, &[STREAM], body).unwrap_err();
        assert_eq!(status.code(), Code::Internal, "{what}: {status}");
    }
    let fields = [STREAM, ("connect-content-encoding", "gzip")];
    let status = outcome(&FOLLOW, 200, &fields, envelope(3, &bomb)).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "a bomb");
}

#[test]
fn an_error_body_above_its_limit_is_not_read() {
    let mut exchange = exchange(&TAKE, Codec::Proto);
    exchange.receive_head(head(503, &[JSON]), false).unwrap();
    for _ in 0..100 {
        exchange.receive(Bytes::from(vec![b' '; 1024 * 1024]), false);
        assert!(exchange.only_message().unwrap().is_none());
    }
    exchange.receive(Bytes::new(), true);
    assert_eq!(exchange.only_message().unwrap_err().code(), Code::Unavailable);
    let bomb = gzip(&vec![b' '; 1024 * 1024]);
    let status = outcome(&TAKE, 503, &[JSON, ("content-encoding", "gzip")], bomb).unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}

#[test]
fn a_reply_above_the_limit_is_refused() {
    let limits = Limits { max_receive_message: 10, ..Limits::default() };
    let dialect = Dialect::for_call(Protocol::Connect, Codec::Proto, &TAKE);
    let mut exchange = ClientExchange::new(dialect, Cardinality::One, &limits);
    exchange.receive_head(head(200, &[PROTO]), false).unwrap();
    exchange.receive(Bytes::from_static(&[0; 11]), false);
    assert_eq!(exchange.only_message().unwrap_err().code(), Code::ResourceExhausted);
}

#[test]
fn a_reply_of_one_has_exactly_one() {
    for (body, messages) in [
        (envelope(2, br#"{"code":"out_of_range","message":"oops"}"#), 0),
        ([envelope(0, b""), envelope(0, b""), envelope(2, b"{}")].concat(), 2),
    ] {
        let dialect = Dialect::for_call(Protocol::Connect, Codec::Proto, &note::COLLECT);
        let mut exchange = ClientExchange::new(dialect, Cardinality::One, &Limits::default());
        exchange.receive_head(head(200, &[STREAM]), false).unwrap();
        exchange.receive(body.into(), true);
        let status = exchange.only_message().unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{messages} messages");
    }
}

#[test]
fn an_end_counts_though_the_stream_is_reset_behind_it() {
    let mut exchange = exchange(&FOLLOW, Codec::Proto);
    exchange.receive_head(head(200, &[STREAM]), false).unwrap();
    exchange.receive(envelope(2, br#"{"error":{"code":"aborted"}}"#).into(), false);
    exchange.receive_reset(0);
    assert_eq!(exchange.into_outcome().unwrap().unwrap_err().code(), Code::Aborted);
    let mut exchange = self::exchange(&FOLLOW, Codec::Proto);
    exchange.receive_head(head(200, &[STREAM]), false).unwrap();
    exchange.receive(envelope(0, b"").into(), false);
    exchange.receive_reset(8);
    assert_eq!(exchange.into_outcome().unwrap().unwrap_err().code(), Code::Cancelled);
}

#[test]
fn trailers_of_http_say_nothing() {
    let mut exchange = exchange(&FOLLOW, Codec::Proto);
    exchange.receive_head(head(200, &[STREAM]), false).unwrap();
    exchange.receive(envelope(2, b"{}").into(), false);
    exchange.receive_trailers([("grpc-status", "5")].into_iter().collect());
    assert!(exchange.into_outcome().unwrap().is_ok());
    let mut exchange = self::exchange(&TAKE, Codec::Proto);
    exchange.receive_head(head(200, &[PROTO]), false).unwrap();
    exchange.receive_trailers([("grpc-status", "5")].into_iter().collect());
    assert!(exchange.into_outcome().unwrap().is_ok());
}
