//! Malformed requests, and such that two readers understand in two ways: rows P01 to P11. Each one
//! stands between two good requests: the one before it is answered, the one behind it never is,
//! however the octets come in pieces.

mod http1_support;

use farcall_wire::Event;
use http1_support::{Echo, Raw, Story, all_splits};

const BEFORE: &str = "GET /before HTTP/1.1\r\nhost: a\r\n\r\n";
const BEHIND: &str = "GET /behind HTTP/1.1\r\nhost: a\r\n\r\n";

/// A head with the given fields behind the host.
fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nhost: a\r\n{fields}\r\n")
}

/// A request with content and the given fields behind the host.
fn post(fields: &str, content: &str) -> String {
    format!("POST / HTTP/1.1\r\nhost: a\r\n{fields}\r\n{content}")
}

fn chunked(content: &str) -> String {
    post("transfer-encoding: chunked\r\n", content)
}

/// The bad request is refused with `status` before its head is complete to the application, if
/// `head` is false, or within its content.
fn refuses(status: u16, head: bool, bad: &str) {
    let input = format!("{BEFORE}{bad}{BEHIND}");
    let mut first: Option<Story> = None;
    all_splits(input.as_bytes(), |pieces| {
        let story = Echo::tell(pieces.iter().copied());
        let context = || format!("{bad:?} in {} pieces: {story:#?}", pieces.len());
        let paths: Vec<&str> = story.answered.iter().map(|(_, path, _)| &**path).collect();
        assert_eq!(paths, ["/before"], "{}", context());
        assert!(story.closed, "{}", context());
        let good = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\nGET /before 0";
        let refusal = story.sent.strip_prefix(good).unwrap_or_else(|| panic!("{}", context()));
        assert!(refusal.starts_with(&format!("HTTP/1.1 {status} ")), "{}", context());
        let (fields, text) = refusal.split_once("\r\n\r\n").unwrap();
        assert!(fields.contains("\r\nconnection: close"), "{}", context());
        assert!(fields.contains("\r\ncontent-type: text/plain; charset=utf-8"), "{}", context());
        assert!(fields.contains(&format!("\r\ncontent-length: {}", text.len())), "{}", context());
        assert!(text.len() < 400 && text.is_ascii(), "{}", context());
        // Heads, the content that the answered one has, the refused one's reset, the end.
        assert_eq!(story.seen.len(), if head { 6 } else { 3 }, "{}", context());
        match &first {
            None => first = Some(story),
            Some(first) => assert_eq!(comparable(first), comparable(&story), "{}", context()),
        }
    });
}

/// A story without the pieces that depend on how it was told.
fn comparable(story: &Story) -> (&str, Vec<&String>) {
    (&story.sent, story.seen.iter().filter(|line| !line.starts_with("content")).collect())
}

fn all_refused(status: u16, bad: &[&str]) {
    for bad in bad {
        refuses(status, false, bad);
    }
}

#[test]
fn p01_transfer_encoding_is_chunked_once_and_alone() {
    let values = [
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "content-length: 0\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: gzip\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: chunked, gzip\r\n",
        "transfer-encoding: chunked, chunked\r\n",
        "transfer-encoding: chunked,\r\n",
        "transfer-encoding: ,chunked\r\n",
        "transfer-encoding: chunked;q=1\r\n",
        "transfer-encoding: \"chunked\"\r\n",
        "transfer-encoding: 'chunked'\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: chunkedx\r\n",
        "transfer-encoding: chunked-false\r\n",
        "transfer-encoding: chunk\r\n",
        "transfer-encoding: cow\r\n",
        "transfer-encoding:\r\n",
        "transfer-encoding: \u{a0}chunked\r\n",
    ];
    for value in values {
        refuses(400, false, &post(value, "5\r\nhello\r\n0\r\n\r\n"));
    }
    for (fields, content) in [
        ("transfer-encoding:\u{b}chunked\r\n", "0\r\n\r\n"),
        ("transfer-encoding: \u{c}chunked\r\n", "0\r\n\r\n"),
        ("transfer-encoding: chun\0ked\r\n", "0\r\n\r\n"),
        ("transfer-encoding : chunked\r\n", "0\r\n\r\n"),
        ("transfer-encoding\t: chunked\r\n", "0\r\n\r\n"),
        ("\u{b}transfer-encoding: chunked\r\n", "0\r\n\r\n"),
        (" transfer-encoding: chunked\r\n", "0\r\n\r\n"),
        ("x: y\rtransfer-encoding: chunked\r\n", "0\r\n\r\n"),
        ("x: y\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"),
        ("transfer-encoding:\r\n chunked\r\n", "0\r\n\r\n"),
        ("transfer\u{2d}encoding: chunked\0\r\n", "0\r\n\r\n"),
        ("transfer-encoding: chunked\u{7f}\r\n", "0\r\n\r\n"),
    ] {
        refuses(400, false, &post(fields, content));
    }
}

