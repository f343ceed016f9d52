//! A server's messages by the sections of RFC 9112 and RFC 9110.

mod http1_support;

use bytes::Bytes;
use farcall_wire::http1::{Config, Gone, Role, Scheme};
use farcall_wire::{Event, Fields, StreamId};
use http1_support::{Echo, GOOD, Raw, all_splits, fields, ok};

fn data(stream: StreamId, data: &'static str, end: bool) -> Event {
    let credit = u32::try_from(data.len()).unwrap();
    Event::Data { stream, data: Bytes::from_static(data.as_bytes()), credit, end }
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// What is sent of an answer with this head and these pieces of content to this request.
fn answered(request: &str, head: &[(&str, &str)], content: &[&'static str]) -> String {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(request);
    raw.engine.send_head(stream, &fields(head), content.is_empty()).unwrap();
    for (index, piece) in content.iter().enumerate() {
        raw.engine.send_data(stream, bytes(piece), index + 1 == content.len()).unwrap();
    }
    raw.engine.done(stream);
    raw.sent()
}

// RFC 9112 section 2 and 3: the request line

#[test]
fn s3_first_words_of_another_protocol_are_not_answered_and_end_the_connection() {
    for line in ["INVALID CONNECTION PREFACE\r\n\r\n", "USER a b\r\n\r\n"] {
        let mut raw = Raw::server();
        raw.bytes(line);
        assert_eq!((raw.sent().as_str(), raw.engine.is_closed()), ("", true), "{line}");
        let mut raw = Raw::server();
        let (stream, ..) = raw.request(GOOD);
        raw.answer(stream, "x");
        raw.sent();
        raw.bytes(line);
        assert!(raw.sent().starts_with("HTTP/1.1 400 "), "a client of HTTP/1.1 is told: {line}");
    }
}

#[test]
fn s3_a_request_without_content_is_one_event() {
    let mut raw = Raw::server();
    let (stream, head, end) =
        raw.request("GET /path?q=1 HTTP/1.1\r\nHost: a:80\r\nX-Name: \t value \t\r\n\r\n");
    assert_eq!((stream.0, end), (1, true));
    assert_eq!((head.method(), head.path()), (&b"GET"[..], &b"/path?q=1"[..]));
    assert_eq!((head.scheme(), head.authority()), (&b"http"[..], Some(&b"a:80"[..])));
    assert_eq!(head.fields(), &fields(&[("x-name", "value")]));
    raw.answer(stream, "hello");
    assert_eq!(raw.sent(), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    assert_eq!(raw.engine.active_streams(), 0);
}

#[test]
fn s3_2_the_forms_of_a_target() {
    let cases: [(&str, &str, &str); 10] = [
        ("GET /", "/", "a"),
        ("GET //x", "//x", "a"),
        ("GET /a/../b?c=%20&d={\"e\":1}|[]", "/a/../b?c=%20&d={\"e\":1}|[]", "a"),
        ("GET http://a/path?q", "/path?q", "a"),
        ("GET HTTPS://A/", "/", "A"),
        ("GET http://a", "/", "a"),
        ("GET http://a?q=1", "/?q=1", "a"),
        ("OPTIONS *", "*", "a"),
        ("OPTIONS http://a", "*", "a"),
        ("OPTIONS /x", "/x", "a"),
    ];
    for (line, path, authority) in cases {
        let mut raw = Raw::server();
        let (_, head, _) = raw.request(&format!("{line} HTTP/1.1\r\nhost: a\r\n\r\n"));
        assert_eq!(head.path(), path.as_bytes(), "{line}");
        assert_eq!(head.authority(), Some(authority.as_bytes()), "{line}");
    }
}

#[test]
fn s3_2_a_host_may_be_empty_or_missing_in_http_1_0() {
    for request in ["GET / HTTP/1.1\r\nhost:\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"] {
        let mut raw = Raw::server();
        assert_eq!(raw.request(request).1.authority(), None);
    }
}

#[test]
fn the_scheme_is_what_the_engine_was_told() {
    let config = Config { scheme: Scheme::Https, ..Config::default() };
    let mut raw = Raw::new(Role::Server, config);
    assert_eq!(raw.request(GOOD).1.scheme(), b"https");
}

#[test]
fn the_same_path_has_the_same_token_and_another_one_another() {
    let mut raw = Raw::server();
    let mut token = |path: &str| {
        let (stream, head, _) = raw.request(&format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"));
        raw.answer(stream, "");
        assert_eq!(head.path(), path.as_bytes());
        head.path_token()
    };
    let first = token("/a");
    assert!(first.is_some());
    assert_eq!(first, token("/a"));
    assert_ne!(first, token("/b"));
    assert_ne!(first, token("/a"), "its place was taken");
    let long = format!("/{}", "x".repeat(300));
    assert_eq!(token(&long), None);
}

// RFC 9110 section 7.6: the connection's own fields

#[test]
fn rfc9110_s7_6_1_fields_of_the_connection_are_not_the_application_s() {
    let mut raw = Raw::server();
    let (_, head, _) = raw.request(concat!(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\n",
        "X-Hop: 1\r\nProxy-Connection: close\r\nTE: gzip, trailers\r\nUpgrade: foo\r\nx-Kept: 1\r\n",
        "connection: content-length,TE\r\nContent-Length: 3\r\n\r\n"
    ));
    let expected = [("x-kept", "1"), ("content-length", "3"), ("te", "trailers")];
    assert_eq!(head.fields(), &fields(&expected));
    raw.bytes("abc");
    assert_eq!(raw.events(), [data(StreamId(1), "abc", true)]);
}

#[test]
fn connection_names_few_fields() {
    let mut raw = Raw::server();
    raw.bytes(format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: {}\r\n\r\n", "a,".repeat(17)));
    assert!(raw.sent().starts_with("HTTP/1.1 400 "));
}

// RFC 9112 section 6 and 7: content that comes

#[test]
fn s6_2_content_of_a_known_length() {
    let mut raw = Raw::server();
    let (stream, head, end) =
        raw.request("POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel");
    assert!(!end);
    assert_eq!(head.fields().get("content-length"), Some(&b"5"[..]));
    raw.bytes("loGET");
    assert_eq!(raw.events(), [data(stream, "hel", false), data(stream, "lo", true)]);
}

#[test]
fn s6_3_a_length_of_zero_is_no_content() {
    let mut raw = Raw::server();
    let request = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 000\r\n\r\n";
    assert!(raw.request(request).2);
}

#[test]
fn s7_1_chunks_that_come_together_are_one_event() {
    let mut raw = Raw::server();
    let (stream, head, end) = raw.request(concat!(
        "POST / HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
        "5\r\nhello\r\n0000000000000001;name=\"value\"\r\n,\r\n6 ;x\r\n world\r\n0;last\r\n\r\n"
    ));
    assert!(!end && head.fields().is_empty());
    assert_eq!(raw.events(), [data(stream, "hello, world", true)]);
}

#[test]
fn s7_1_2_trailers_come_behind_the_content() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(concat!(
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n",
        "A\r\n0123456789\r\n0\r\nSum: 1\r\nother:\r\n\r\n"
    ));
    let trailers = Event::Trailers { stream, fields: fields(&[("sum", "1"), ("other", "")]) };
    assert_eq!(raw.events(), [data(stream, "0123456789", false), trailers]);
}

#[test]
fn content_is_the_same_however_it_comes() {
    let input = concat!(
        "POST /1 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n",
        "5;ext\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nx: y\r\n\r\n",
        "\r\nPOST /2 HTTP/1.1\r\nhost: a\r\ncontent-length: 11\r\n\r\nhello world",
        "GET /3 HTTP/1.1\r\nhost: a\r\n\r\n"
    );
    let mut first = None;
    all_splits(input.as_bytes(), |pieces| {
        let story = Echo::tell(pieces.iter().copied());
        assert_eq!(story.answered.len(), 3, "{story:#?}");
        assert_eq!(story.answered[0].2, "hello world");
        assert_eq!(first.get_or_insert_with(|| story.clone()), &story);
    });
}

#[test]
fn large_content_is_not_copied() {
    let mut raw = Raw::server();
    let content = "x".repeat(8000);
    let request = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 8000\r\n\r\n{content}");
    let mut input = bytes::BytesMut::from(request.as_bytes());
    let place = input.as_ptr_range();
    raw.engine.receive(&mut input, raw.now);
    let events = raw.events();
    let [Event::Request { .. }, Event::Data { data, end: true, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(data, &content);
    assert!(place.contains(&data.as_ptr()), "a slice of the input");
}

// RFC 9112 section 6 and RFC 9110 section 6.4: content that goes

#[test]
fn s6_3_content_known_before_fill_has_a_length() {
    let sent = answered(GOOD, &[(":status", "200"), ("a", "b")], &["hello", ", ", "world"]);
    assert_eq!(sent, "HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 12\r\n\r\nhello, world");
    let sent = answered(GOOD, &[(":status", "404")], &[]);
    assert_eq!(sent, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    let sent = answered(GOOD, &[(":status", "299")], &[""]);
    assert_eq!(sent, "HTTP/1.1 299 \r\ncontent-length: 0\r\n\r\n");
}

#[test]
fn s7_1_content_that_goes_on_has_chunks() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    raw.engine.send_head(stream, &ok(), false).unwrap();
    raw.engine.send_data(stream, bytes("hello"), false).unwrap();
    assert_eq!(raw.sent(), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
    raw.engine.send_data(stream, bytes("sixteen octets.."), false).unwrap();
    raw.engine.send_data(stream, Bytes::new(), false).unwrap();
    raw.engine.send_data(stream, Bytes::new(), true).unwrap();
    assert_eq!(raw.engine.send_data(stream, bytes("x"), true), Err(Gone));
    assert_eq!(raw.engine.send_room(stream), 0);
    raw.engine.done(stream);
    assert_eq!(raw.sent(), "10\r\nsixteen octets..\r\n0\r\n\r\n");
}

#[test]
fn s7_1_2_trailers_go_with_chunks() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    raw.engine.send_head(stream, &ok(), false).unwrap();
    raw.engine.send_data(stream, bytes("hello"), false).unwrap();
    raw.engine.send_trailers(stream, &fields(&[("sum", "5"), ("a", "b")])).unwrap();
    raw.engine.done(stream);
    assert_eq!(
        raw.sent(),
        concat!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "5\r\nhello\r\n0\r\nsum: 5\r\na: b\r\n\r\n"
        )
    );
}

#[test]
fn trailers_without_fields_are_an_end() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    raw.engine.send_head(stream, &ok(), false).unwrap();
    raw.engine.send_data(stream, bytes("hello"), false).unwrap();
    raw.engine.send_trailers(stream, &Fields::new()).unwrap();
    assert_eq!(raw.sent(), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
}

#[test]
fn illegal_trailers_leave_the_content_incomplete() {
    for (name, value) in
        [("content-length", "5"), ("transfer-encoding", "x"), ("a", "b\r\nc: d"), ("a b", "c")]
    {
        let mut raw = Raw::server();
        let (stream, ..) = raw.request(GOOD);
        raw.engine.send_head(stream, &ok(), false).unwrap();
        raw.engine.send_data(stream, bytes("hello"), false).unwrap();
        assert!(raw.sent().ends_with("hello\r\n"));
        assert_eq!(raw.engine.send_trailers(stream, &fields(&[(name, value)])), Err(Gone));
        assert_eq!(raw.sent(), "");
        assert!(raw.engine.is_closed());
    }
}

#[test]
fn s6_2_the_application_s_content_length_is_kept_and_must_be_true() {
    let head = [(":status", "200"), ("content-length", "5")];
    let sent = answered(GOOD, &head, &["hel", "lo"]);
    assert_eq!(sent, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    for (content, end) in [("hello!", true), ("hello!", false), ("hell", true)] {
        let mut raw = Raw::server();
        let (stream, ..) = raw.request(GOOD);
        raw.engine.send_head(stream, &fields(&head), false).unwrap();
        assert_eq!(raw.engine.send_data(stream, bytes(content), end), Err(Gone));
        raw.engine.done(stream);
        assert!(raw.sent().starts_with("HTTP/1.1 500 "), "{content}");
        assert!(raw.engine.is_closed());
    }
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    assert_eq!(raw.engine.send_head(stream, &fields(&head), true), Err(Gone));
}

#[test]
fn rfc9110_s9_3_2_a_response_to_head_has_no_content() {
    let request = "HEAD / HTTP/1.1\r\nhost: a\r\n\r\n";
    let (ok, length) = ((":status", "200"), ("content-length", "7"));
    let without = "HTTP/1.1 200 OK\r\n\r\n";
    let with_seven = "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n";
    let with_five = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    assert_eq!(answered(request, &[ok], &["hello"]), with_five);
    assert_eq!(answered(request, &[ok, length], &["hello"]), with_seven);
    assert_eq!(answered(request, &[ok, length], &[]), with_seven);
    assert_eq!(answered(request, &[ok], &[]), without);
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(request);
    raw.engine.send_head(stream, &fields(&[ok]), false).unwrap();
    assert_eq!(raw.sent(), "HTTP/1.1 200 OK\r\n\r\n");
    raw.engine.send_data(stream, bytes("hello"), false).unwrap();
    raw.engine.send_trailers(stream, &fields(&[("a", "b")])).unwrap();
    raw.engine.done(stream);
    assert_eq!(raw.sent(), "");
    raw.request(GOOD);
}

#[test]
fn rfc9110_s6_4_1_statuses_without_content() {
    let cases: [(&[(&str, &str)], &str); 3] = [
        (&[(":status", "204"), ("content-length", "0")], "HTTP/1.1 204 No Content\r\n\r\n"),
        (&[(":status", "304")], "HTTP/1.1 304 Not Modified\r\n\r\n"),
        (
            &[(":status", "304"), ("content-length", "9")],
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
        ),
    ];
    for (head, expected) in cases {
        assert_eq!(answered(GOOD, head, &[]), expected);
        assert_eq!(answered(GOOD, head, &["dropped"]), expected);
    }
}

#[test]
fn fields_of_the_connection_are_the_engine_s_to_send() {
    let head = [
        (":status", "200"),
        ("connection", "x-hop"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("proxy-connection", "x"),
        ("host", "a"),
        ("date", "now"),
    ];
    let sent = answered(GOOD, &head, &["x"]);
    assert_eq!(sent, "HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 1\r\n\r\nx");
    let sent = answered(GOOD, &[(":status", "426"), ("upgrade", "foo")], &[]);
    assert_eq!(
        sent,
        "HTTP/1.1 426 Upgrade Required\r\nupgrade: foo\r\ncontent-length: 0\r\n\
         connection: upgrade\r\n\r\n"
    );
}

// RFC 9110 section 15.2 and 10.1.1: interim responses

#[test]
fn rfc9110_s15_2_interim_responses_come_first() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(GOOD);
    let hints = fields(&[(":status", "103"), ("link", "</a.css>")]);
    raw.engine.send_head(stream, &hints, false).unwrap();
    assert_eq!(raw.sent(), "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n");
    assert_eq!(raw.engine.send_data(stream, bytes("x"), true), Err(Gone));
    let switch = fields(&[(":status", "101"), ("upgrade", "x")]);
    assert_eq!(raw.engine.send_head(stream, &switch, false), Err(Gone));
    raw.answer(stream, "x");
    assert!(raw.sent().starts_with("HTTP/1.1 200 OK\r\n"));
}

const EXPECTS: &str =
    "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-Continue\r\ncontent-length: 5\r\n\r\n";

#[test]
fn rfc9110_s10_1_1_continue_is_said_at_fill() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(EXPECTS);
    assert_eq!(raw.sent(), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(raw.sent(), "");
    raw.bytes("hello");
    assert_eq!(raw.events(), [data(stream, "hello", true)]);
    raw.answer(stream, "x");
    assert!(raw.sent().starts_with("HTTP/1.1 200 "));
    raw.request(GOOD);
}

#[test]
fn rfc9110_s10_1_1_continue_is_said_once_and_not_in_vain() {
    let mut raw = Raw::server();
    raw.bytes(EXPECTS.to_owned() + "h");
    assert_eq!(raw.sent(), "", "the client does not wait");
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(EXPECTS);
    raw.engine.send_head(stream, &fields(&[(":status", "100")]), false).unwrap();
    assert_eq!(raw.sent(), "HTTP/1.1 100 Continue\r\n\r\n", "once");
    let mut raw = Raw::server();
    raw.request("POST / HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    assert_eq!(raw.sent(), "", "HTTP/1.0 knows no interim responses");
}

#[test]
fn rfc9110_s10_1_1_a_response_instead_of_continue_is_the_last() {
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(EXPECTS);
    raw.engine.send_head(stream, &fields(&[(":status", "413")]), true).unwrap();
    raw.engine.done(stream);
    assert_eq!(
        raw.sent(),
        "HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    assert!(raw.engine.is_closed());
    // The same, but the head leaves before all of the response is known.
    let mut raw = Raw::server();
    let (stream, ..) = raw.request(EXPECTS);
    raw.engine.send_head(stream, &ok(), false).unwrap();
    assert!(!raw.sent().contains(" 100 "));
    raw.engine.send_data(stream, bytes("no"), true).unwrap();
    raw.engine.done(stream);
    raw.sent();
    assert!(raw.engine.is_closed());
}
