//! The server's side of gRPC: PROTOCOL-HTTP2.md and compression.md.

mod heads;
mod note;

use std::borrow::Cow;
use std::time::Duration;

use buffa::Message;
use bytes::Bytes;
use farcall_core::deadline::MAX_TIMEOUT;
use farcall_core::{
    CallHead, Cardinality, Code, Encoding, Encodings, Incoming, Limits, Metadata, Next, Protocol,
    Refusal, Sender, ServerExchange, Status,
};
use farcall_wire::event::{RequestHead, RequestLine};
use farcall_wire::fields::Fields;
use heads::text;
use note::{ACCEPTED, Note, TAKE, grpc};

fn head(method: &[u8], fields: &[(&str, &str)]) -> RequestHead {
    let line =
        RequestLine { method, path: Some(b"/farcall.test.Notes/Take"), ..RequestLine::default() };
    RequestHead::new(line, None, fields.iter().copied().collect())
}

/// Accepts a POST in gRPC with these fields beside the usual ones.
fn accept(fields: &[(&str, &str)]) -> Result<(ServerExchange, CallHead), Refusal> {
    let usual = [("content-type", "application/grpc"), ("te", "trailers")];
    ServerExchange::accept(
        head(b"POST", &[&usual, fields].concat()),
        Some(&TAKE),
        &Limits::default(),
    )
}

fn accepted(fields: &[(&str, &str)]) -> ServerExchange {
    accept(fields).unwrap().0
}

fn refused(fields: &[(&str, &str)]) -> Fields {
    let refusal = accept(fields).unwrap_err();
    assert_eq!(refusal.body, None);
    refusal.head
}

fn trailers_of(
    exchange: &ServerExchange,
    result: Result<(), &Status>,
    trailing: &Metadata,
) -> Cow<'static, Fields> {
    exchange.dialect().end(result, trailing).trailers.unwrap()
}

fn envelope(note: &Note) -> Bytes {
    Sender::new(grpc(), Encoding::Identity, &Limits::default()).envelope(note, false).unwrap()
}

fn message(exchange: &mut ServerExchange) -> Incoming {
    match exchange.next_message() {
        Ok(Next::Message(message)) => message,
        other => panic!("expected a message, got {other:?}"),
    }
}

#[test]
fn content_type_is_application_grpc_with_an_optional_suffix() {
    for content_type in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc; charset=utf-8",
        "Application/GRPC+proto ;v=1",
    ] {
        let head = head(b"POST", &[("content-type", content_type)]);
        assert_eq!(Protocol::of(&head), Some(Protocol::Grpc));
        assert!(
            ServerExchange::accept(head, Some(&TAKE), &Limits::default()).is_ok(),
            "{content_type}"
        );
    }
}

#[test]
fn another_content_type_is_answered_with_http_415() {
    let other = [
        "application/xml",
        "application/grpcx",
        "application/grpc+xml",
        "application/grpc+",
        "application/grpc-",
        "text/plain",
        "",
    ];
    for content_type in other {
        let refusal = ServerExchange::accept(
            head(b"POST", &[("content-type", content_type)]),
            Some(&TAKE),
            &Limits::default(),
        );
        assert_eq!(text(&refusal.unwrap_err().head, ":status"), Some("415"), "{content_type}");
    }
    let refusal =
        ServerExchange::accept(head(b"POST", &[]), Some(&TAKE), &Limits::default()).unwrap_err();
    assert_eq!(text(&refusal.head, ":status"), Some("415"));
}

#[test]
fn a_method_other_than_post_is_answered_with_http_405() {
    let refusal = ServerExchange::accept(
        head(b"GET", &[("content-type", "application/grpc")]),
        Some(&TAKE),
        &Limits::default(),
    );
    let head = refusal.unwrap_err().head;
    assert_eq!((text(&head, ":status"), text(&head, "allow")), (Some("405"), Some("POST")));
}