#[test]
fn p02_content_length_is_one_number() {
    let values = [
        "+1",
        "-1",
        "-0",
        "0x1",
        "1,1",
        "1, 1",
        "1 1",
        "1;1",
        "1.0",
        "1e1",
        "1_0",
        "a",
        "\"1\"",
        "0b1",
        "١",
        "1\t1",
        ",1",
        "1,",
        "",
        "18446744073709551616",
        "99999999999999999999999999999999999999",
        "\u{2079}",
        "one",
        "NaN",
        "1\0",
        "1\u{b}",
    ];
    for value in values {
        refuses(400, false, &post(&format!("content-length: {value}\r\n"), "x"));
    }
    for fields in [
        "content-length: 1\r\ncontent-length: 1\r\n",
        "content-length: 1\r\ncontent-length: 2\r\n",
        "content-length: 1\r\nContent-Length: 0\r\n",
        "content-length : 1\r\n",
        "content-length:\r\n 1\r\n",
        "content-length: 1\n",
    ] {
        refuses(400, false, &post(fields, "x"));
    }
}

#[test]
fn p03_chunk_sizes_are_digits_and_end_with_crlf() {
    let contents = [
        "x\r\n",
        "\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\t\r\nhello\r\n0\r\n\r\n",
        "5 a\r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello\rX0\r\n\r\n",
        "5\r\nhelloX\n0\r\n\r\n",
        "5\rXhello\r\n0\r\n\r\n",
        "5;a\rXhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "4\r\nhello\r\n0\r\n\r\n",
        "00000000000000005\r\nhello\r\n0\r\n\r\n",
        "10000000000000000\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nx",
        "5;a\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5;a=\0\r\nhello\r\n0\r\n\r\n",
        "5;\u{7f}\r\nhello\r\n0\r\n\r\n",
        "5,6\r\nhello\r\n0\r\n\r\n",
        "5\r\n\r\nhello\r\n0\r\n\r\n",
        "0\n\r\n",
        "0\r\r\n\r\n",
        ";a\r\nhello\r\n0\r\n\r\n",
        "5h\r\nhello\r\n0\r\n\r\n",
        "5\u{b}\r\nhello\r\n0\r\n\r\n",
    ];
    for content in contents {
        refuses(400, true, &chunked(content));
    }
}

#[test]
fn p03_chunk_extensions_are_bounded() {
    let long = "x".repeat(255);
    let story = Echo::tell([chunked(&format!("1;{long}\r\nx\r\n0\r\n\r\n")).as_bytes()]);
    assert_eq!(story.answered.len(), 1, "{story:?}");
    refuses(400, true, &chunked(&format!("1;{long}x\r\nx\r\n0\r\n\r\n")));
    let many = format!("1;{}\r\nx\r\n", "x".repeat(50)).repeat(6);
    refuses(400, true, &chunked(&format!("{many}0\r\n\r\n")));
}

#[test]
fn p04_http_1_0_has_no_transfer_encoding() {
    for host in ["", "host: a\r\n"] {
        let head = format!("POST / HTTP/1.0\r\n{host}transfer-encoding: chunked\r\n\r\n");
        refuses(400, false, &format!("{head}0\r\n\r\n"));
    }
}

