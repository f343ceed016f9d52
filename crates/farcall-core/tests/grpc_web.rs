//! gRPC-Web: PROTOCOL-WEB.md.

mod heads;
mod note;

use bytes::Bytes;
use farcall_core::{
    CallHead, Cardinality, ClientExchange, Code, Codec, Dialect, Encoding, Limits, Metadata, Next,
    Outgoing, Protocol, Refusal, Sender, ServerExchange, Status,
};
use farcall_wire::event::{RequestHead, RequestLine, ResponseHead};
use heads::{envelope, gzip, text};
use note::{CHAT, FOLLOW, Note, TAKE};

const WEB: (&str, &str) = ("content-type", "application/grpc-web+proto");
const TEXT: (&str, &str) = ("content-type", "application/grpc-web-text");

fn web() -> Dialect {
    Dialect::for_call(Protocol::GrpcWeb, Codec::Proto, &FOLLOW)
}

fn accept(fields: &[(&str, &str)]) -> Result<(ServerExchange, CallHead), Refusal> {
    let line = RequestLine {
        method: b"POST",
        path: Some(FOLLOW.path.as_bytes()),
        ..RequestLine::default()
    };
    let head = RequestHead::new(line, None, fields.iter().copied().collect());
    ServerExchange::accept(head, Some(&FOLLOW), &Limits::default())
}

fn head(status: u16, fields: &[(&str, &str)]) -> ResponseHead {
    ResponseHead::new(status, fields.iter().copied().collect())
}

/// How a call ends that was answered with this, and the messages that came before.
fn outcome(
    replies: Cardinality,
    fields: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> (usize, Result<Metadata, Status>) {
    let mut exchange = ClientExchange::new(web(), replies, &Limits::default());
    let _ = exchange.receive_head(head(200, fields), false);
    exchange.receive(body.into(), true);
    let mut messages = 0;
    while let Ok(Next::Message(_)) = exchange.next_message() {
        messages += 1;
    }
    (messages, exchange.into_outcome().unwrap())
}

fn failure(fields: &[(&str, &str)], body: impl Into<Bytes>) -> Status {
    outcome(Cardinality::Many, fields, body).1.unwrap_err()
}

#[test]
fn content_types_tell_codec_and_text() {
    for (content_type, codec, answer) in [
        ("application/grpc-web", Codec::Proto, "application/grpc-web+proto"),
        ("application/grpc-web+proto", Codec::Proto, "application/grpc-web+proto"),
        ("Application/gRPC-Web+Proto; x=y", Codec::Proto, "application/grpc-web+proto"),
        ("application/grpc-web+json", Codec::Json, "application/grpc-web+json"),
        ("application/grpc-web-text", Codec::Proto, "application/grpc-web-text+proto"),
        ("application/grpc-web-text+proto", Codec::Proto, "application/grpc-web-text+proto"),
        ("application/grpc-web-text+json", Codec::Json, "application/grpc-web-text+json"),
    ] {
        let (exchange, _) = accept(&[("content-type", content_type)]).unwrap();
        let dialect = exchange.dialect();
        assert_eq!((dialect.protocol(), dialect.codec()), (Protocol::GrpcWeb, codec));
        let head = dialect.response_head(&Metadata::new(), Encoding::Identity);
        assert_eq!(text(&head, "content-type"), Some(answer));
    }
    for other in ["application/grpc-webx", "application/grpc-web+foo", "application/grpc-web-texts"]
    {
        let refusal = accept(&[("content-type", other)]).unwrap_err();
        assert_eq!(text(&refusal.head, ":status"), Some("415"), "{other}");
    }
}

#[test]
fn timeouts_encodings_and_metadata_are_those_of_grpc() {
    let (_, call) = accept(&[
        WEB,
        ("x-grpc-web", "1"),
        ("grpc-timeout", "2S"),
        ("grpc-encoding", "gzip"),
        ("tenant", "acme"),
    ])
    .unwrap();
    assert_eq!(call.timeout.unwrap().as_secs(), 2);
    assert_eq!(call.encoding, Encoding::Gzip);
    let names: Vec<_> = call.metadata.iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["tenant"]);
}