#[test]
fn timeout_is_up_to_eight_digits_and_a_unit() {
    let timeouts = [
        ("1n", Duration::from_nanos(1)),
        ("20u", Duration::from_micros(20)),
        ("99999999m", Duration::from_millis(99_999_999)),
        ("3S", Duration::from_secs(3)),
        ("4M", Duration::from_mins(4)),
        ("5H", Duration::from_hours(5)),
        ("00000001S", Duration::from_secs(1)),
        ("0S", Duration::ZERO),
        ("99999999H", MAX_TIMEOUT),
    ];
    for (value, timeout) in timeouts {
        assert_eq!(accept(&[("grpc-timeout", value)]).unwrap().1.timeout, Some(timeout), "{value}");
    }
    assert_eq!(accept(&[]).unwrap().1.timeout, None, "omitted is infinite");
}

#[test]
fn g10_a_malformed_timeout_fails_its_call() {
    for value in [
        "",
        "S",
        "1",
        "-1S",
        "+1S",
        "1.5S",
        " 1S",
        "1 S",
        "1s",
        "123456789n",
        "999999999H",
        "1SS",
        "0x1S",
        "\u{661}S",
    ] {
        let head = refused(&[("grpc-timeout", value)]);
        assert_eq!(
            (text(&head, ":status"), text(&head, "grpc-status")),
            (Some("200"), Some("13")),
            "{value}"
        );
    }
    let head = refused(&[("grpc-timeout", "1s")]);
    let expected = "grpc-timeout \"1s\": expected 1 to 8 digits and one of H M S m u n";
    assert_eq!(text(&head, "grpc-message"), Some(expected));
}

#[test]
fn an_unsupported_encoding_is_unimplemented_and_names_the_supported_ones() {
    let head = refused(&[("grpc-encoding", "lz4")]);
    assert_eq!(text(&head, "grpc-status"), Some("12"));
    assert_eq!(text(&head, "grpc-accept-encoding"), Some(ACCEPTED));
    let message = text(&head, "grpc-message").unwrap();
    let expected = format!("grpc-encoding \"lz4\" is not supported; supported are {ACCEPTED}");
    assert_eq!(message, expected);
}

#[test]
fn the_head_says_what_the_client_reads_and_writes() {
    let head =
        accept(&[("grpc-encoding", "gzip"), ("grpc-accept-encoding", "identity, lz4, gzip")])
            .unwrap()
            .1;
    assert_eq!(head.encoding, Encoding::Gzip);
    assert_eq!(head.accept, Encodings::IDENTITY.with(Encoding::Gzip));
    assert_eq!(head.reply_encoding(Encoding::Gzip), Encoding::Gzip);
    let plain = accept(&[]).unwrap().1;
    assert_eq!(plain.encoding, Encoding::Identity);
    assert_eq!(plain.reply_encoding(Encoding::Gzip), Encoding::Identity);
}

#[test]
fn g11_bad_base64_in_metadata_fails_its_call_alone() {
    for value in ["%%%", "A", "Zg,*", "Zg="] {
        let head = refused(&[("trace-bin", value)]);
        assert_eq!(text(&head, "grpc-status"), Some("13"), "{value}");
        assert_eq!(text(&head, "grpc-message"), Some("metadata \"trace-bin\" is not Base64"));
    }
    assert!(accept(&[("trace-bin", "Zg==,Zg"), ("trace", "%%%")]).is_ok());
}

#[test]
fn a_unary_request_whole_in_one_data_frame_is_not_copied() {
    let mut exchange = accepted(&[]);
    let data = envelope(&Note::text("hello"));
    exchange.receive(data.clone(), true);
    let message = exchange.only_message().unwrap().unwrap();
    assert_eq!(message.wire_len(), data.len());
    let payload = message.into_payload(&Limits::default()).unwrap();
    assert_eq!(payload.as_ptr(), data[5..].as_ptr());
    assert_eq!(Note::decode_from_slice(&payload).unwrap(), Note::text("hello"));
}