#[test]
fn p05_fields_are_a_name_a_colon_and_a_value() {
    for fields in [
        "name : value\r\n",
        "name\t: value\r\n",
        ": value\r\n",
        " name: value\r\n",
        "\tname: value\r\n",
        "name\r\n",
        "na me: value\r\n",
        "na\0me: value\r\n",
        "name: val\0ue\r\n",
        "name: value\r\n folded\r\n",
        "name: value\r\n\tfolded\r\n",
        "name: val\rue\r\n",
        "name: value\r\r\n",
        "name: value\n",
        "name: value\n\r\n",
        "na\u{e4}me: value\r\n",
        "name: a\u{1b}[31m\r\n",
        "name: a\u{8}\r\n",
        "(name): value\r\n",
        "na@me: value\r\n",
        "na\"me: value\r\n",
        "name\u{7f}: value\r\n",
        "name;: value\r\n",
        "\rname: value\r\n",
        "name:\rvalue\r\n",
    ] {
        refuses(400, false, &get(fields));
    }
    all_refused(400, &["GET / HTTP/1.1\r\n host: a\r\n\r\n", "GET / HTTP/1.1\nhost: a\n\n"]);
}

#[test]
fn p05_request_lines_are_a_method_a_target_and_a_version() {
    let lines = [
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET /\tHTTP/1.1",
        "GET /",
        "GET",
        "GET / ",
        "/ HTTP/1.1",
        "G\0T / HTTP/1.1",
        "GET /\0 HTTP/1.1",
        "G@T / HTTP/1.1",
        "GET: / HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1",
        "GET / HTTP/11",
        "GET / HTTP/1.1x",
        "GET / HTTP/1.10",
        "GET / HTTP/ 1.1",
        "GET / HTTP/+1.1",
        "GET / HTTPS/1.1",
        "GET / SIP/2.0",
        "GET /a b HTTP/1.1",
        "GET /a\u{7f} HTTP/1.1",
        "GET /\u{e4} HTTP/1.1",
        "GET /#fragment HTTP/1.1",
        "GET /a\\b HTTP/1.1",
        "GET a HTTP/1.1",
        "GET * HTTP/1.1",
        "GET host:80 HTTP/1.1",
        "GET ftp://a/ HTTP/1.1",
        "GET http:// HTTP/1.1",
        "GET http:///path HTTP/1.1",
        "GET http://user@a/ HTTP/1.1",
        "GET http://u:p@a/ HTTP/1.1",
        "GET http:/a HTTP/1.1",
        "GET ?query HTTP/1.1",
        "GET //\u{1} HTTP/1.1",
        "OPTIONS ** HTTP/1.1",
        "G\u{c9}T / HTTP/1.1",
        "GET /<script> HTTP/1.1",
        "GET / HTTP/1.1\r",
        "GET\r/ HTTP/1.1",
    ];
    for line in lines {
        refuses(400, false, &format!("{line}\r\nhost: a\r\n\r\n"));
    }
}