#[test]
fn a_broken_head_is_answered_with_a_status_in_the_body() {
    let refusal = accept(&[WEB, ("grpc-encoding", "foo")]).unwrap_err();
    assert_eq!(text(&refusal.head, ":status"), Some("200"));
    assert_eq!(text(&refusal.head, "grpc-status"), None);
    assert!(text(&refusal.head, "grpc-accept-encoding").unwrap().contains("gzip"));
    let body = refusal.body.unwrap();
    assert_eq!(body[0], 0x80);
    assert!(body[5..].starts_with(b"grpc-status: 12\r\ngrpc-message: "));
    assert!(body.ends_with(b"\r\n"));
}

#[test]
fn the_request_says_that_it_is_grpc_web() {
    let metadata = Metadata::new();
    let call = Outgoing {
        path: FOLLOW.path,
        authority: "localhost",
        scheme: "http",
        metadata: &metadata,
        timeout: None,
        encoding: Encoding::Identity,
        get: None,
    };
    let fields = web().request_head(&call);
    assert_eq!(text(&fields, "content-type"), Some("application/grpc-web+proto"));
    assert_eq!(text(&fields, "x-grpc-web"), Some("1"));
    assert_eq!(text(&fields, "te"), None);
    let fields = web().text().request_head(&call);
    assert_eq!(text(&fields, "content-type"), Some("application/grpc-web-text+proto"));
}

#[test]
fn trailers_are_the_last_envelope_of_the_body_in_lower_case() {
    let mut trailing = Metadata::new();
    trailing.append("Cost", "1").unwrap();
    trailing.append("cost", "2").unwrap();
    let ending = web().end(Ok(()), &trailing);
    assert_eq!(ending.trailers, None);
    let block = b"grpc-status: 0\r\ncost: 1\r\ncost: 2\r\n";
    assert_eq!(ending.body.unwrap(), envelope(0x80, block));
    let plain = web().end(Ok(()), &Metadata::new()).body.unwrap();
    assert_eq!(plain, envelope(0x80, b"grpc-status: 0\r\n"));
    assert_eq!(
        web().text().end(Ok(()), &Metadata::new()).body.unwrap(),
        "gAAAABBncnBjLXN0YXR1czogMA0K"
    );
}

#[test]
fn a_whole_reply_is_one_body() {
    let sender = Sender::new(web(), Encoding::Identity, &Limits::default());
    let message = sender.envelope(&Note::text("hello"), false).unwrap();
    let none = Metadata::new();
    let shared = message.clone();
    for message in [shared.clone(), message] {
        let answer = web().whole(&none, Encoding::Identity, message, &none);
        let expected = [&shared[..], &envelope(0x80, b"grpc-status: 0\r\n")].concat();
        assert_eq!(answer.body.unwrap(), expected);
        assert_eq!(answer.trailers, None);
    }
}

#[test]
fn names_in_trailers_are_read_in_any_case() {
    let block = b"Grpc-Status: 9\r\ngRPC-Message: error\r\nx-Custom-Trailer:bing \r\n";
    let status = failure(&[WEB], envelope(0x80, block));
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "error"));
    assert_eq!(status.metadata().get("x-custom-trailer"), Some("bing"));
}

#[test]
fn messages_before_the_trailers_are_taken() {
    let body = [envelope(0, b""), envelope(0, b""), envelope(0x80, b"grpc-status: 0\r\n")].concat();
    let (messages, outcome) = outcome(Cardinality::Many, &[WEB], body.clone());
    assert_eq!(messages, 2);
    assert!(outcome.is_ok());
    for split in 0..=body.len() {
        let mut exchange = ClientExchange::new(web(), Cardinality::Many, &Limits::default());
        exchange.receive_head(head(200, &[WEB]), false).unwrap();
        exchange.receive(Bytes::copy_from_slice(&body[..split]), false);
        let mut messages = 0;
        while let Next::Message(_) = exchange.next_message().unwrap() {
            messages += 1;
        }
        assert!(exchange.outcome().is_none(), "the body is not complete");
        exchange.receive(Bytes::copy_from_slice(&body[split..]), true);
        assert!(exchange.outcome().unwrap().is_ok());
        while let Next::Message(_) = exchange.next_message().unwrap() {
            messages += 1;
        }
        assert_eq!(messages, 2);
    }
}