#[test]
fn eos_may_come_in_an_empty_data_frame() {
    let mut exchange = accepted(&[]);
    exchange.receive(envelope(&Note::text("hello")), false);
    assert!(exchange.only_message().unwrap().is_none());
    exchange.settle();
    assert!(!exchange.is_ended());
    exchange.receive(Bytes::new(), true);
    assert!(exchange.is_ended());
    let message = exchange.only_message().unwrap().unwrap();
    assert_eq!(message.decode_request::<Note>(&Limits::default()).unwrap(), Note::text("hello"));
}

#[test]
fn messages_of_a_stream_come_in_order_and_then_the_end() {
    let mut exchange = accepted(&[]);
    assert!(matches!(exchange.next_message(), Ok(Next::Pending)));
    for word in ["one", "two"] {
        exchange.receive(envelope(&Note::text(word)), false);
    }
    exchange.settle();
    exchange.receive(envelope(&Note::text("three")), true);
    assert_eq!(exchange.pending(), 5 + 5 + 5 + 5 + 5 + 7);
    for word in ["one", "two", "three"] {
        let note: Note = message(&mut exchange).decode_request(&Limits::default()).unwrap();
        assert_eq!(note.text, word);
    }
    for _ in 0..2 {
        assert!(matches!(exchange.next_message(), Ok(Next::End)));
    }
}

#[test]
fn a_request_of_none_or_two_messages_where_one_is_expected_is_unimplemented() {
    let mut none = accepted(&[]);
    none.receive(Bytes::new(), true);
    let status = none.only_message().unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unimplemented, "expected one message, got none")
    );

    let mut two = accepted(&[]);
    two.expect(Cardinality::One);
    two.receive([envelope(&Note::text("a")), envelope(&Note::text("b"))].concat().into(), false);
    let status = two.only_message().unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unimplemented, "expected one message, got two")
    );
    assert_eq!(two.next_message().unwrap_err().message(), status.message(), "an error stays");
}

#[test]
fn a_request_that_ends_within_a_message_is_an_error() {
    for (cut, message) in [
        (3, "the stream ended within a message's prefix, after 3 of its 5 bytes"),
        (8, "the stream ended within a message, after 8 of its 12 bytes"),
    ] {
        let mut exchange = accepted(&[]);
        exchange.receive(envelope(&Note::text("hello")).slice(..cut), true);
        let status = exchange.next_message().unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Internal, message));
    }
}

#[test]
fn g02_the_compressed_flag_without_an_encoding_is_internal() {
    for fields in [&[][..], &[("grpc-encoding", "identity")]] {
        let mut exchange = accepted(fields);
        exchange.receive(Bytes::from_static(b"\x01\0\0\0\x01x"), true);
        let status = exchange.next_message().unwrap_err();
        assert_eq!(status.code(), Code::Internal);
        assert_eq!(
            status.message(),
            "a message is marked as compressed, but the head names no compression"
        );
    }
}

#[test]
fn compression_is_per_message_and_can_be_seen() {
    let mut exchange = accepted(&[("grpc-encoding", "gzip")]);
    let sender = exchange.sender(Encoding::Gzip);
    assert_eq!(sender.encoding(), Encoding::Gzip);
    exchange.receive(sender.envelope(&Note::text("small"), true).unwrap(), false);
    exchange.receive(sender.envelope(&Note::text("plain"), false).unwrap(), true);
    for (word, compressed) in [("small", true), ("plain", false)] {
        let message = message(&mut exchange);
        assert_eq!(message.is_compressed(), compressed);
        assert_eq!(message.decode_request::<Note>(&Limits::default()).unwrap().text, word);
    }
}

#[test]
fn g03_a_bomb_in_an_envelope_is_stopped() {
    let limits = Limits { max_decompressed: 1000, ..Limits::default() };
    let mut exchange = accepted(&[("grpc-encoding", "gzip")]);
    let bomb =
        exchange.sender(Encoding::Gzip).envelope(&Note::text("0".repeat(100_000)), true).unwrap();
    exchange.receive(bomb, true);
    let status = message(&mut exchange).decode_request::<Note>(&limits).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
}