#[test]
fn other_versions_and_methods_are_refused_as_what_they_are() {
    for version in ["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/3.0", "HTTP/9.9"] {
        refuses(505, false, &format!("GET / {version}\r\nhost: a\r\n\r\n"));
    }
    all_refused(505, &["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]);
    all_refused(
        501,
        &[
            "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n",
            "CONNECT / HTTP/1.1\r\nhost: a\r\n\r\n",
            "ABCDEFGHIJKLMNOPQRSTUVWXY / HTTP/1.1\r\nhost: a\r\n\r\n",
        ],
    );
    refuses(417, false, &post("content-length: 1\r\nexpect: a-miracle\r\n", "x"));
    refuses(417, false, &get("expect: 100-continue\r\nexpect: more\r\n"));
}

#[test]
fn p09_w09_an_upgrade_to_websocket_has_no_content() {
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    refuses(400, false, &post(&format!("{upgrade}content-length: 1\r\n"), "x"));
    refuses(400, false, &post(&format!("{upgrade}transfer-encoding: chunked\r\n"), "0\r\n\r\n"));
    refuses(400, false, &get("upgrade: a\r\nupgrade: b\r\nconnection: upgrade\r\n"));
}

#[test]
fn p10_there_is_one_host_and_it_is_valid() {
    all_refused(
        400,
        &[
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.0\r\nhost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a,b\r\nhost:\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: user@a\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a:x\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a:99999\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: [::1\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a?b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: http://a\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: \u{e4}\r\n\r\n",
            "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nho\0st: a\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nhost: b\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nhost: a:80\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nhost:\r\n\r\n",
            "GET http://a\\b/ HTTP/1.1\r\nhost: a\r\n\r\n",
        ],
    );
}

#[test]
fn p11_trailers_neither_frame_nor_route_and_are_fields() {
    for trailer in [
        "content-length: 5\r\n",
        "transfer-encoding: chunked\r\n",
        "host: b\r\n",
        "te: x\r\n",
        "connection: close\r\n",
        "upgrade: x\r\n",
        "trailer: x\r\n",
        "expect: 100-continue\r\n",
        "keep-alive: x\r\n",
        "name : value\r\n",
        " name: value\r\n",
        "name: value\n",
        "name\r\n",
        "na\0me: value\r\n",
        "name: val\rue\r\n",
        "a: b\r\n folded\r\n",
        "\rx: y\r\n",
        "\nx: y\r\n",
        "GET / HTTP/1.1\r\n",
    ] {
        refuses(400, true, &chunked(&format!("0\r\n{trailer}\r\n")));
    }
}

#[test]
fn only_one_empty_line_may_be_in_front_of_a_request() {
    all_refused(400, &["\r\n\r\n", "\n", "\r\n\n", "\r\r\n", "\n\r\n", "\r"]);
    let mut echo = Echo::new();
    echo.feed(format!("\r\n{BEFORE}\r\n{BEHIND}").as_bytes());
    assert_eq!(echo.end().answered.len(), 2);
}

#[test]
fn p06_no_value_of_the_application_splits_a_response() {
    for (name, value) in [
        ("x", "a\r\nset-cookie: b"),
        ("x", "a\nb"),
        ("x", "a\rb"),
        ("x", "a\0b"),
        ("x\r\ny", "z"),
        ("x y", "z"),
        ("x:", "y"),
        ("", "y"),
        ("content-length", "+1"),
        ("content-length", "1, 1"),
        ("x\n", "y"),
        ("x", "\u{1b}"),
    ] {
        let mut raw = Raw::server();
        let (stream, ..) = raw.request(http1_support::GOOD);
        let mut head = http1_support::ok();
        head.push("fine", "fine");
        head.push(name, value);
        assert!(raw.engine.send_head(stream, &head, true).is_err(), "{name:?}: {value:?}");
        raw.engine.done(stream);
        let sent = raw.sent();
        assert!(sent.starts_with("HTTP/1.1 500 Internal Server Error\r\n"), "{sent:?}");
        assert!(sent.contains("connection: close\r\n") && !sent.contains("fine"), "{sent:?}");
        assert!(raw.engine.is_closed());
        assert_eq!(sent.matches("HTTP/1.1").count(), 1);
        let events = raw.events();
        assert!(matches!(events[..], [Event::Closed { error: Some(_) }]), "{events:?}");
    }
}

#[test]
fn p06_no_status_of_the_application_is_anything_else() {
    for status in ["", "20", "2000", "099", "+20", "2 0", "abc", "200 OK\r\nx: y"] {
        let mut raw = Raw::server();
        let (stream, ..) = raw.request(http1_support::GOOD);
        let head = http1_support::fields(&[(":status", status)]);
        assert!(raw.engine.send_head(stream, &head, true).is_err(), "{status:?}");
        assert!(raw.sent().starts_with("HTTP/1.1 500 "));
    }
}

#[test]
fn p07_an_upgrade_to_http_2_is_ignored() {
    let mut raw = Raw::server();
    let (stream, head, end) = raw.request(&get(
        "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n",
    ));
    assert!(end && head.fields().is_empty(), "{head:?}");
    raw.answer(stream, "x");
    assert!(raw.sent().starts_with("HTTP/1.1 200 "));
    let (stream, ..) = raw.request(http1_support::GOOD);
    raw.answer(stream, "x");
}