#[test]
fn trailers_in_the_head_count_if_there_is_no_body() {
    let fields = [WEB, ("cost", "1"), ("grpc-status", "9"), ("grpc-message", "error")];
    let mut exchange = ClientExchange::new(web(), Cardinality::One, &Limits::default());
    assert!(exchange.receive_head(head(200, &fields), true).unwrap().is_none());
    for status in [failure(&fields, ""), exchange.into_outcome().unwrap().unwrap_err()] {
        assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "error"));
        assert_eq!(status.metadata().get("cost"), Some("1"));
    }
    let body = envelope(0x80, b"grpc-status: 8\r\n");
    assert_eq!(failure(&fields, body).code(), Code::ResourceExhausted, "else the body counts");
    let fields = [WEB, ("grpc-status", "0")];
    let (_, outcome) = outcome(Cardinality::One, &fields, "");
    assert_eq!(outcome.unwrap_err().code(), Code::Unimplemented, "no message");
}

#[test]
fn a_missing_status_is_unknown() {
    assert_eq!(failure(&[WEB], envelope(0x80, b"grpc-message: error\r\n")).code(), Code::Unknown);
    let mut exchange = ClientExchange::new(web(), Cardinality::One, &Limits::default());
    let fields = [WEB, ("grpc-message", "error")];
    assert!(exchange.receive_head(head(200, &fields), true).is_err());
    assert_eq!(exchange.into_outcome().unwrap().unwrap_err().code(), Code::Unknown);
}

#[test]
fn a_reply_of_one_has_exactly_one() {
    let end = envelope(0x80, b"grpc-status: 0\r\n");
    for body in [end.clone(), [envelope(0, b""), envelope(0, b""), end.clone()].concat()] {
        let (_, outcome) = outcome(Cardinality::One, &[WEB], body);
        assert_eq!(outcome.unwrap_err().code(), Code::Unimplemented);
    }
    let (messages, outcome) = outcome(Cardinality::One, &[WEB], [envelope(0, b""), end].concat());
    assert_eq!(messages, 1);
    assert!(outcome.is_ok());
}

#[test]
fn a_reply_of_another_kind_is_told_by_its_content_type() {
    for (fields, code) in [
        (&[("content-type", "image/jpeg")][..], Code::Unknown),
        (&[], Code::Unknown),
        (&[("content-type", "application/grpc")], Code::Unknown),
        (&[("content-type", "application/grpc-web+json")], Code::Internal),
        (&[TEXT], Code::Internal),
        (&[WEB, ("grpc-encoding", "foo")], Code::Internal),
    ] {
        let body = envelope(0x80, b"grpc-status: 0\r\n");
        assert_eq!(failure(fields, body).code(), code, "{fields:?}");
    }
    let body = [envelope(1, b""), envelope(0x80, b"grpc-status: 0\r\n")].concat();
    assert_eq!(failure(&[WEB, ("grpc-encoding", "identity")], body).code(), Code::Internal);
}

#[test]
fn c02_trailers_are_bounded_come_once_and_may_be_compressed() {
    let end = envelope(0x80, b"grpc-status: 0\r\n");
    let large = format!("grpc-status: 0\r\nx: {}\r\n", "x".repeat(16 * 1024));
    let many = "x: y\r\n".repeat(101);
    for (body, what) in [
        (vec![], "missing"),
        (end[..5].to_vec(), "cut"),
        (end[..20].to_vec(), "cut"),
        ([end.clone(), end.clone()].concat(), "twice"),
        ([end.clone(), envelope(0, b"")].concat(), "followed by a message"),
        ([end.clone(), vec![0]].concat(), "followed by a byte"),
        (envelope(0x80, large.as_bytes()), "too large"),
        (vec![0x80, 0xff, 0xff, 0xff, 0xff], "announced as too large"),
        (envelope(0x80, many.as_bytes()), "too many fields"),
        (envelope(0x80, b"grpc-status 0\r\n"), "no field"),
        (envelope(0x80, b": 0\r\n"), "no name"),
        (envelope(0x80, b"grpc-status: 0\r\na b: c\r\n"), "a space in a name"),
        (envelope(0x80, b"grpc-status: 0\r\na: \0\r\n"), "a control character"),
        (envelope(0x80, b"grpc-status: 0\r\na: b\rc\r\n"), "a bare carriage return"),
        (envelope(0x81, b"grpc-status: 0\r\n"), "compressed without a compression"),
        (envelope(0x82, b"grpc-status: 0\r\n"), "an unknown flag"),
    ] {
        let status = failure(&[WEB], body);
        assert_eq!(status.code(), Code::Internal, "{what}: {status}");
    }
    let fields = [WEB, ("grpc-encoding", "gzip")];
    let body = envelope(0x81, &gzip(b"grpc-status: 9\r\ngrpc-message: error\r\n"));
    assert_eq!(failure(&fields, body).message(), "error");
    let body = envelope(0x81, &gzip(large.as_bytes()));
    assert_eq!(failure(&fields, body).code(), Code::ResourceExhausted, "a bomb");
}

