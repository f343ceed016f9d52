//! The server's side of Connect: the Connect Protocol Reference.

mod heads;
mod note;

use std::time::Duration;

use bytes::Bytes;
use farcall_core::deadline::MAX_TIMEOUT;
use farcall_core::{
    Answer, CallHead, Cardinality, Code, Codec, Encoding, Limits, Metadata, Method, Next, Protocol,
    Refusal, Sender, ServerExchange, Status,
};
use heads::{head, refused, text};
use note::{CHAT, FOLLOW, Note, READ, TAKE};

const PROTO: (&str, &str) = ("content-type", "application/proto");
const JSON: (&str, &str) = ("content-type", "application/json");
const STREAM: (&str, &str) = ("content-type", "application/connect+proto");

fn accept(method: &Method, fields: &[(&str, &str)]) -> Result<(ServerExchange, CallHead), Refusal> {
    ServerExchange::accept(head("POST", method.path, fields), Some(method), &Limits::default())
}

fn body(answer: &Answer) -> &str {
    std::str::from_utf8(answer.body.as_ref().unwrap()).unwrap()
}

#[test]
fn content_types_tell_form_and_codec() {
    for (content_type, method, codec) in [
        ("application/proto", &TAKE, Codec::Proto),
        ("application/json", &TAKE, Codec::Json),
        ("application/json; charset=utf-8", &TAKE, Codec::Json),
        ("Application/JSON;charset=\"UTF-8\"", &TAKE, Codec::Json),
        ("application/connect+proto", &CHAT, Codec::Proto),
        ("application/connect+json", &CHAT, Codec::Json),
    ] {
        let head = head("POST", method.path, &[("content-type", content_type)]);
        assert_eq!(Protocol::of(&head), Some(Protocol::Connect), "{content_type}");
        let (exchange, _) = ServerExchange::accept(head, Some(method), &Limits::default()).unwrap();
        assert_eq!(exchange.dialect().protocol(), Protocol::Connect);
        assert_eq!(exchange.dialect().codec(), codec, "{content_type}");
        assert_eq!(exchange.dialect().is_bare(), method == &TAKE);
    }
}

#[test]
fn an_unsupported_codec_is_answered_with_415_and_what_is_taken() {
    for content_type in [
        "application/foo",
        "application/connect",
        "application/connect+foo",
        "application/json; charset=latin1",
        "image/jpeg",
        "",
    ] {
        let fields = [("content-type", content_type), ("connect-protocol-version", "1")];
        assert_eq!(Protocol::of(&head("POST", TAKE.path, &fields)), None, "{content_type}");
        for (method, listed) in [(&TAKE, "application/json"), (&CHAT, "application/connect+json")] {
            let Err(refusal) = accept(method, &fields) else { panic!("{content_type}") };
            assert_eq!(text(&refusal.head, ":status"), Some("415"));
            assert!(text(&refusal.head, "accept-post").unwrap().contains(listed));
        }
    }
}

#[test]
fn a_content_type_for_the_other_kind_of_method_is_answered_with_415() {
    assert_eq!(refused(accept(&CHAT, &[PROTO])).0, "415");
    assert_eq!(refused(accept(&FOLLOW, &[JSON])).0, "415");
    assert_eq!(refused(accept(&TAKE, &[STREAM])).0, "415");
}

#[test]
fn c05_what_a_browser_sends_to_strangers_is_no_call() {
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    {
        let fields = [("content-type", content_type)];
        assert_eq!(Protocol::of(&head("POST", TAKE.path, &fields)), None);
        assert_eq!(refused(accept(&TAKE, &fields)).0, "415");
    }
    assert_eq!(Protocol::of(&head("POST", TAKE.path, &[])), None);
    assert_eq!(refused(accept(&TAKE, &[])).0, "415");
}

#[test]
fn other_verbs_are_answered_with_405_and_what_is_allowed() {
    for verb in ["DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "post"] {
        for (method, allow) in [(&TAKE, "POST"), (&CHAT, "POST"), (&READ, "GET, POST")] {
            let refusal = ServerExchange::accept(
                head(verb, method.path, &[PROTO]),
                Some(method),
                &Limits::default(),
            );
            let head = refusal.unwrap_err().head;
            assert_eq!((text(&head, ":status"), text(&head, "allow")), (Some("405"), Some(allow)));
        }
    }
}