#[test]
fn response_headers_are_status_content_type_and_encodings() {
    let exchange = accepted(&[]);
    let head = exchange.dialect().response_head(&Metadata::new(), Encoding::Identity);
    assert!(matches!(head, Cow::Borrowed(_)), "a head without metadata costs nothing");
    let expected: Fields = [
        (":status", "200"),
        ("content-type", "application/grpc"),
        ("grpc-accept-encoding", ACCEPTED),
    ]
    .into_iter()
    .collect();
    assert_eq!(*head, expected);

    let mut metadata = Metadata::new();
    metadata.append("tenant", "acme").unwrap();
    let head = exchange.dialect().response_head(&metadata, Encoding::Gzip);
    assert_eq!(text(&head, "grpc-encoding"), Some("gzip"));
    assert_eq!(head.iter().last().unwrap().value, b"acme");
}

#[test]
fn status_is_sent_in_trailers_even_if_ok() {
    let exchange = accepted(&[]);
    let trailers = trailers_of(&exchange, Ok(()), &Metadata::new());
    assert!(
        matches!(trailers, Cow::Borrowed(_)),
        "trailers of success without metadata cost nothing"
    );
    assert_eq!(*trailers, [("grpc-status", "0")].into_iter().collect());

    let mut trailing = Metadata::new();
    trailing.append_bin("proof-bin", b"foo").unwrap();
    let trailers = trailers_of(&exchange, Ok(()), &trailing);
    assert_eq!(*trailers, [("grpc-status", "0"), ("proof-bin", "Zm9v")].into_iter().collect());
}

#[test]
fn a_failure_is_code_message_details_and_metadata() {
    let exchange = accepted(&[]);
    let mut status = Status::not_found("no such user").with_detail(&Note::text("x"));
    status.metadata_mut().append("shard", "7").unwrap();
    let mut trailing = Metadata::new();
    trailing.append("tenant", "acme").unwrap();
    let trailers = trailers_of(&exchange, Err(&status), &trailing).into_owned();
    let names: Vec<_> =
        trailers.iter().map(|field| std::str::from_utf8(field.name).unwrap()).collect();
    assert_eq!(
        names,
        ["grpc-status", "grpc-message", "grpc-status-details-bin", "shard", "tenant"]
    );
    assert_eq!(
        (text(&trailers, "grpc-status"), text(&trailers, "grpc-message")),
        (Some("5"), Some("no such user"))
    );

    let only = exchange.dialect().failure(&status, &Metadata::new(), &trailing).head;
    let names: Vec<_> = only.iter().map(|field| std::str::from_utf8(field.name).unwrap()).collect();
    assert_eq!(names[..4], [":status", "content-type", "grpc-accept-encoding", "grpc-status"]);
}

#[test]
fn g12_all_but_printable_ascii_without_percent_is_escaped() {
    let exchange = accepted(&[]);
    let sent = |message: &str| {
        let trailers =
            trailers_of(&exchange, Err(&Status::unknown(message)), &Metadata::new()).into_owned();
        text(&trailers, "grpc-message").map(str::to_owned)
    };
    assert_eq!(
        sent("\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n")
            .unwrap(),
        "%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP %F0%9F%98%88%09%0A"
    );
    assert_eq!(sent("100%, ~ !").unwrap(), "100%25, ~ !");
    assert_eq!(sent(" a  b ").unwrap(), "%20a  b%20", "no field value begins or ends with a space");
    assert_eq!(sent(" ").unwrap(), "%20");
    assert_eq!(sent("\u{1b}[31m\u{7f}").unwrap(), "%1B[31m%7F");
    assert_eq!(sent(""), None);
    assert_eq!(sent(&"a".repeat(5000)).unwrap().len(), 1024);
    assert_eq!(sent(&"\u{1f608}".repeat(5000)).unwrap().len(), 1020, "cut at a character");
}

#[test]
fn details_too_large_for_trailers_are_left_out() {
    let exchange = accepted(&[]);
    let status = Status::internal("large").with_detail(&Note::text("x".repeat(10_000)));
    let trailers = trailers_of(&exchange, Err(&status), &Metadata::new());
    assert_eq!(trailers.len(), 2);
}