/// Messages of a server's stream and how that ends, for a body in the text form cut as told.
fn read_text(body: &[u8], cuts: &[usize]) -> Result<Vec<String>, Status> {
    let (mut exchange, _) = accept(&[TEXT]).unwrap();
    let mut rest = body;
    let mut texts = Vec::new();
    let mut read = |exchange: &mut ServerExchange| -> Result<(), Status> {
        loop {
            match exchange.next_message()? {
                Next::Message(message) => {
                    texts.push(message.decode_request::<Note>(&Limits::default())?.text);
                }
                _ => return Ok(()),
            }
        }
    };
    for cut in cuts {
        let (piece, behind) = rest.split_at(*cut);
        exchange.receive(Bytes::copy_from_slice(piece), false);
        exchange.settle();
        read(&mut exchange)?;
        rest = behind;
    }
    exchange.receive(Bytes::copy_from_slice(rest), true);
    read(&mut exchange)?;
    Ok(texts)
}

#[test]
fn c01_text_is_read_however_it_is_split() {
    let sender = Sender::new(web().text(), Encoding::Identity, &Limits::default());
    let mut apart = Vec::new();
    let mut joined = Vec::new();
    let plain = Sender::new(web(), Encoding::Identity, &Limits::default());
    let texts = ["a", "bb", "", "cccc"];
    for text in texts {
        apart.extend_from_slice(&sender.envelope(&Note::text(text), false).unwrap());
        joined.extend_from_slice(&plain.envelope(&Note::text(text), false).unwrap());
    }
    assert!(apart.contains(&b'='), "padding stands in the middle");
    // All of it encoded in one piece, as some clients do.
    let joined = base64(&joined);
    for body in [&apart, &joined] {
        assert_eq!(read_text(body, &[]).unwrap(), texts);
        for first in 0..=body.len() {
            for second in 0..=body.len() - first {
                assert_eq!(read_text(body, &[first, second]).unwrap(), texts);
            }
        }
        assert_eq!(read_text(body, &vec![1; body.len()]).unwrap(), texts);
    }
}

/// Padded Base64, made of what metadata is written in.
fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut metadata = Metadata::new();
    metadata.append_bin("x-bin", bytes).unwrap();
    let trailers = note::grpc().end(Ok(()), &metadata).trailers.unwrap();
    let mut text = trailers.get("x-bin").unwrap().to_vec();
    text.resize(text.len().next_multiple_of(4), b'=');
    text
}

#[test]
fn c01_bad_base64_fails_its_call() {
    for body in [
        "AAAAAAA",
        "A",
        "AA==A",
        "A===",
        "====",
        "AA=A",
        "AAAA AAAA=",
        "AAAAAAA-",
        "AAAA\r\nAAA=",
        "\u{e4}AAA",
    ] {
        let status = read_text(body.as_bytes(), &[]).unwrap_err();
        assert_eq!(status.code(), Code::Internal, "{body}");
        for cut in 0..body.len() {
            assert!(read_text(body.as_bytes(), &[cut]).is_err(), "{body}");
        }
    }
    assert!(read_text(b"AAAAAAA=", &[]).is_ok());
}

#[test]
fn g01_limits_hold_for_text() {
    let (mut exchange, _) = accept(&[TEXT]).unwrap();
    // A prefix that announces 4 GiB.
    exchange.receive(Bytes::from_static(b"AP////8="), false);
    assert_eq!(exchange.next_message().unwrap_err().code(), Code::ResourceExhausted);
}

#[test]
fn all_kinds_of_method_can_be_called() {
    for method in [&TAKE, &FOLLOW, &CHAT] {
        let line = RequestLine { method: b"POST", path: Some(b"/a.B/C"), ..RequestLine::default() };
        let head = RequestHead::new(line, None, [WEB].into_iter().collect());
        assert!(ServerExchange::accept(head, Some(method), &Limits::default()).is_ok());
    }
}