#[test]
fn what_is_neither_a_method_nor_a_call_is_answered_with_404() {
    for (verb, content_type) in
        [("DELETE", "application/json"), ("POST", "image/jpeg"), ("GET", "")]
    {
        let head = head(verb, "/nothing", &[("content-type", content_type)]);
        let refusal = ServerExchange::accept(head, None, &Limits::default());
        assert_eq!(refused(refusal).0, "404", "{verb}");
    }
}

#[test]
fn a_method_that_is_not_there_is_answered_with_404() {
    for fields in [[PROTO], [JSON]] {
        let (exchange, _) = ServerExchange::accept(
            head("POST", "/no.Such/Thing", &fields),
            None,
            &Limits::default(),
        )
        .unwrap();
        let (none, status) = (Metadata::new(), Status::unimplemented("no service no.Such here"));
        let answer = exchange.dialect().failure(&status, &none, &none);
        assert_eq!(text(&answer.head, ":status"), Some("404"));
        assert_eq!(
            body(&answer),
            r#"{"code":"unimplemented","message":"no service no.Such here"}"#
        );
    }
    let (exchange, _) = accept(&TAKE, &[PROTO]).unwrap();
    let (none, status) = (Metadata::new(), Status::unimplemented("not yet"));
    let answer = exchange.dialect().failure(&status, &none, &none);
    assert_eq!(text(&answer.head, ":status"), Some("501"), "a method that says so is there");
}

#[test]
fn timeout_is_up_to_ten_digits_of_milliseconds() {
    for method in [&TAKE, &CHAT] {
        let content_type = if method == &TAKE { PROTO } else { STREAM };
        for (value, timeout) in [
            ("1", Duration::from_millis(1)),
            ("0", Duration::ZERO),
            ("0000005000", Duration::from_secs(5)),
            ("9999999999", Duration::from_millis(9_999_999_999)),
        ] {
            let (_, call) = accept(method, &[content_type, ("connect-timeout-ms", value)]).unwrap();
            assert_eq!(call.timeout, Some(timeout));
            assert!(timeout <= MAX_TIMEOUT);
        }
        assert_eq!(accept(method, &[content_type]).unwrap().1.timeout, None);
    }
}

#[test]
fn c08_a_malformed_timeout_is_an_invalid_argument() {
    for value in ["", "12345678901", "-1", "+1", "1.5", "1s", " 1", "0x1", "\u{661}"] {
        let field = ("connect-timeout-ms", value);
        let (status, body) = refused(accept(&TAKE, &[JSON, field]));
        assert_eq!(status, "400", "{value}");
        assert!(body.starts_with(r#"{"code":"invalid_argument","message":"connect-timeout-ms"#));
        let (status, body) = refused(accept(&CHAT, &[STREAM, field]));
        assert_eq!(status, "200", "a stream's failure is in its end");
        assert!(body.contains(r#"{"error":{"code":"invalid_argument""#), "{body}");
    }
}

#[test]
fn the_protocol_version_is_1_and_may_be_left_out() {
    assert!(accept(&TAKE, &[JSON, ("connect-protocol-version", "1")]).is_ok());
    for version in ["2", "", "v1"] {
        let (status, body) = refused(accept(&TAKE, &[JSON, ("connect-protocol-version", version)]));
        assert_eq!(status, "400");
        assert!(body.contains("connect-protocol-version"), "{body}");
    }
}

#[test]
fn an_unsupported_compression_is_unimplemented_and_the_supported_ones_are_listed() {
    let accepted = "supported are ";
    let Err(refusal) = accept(&TAKE, &[PROTO, ("content-encoding", "foo")]) else { panic!() };
    assert_eq!(text(&refusal.head, ":status"), Some("501"));
    assert!(text(&refusal.head, "accept-encoding").unwrap().contains("gzip"));
    let body = String::from_utf8(refusal.body.unwrap().to_vec()).unwrap();
    assert!(body.contains(accepted) && body.contains("gzip"), "{body}");
    let (_, body) = refused(accept(&CHAT, &[STREAM, ("connect-content-encoding", "foo")]));
    assert!(body.contains("\"unimplemented\"") && body.contains(accepted), "{body}");
    let (_, body) = refused(accept(&CHAT, &[STREAM, ("content-encoding", "gzip")]));
    assert!(body.contains("\"unimplemented\""), "{body}");
    assert!(accept(&CHAT, &[STREAM, ("content-encoding", "identity")]).is_ok());
}

#[test]
fn accept_encoding_is_an_ordered_list_and_left_out_it_is_the_requests_own() {
    let of = |fields: &[(&str, &str)]| accept(&TAKE, &[&[PROTO], fields].concat()).unwrap().1;
    let call = of(&[("accept-encoding", "foo, gzip;q=1.0, *;q=0.5")]);
    assert_eq!(call.best_encoding(), Encoding::Gzip);
    assert_eq!(
        of(&[("accept-encoding", "gzip;q=0, identity")]).best_encoding(),
        Encoding::Identity
    );
    assert_eq!(of(&[]).best_encoding(), Encoding::Identity);
    assert_eq!(of(&[("content-encoding", "gzip")]).best_encoding(), Encoding::Gzip);
    let call = of(&[("content-encoding", "gzip"), ("accept-encoding", "identity")]);
    assert_eq!(call.best_encoding(), Encoding::Identity);
    let (_, call) =
        accept(&CHAT, &[STREAM, ("connect-accept-encoding", "gzip"), ("accept-encoding", "br")])
            .unwrap();
    assert_eq!(call.best_encoding(), Encoding::Gzip);
    assert_eq!(call.accept.iter().count(), 2);
    #[cfg(feature = "compression")]
    {
        let call = of(&[("accept-encoding", "br, gzip"), ("accept-encoding", "zstd")]);
        assert_eq!(call.best_encoding(), Encoding::Br);
        assert!(call.accept.contains(Encoding::Zstd));
    }
}

#[test]
fn an_empty_body_is_an_empty_message_and_is_not_decompressed() {
    for fields in [&[PROTO][..], &[PROTO, ("content-encoding", "gzip")]] {
        let (mut exchange, _) = accept(&TAKE, fields).unwrap();
        exchange.expect(Cardinality::One);
        assert!(exchange.only_message().unwrap().is_none(), "the body has not ended");
        exchange.receive(Bytes::new(), true);
        let message = exchange.only_message().unwrap().unwrap();
        assert_eq!(message.decode_request::<Note>(&Limits::default()).unwrap(), Note::default());
        assert!(exchange.only_message().unwrap().is_none());
    }
}

#[test]
fn g01_a_message_above_the_limit_is_refused_as_soon_as_that_is_known() {
    let limits = Limits { max_receive_message: 10, ..Limits::default() };
    let accept = |length: &str| {
        ServerExchange::accept(
            head("POST", TAKE.path, &[JSON, ("content-length", length)]),
            Some(&TAKE),
            &limits,
        )
    };
    let (status, body) = refused(accept("11"));
    assert_eq!(status, "429");
    assert!(body.starts_with(r#"{"code":"resource_exhausted""#), "{body}");
    let (mut exchange, _) = accept("10").unwrap();
    exchange.receive(Bytes::from_static(b"0123456789"), false);
    assert!(exchange.only_message().unwrap().is_none());
    assert_eq!(exchange.pending(), 10);
    exchange.receive(Bytes::from_static(b"x"), false);
    assert_eq!(exchange.pending(), 0, "what is too large is not kept");
    let status = exchange.only_message().unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(exchange.only_message().unwrap_err().code(), Code::ResourceExhausted);
}

#[test]
fn a_body_in_pieces_is_one_message() {
    let note = Note::text("hello");
    let dialect = accept(&TAKE, &[JSON]).unwrap().0.dialect();
    let bytes = Sender::new(dialect, Encoding::Identity, &Limits::default())
        .envelope(&note, false)
        .unwrap();
    assert_eq!(bytes, &br#"{"text":"hello"}"#[..]);
    for split in 0..bytes.len() {
        let (mut exchange, _) = accept(&TAKE, &[JSON]).unwrap();
        exchange.receive(bytes.slice(..split), false);
        exchange.settle();
        assert!(matches!(exchange.next_message(), Ok(Next::Pending)));
        exchange.receive(bytes.slice(split..), true);
        let Ok(Next::Message(message)) = exchange.next_message() else { panic!() };
        assert_eq!(message.wire_len(), bytes.len());
        assert_eq!(message.decode_request::<Note>(&Limits::default()).unwrap(), note);
        assert!(matches!(exchange.next_message(), Ok(Next::End)));
    }
}

#[test]
fn g11_bad_base64_in_metadata_fails_its_call() {
    let (status, body) = refused(accept(&TAKE, &[JSON, ("key-bin", "!")]));
    assert_eq!(status, "400");
    assert!(body.contains(r#"metadata \"key-bin\" is not Base64"#), "{body}");
    for value in ["AAEC", "AA", "AA==", "AA==, AQ=="] {
        assert!(accept(&TAKE, &[JSON, ("key-bin", value)]).is_ok());
    }
}

#[test]
fn fields_of_the_protocol_are_no_metadata() {
    let (_, call) = accept(
        &TAKE,
        &[
            JSON,
            ("connect-protocol-version", "1"),
            ("connect-other", "x"),
            ("content-encoding", "identity"),
            ("accept-encoding", "gzip"),
            ("content-length", "2"),
            ("tenant", "acme"),
        ],
    )
    .unwrap();
    let names: Vec<_> = call.metadata.iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["tenant"]);
    let mut metadata = Metadata::new();
    for name in ["connect-x", "Connect-Timeout-Ms", "content-encoding", "accept-encoding"] {
        assert!(metadata.append(name, "1").is_err(), "{name}");
    }
}

#[test]
fn a_successful_unary_reply_has_the_requests_content_type_and_its_trailers_in_the_head() {
    let (exchange, _) = accept(&TAKE, &[JSON]).unwrap();
    let mut leading = Metadata::new();
    leading.append("shard", "7").unwrap();
    let mut trailing = Metadata::new();
    trailing.append("cost", "237").unwrap();
    trailing.append_bin("raw-bin", [255]).unwrap();
    let message = Bytes::from_static(b"{}");
    let answer = exchange.dialect().whole(&leading, Encoding::Gzip, message, &trailing);
    let fields: Vec<_> = answer
        .head
        .iter()
        .map(|field| {
            let text = |bytes| std::str::from_utf8(bytes).unwrap();
            (text(field.name), text(field.value))
        })
        .collect();
    let expected = [
        (":status", "200"),
        JSON,
        ("content-encoding", "gzip"),
        ("shard", "7"),
        ("trailer-cost", "237"),
        ("trailer-raw-bin", "/w"),
    ];
    assert_eq!(fields, expected);
    assert_eq!((body(&answer), &answer.trailers), ("{}", &None));
}

#[test]
fn a_failed_unary_reply_is_an_http_status_with_json() {
    let statuses = [499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
    let names = [
        "canceled",
        "unknown",
        "invalid_argument",
        "deadline_exceeded",
        "not_found",
        "already_exists",
        "permission_denied",
        "resource_exhausted",
        "failed_precondition",
        "aborted",
        "out_of_range",
        "unimplemented",
        "internal",
        "unavailable",
        "data_loss",
        "unauthenticated",
    ];
    let (exchange, _) = accept(&TAKE, &[PROTO]).unwrap();
    let none = Metadata::new();
    for ((code, status), name) in Code::ALL.into_iter().zip(statuses).zip(names) {
        let answer = exchange.dialect().failure(&Status::new(code, ""), &none, &none);
        assert_eq!(text(&answer.head, ":status"), Some(&*status.to_string()), "{code}");
        assert_eq!(text(&answer.head, "content-type"), Some("application/json"));
        assert_eq!(body(&answer), format!(r#"{{"code":"{name}"}}"#));
    }
}

#[test]
fn an_errors_details_are_types_and_unpadded_base64() {
    let (exchange, _) = accept(&TAKE, &[PROTO]).unwrap();
    let none = Metadata::new();
    let status =
        Status::unavailable("overloaded: \"back off\"\u{7f}").with_detail(&Note::text("hello"));
    let answer = exchange.dialect().failure(&status, &none, &none);
    assert_eq!(
        body(&answer),
        "{\"code\":\"unavailable\",\"message\":\"overloaded: \\\"back off\\\"\u{7f}\",\
         \"details\":[{\"type\":\"farcall.test.Note\",\"value\":\"CgVoZWxsbw\"}]}"
    );
}

#[test]
fn an_errors_message_and_details_are_bounded() {
    let (exchange, _) = accept(&TAKE, &[PROTO]).unwrap();
    let none = Metadata::new();
    let status =
        Status::internal("\u{e4}".repeat(100_000)).with_detail(&Note::text("x".repeat(100_000)));
    let answer = exchange.dialect().failure(&status, &none, &none);
    assert_eq!(body(&answer).len(), r#"{"code":"internal","message":""}"#.len() + 4096);
}

#[test]
fn a_stream_ends_with_json_that_says_how_it_went() {
    let (exchange, _) = accept(&CHAT, &[STREAM]).unwrap();
    let dialect = exchange.dialect();
    let mut trailing = Metadata::new();
    let end = |result: Result<(), &Status>, trailing: &Metadata| {
        let ending = dialect.end(result, trailing);
        assert_eq!(ending.trailers, None);
        let body = ending.body.unwrap();
        assert_eq!(body[0], 2);
        assert_eq!(body[1..5], (body.len() as u32 - 5).to_be_bytes());
        String::from_utf8(body[5..].to_vec()).unwrap()
    };
    assert_eq!(end(Ok(()), &trailing), "{}");
    let status = Status::unavailable("overloaded");
    assert_eq!(
        end(Err(&status), &trailing),
        r#"{"error":{"code":"unavailable","message":"overloaded"}}"#
    );
    trailing.append("cost", "237").unwrap();
    trailing.append("other", "\"x\\").unwrap();
    trailing.append("cost", "238").unwrap();
    trailing.append_bin("raw-bin", [255, 254]).unwrap();
    let metadata = r#""metadata":{"cost":["237","238"],"other":["\"x\\"],"raw-bin":["//4"]}"#;
    assert_eq!(end(Ok(()), &trailing), format!("{{{metadata}}}"));
    assert_eq!(
        end(Err(&status), &trailing),
        format!(r#"{{"error":{{"code":"unavailable","message":"overloaded"}},{metadata}}}"#)
    );
}

#[test]
fn a_streams_head_is_always_200() {
    let (exchange, _) = accept(&FOLLOW, &[STREAM]).unwrap();
    let head = exchange.dialect().response_head(&Metadata::new(), Encoding::Gzip);
    assert_eq!(text(&head, ":status"), Some("200"));
    assert_eq!(text(&head, "content-type"), Some("application/connect+proto"));
    assert_eq!(text(&head, "connect-content-encoding"), Some("gzip"));
    assert!(text(&head, "connect-accept-encoding").unwrap().contains("gzip"));
    let none = Metadata::new();
    let answer = exchange.dialect().failure(&Status::not_found("x"), &none, &none);
    assert_eq!(text(&answer.head, ":status"), Some("200"));
    assert_eq!(answer.trailers, None);
}

#[test]
fn g02_a_clients_envelope_never_has_other_flags_than_compression() {
    for flag in [2, 3, 4, 0x80, 0xff] {
        let (mut exchange, _) = accept(&CHAT, &[STREAM]).unwrap();
        exchange.receive(Bytes::copy_from_slice(&[flag, 0, 0, 0, 0]), true);
        assert_eq!(exchange.next_message().unwrap_err().code(), Code::Internal, "{flag}");
    }
    let (mut exchange, _) = accept(&CHAT, &[STREAM]).unwrap();
    exchange.receive(Bytes::from_static(&[1, 0, 0, 0, 0]), true);
    let status = exchange.next_message().unwrap_err();
    assert_eq!(status.code(), Code::Internal, "compressed without a compression");
}

#[test]
fn a_stream_of_one_request_has_exactly_one() {
    for (body, messages) in [(&b""[..], 0), (b"\0\0\0\0\0\0\0\0\0\0", 2)] {
        let (mut exchange, _) = accept(&FOLLOW, &[STREAM]).unwrap();
        exchange.expect(Cardinality::One);
        exchange.receive(Bytes::copy_from_slice(body), true);
        let status = exchange.only_message().unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{messages} messages");
    }
}
