//! The client's side of gRPC: PROTOCOL-HTTP2.md, http-grpc-status-mapping.md and statuscodes.md.

mod note;

use std::time::Duration;

use bytes::Bytes;
use farcall_core::{
    Cardinality, ClientExchange, Code, Encoding, Limits, Metadata, Next, Outgoing, Sender,
    ServerExchange, Status,
};
use farcall_wire::event::{RequestHead, RequestLine, ResponseHead};
use farcall_wire::fields::Fields;
use note::{ACCEPTED, Note, TAKE, grpc};

const GRPC: (&str, &str) = ("content-type", "application/grpc");

fn exchange(replies: Cardinality) -> ClientExchange {
    ClientExchange::new(grpc(), replies, &Limits::default())
}

/// An exchange that has had a good head.
fn begun(replies: Cardinality) -> ClientExchange {
    let mut exchange = exchange(replies);
    assert!(exchange.receive_head(head(200, &[GRPC]), false).unwrap().is_some());
    exchange
}

fn head(status: u16, fields: &[(&str, &str)]) -> ResponseHead {
    ResponseHead::new(status, fields.iter().copied().collect())
}

fn trailers(fields: &[(&str, &str)]) -> Fields {
    fields.iter().copied().collect()
}

fn trailers_of(result: Result<(), &Status>) -> Fields {
    grpc().end(result, &Metadata::new()).trailers.unwrap().into_owned()
}

fn envelope(text: &str) -> Bytes {
    Sender::new(grpc(), Encoding::Identity, &Limits::default())
        .envelope(&Note::text(text), false)
        .unwrap()
}

fn failure(exchange: &ClientExchange) -> &Status {
    exchange.outcome().expect("an outcome").as_ref().expect_err("a failure")
}

fn request(
    metadata: &Metadata,
    timeout: Option<Duration>,
    encoding: Encoding,
) -> Vec<(String, String)> {
    let path = "/farcall.test.Notes/Take";
    let call = Outgoing {
        path,
        authority: "localhost:8080",
        scheme: "http",
        metadata,
        timeout,
        encoding,
        get: None,
    };
    let fields = exchange(Cardinality::One).request_head(&call);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    fields.iter().map(|field| (text(field.name), text(field.value))).collect()
}

#[test]
fn a_request_is_pseudo_fields_timeout_definition_and_metadata_in_this_order() {
    let mut metadata = Metadata::new();
    metadata.append("tenant", "acme").unwrap();
    metadata.append_bin("trace-bin", [0xff]).unwrap();
    let fields = request(&metadata, Some(Duration::from_millis(200)), Encoding::Gzip);
    let agent = concat!("grpc-rust-farcall/", env!("CARGO_PKG_VERSION"));
    let expected = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/farcall.test.Notes/Take"),
        (":authority", "localhost:8080"),
        ("grpc-timeout", "200000u"),
        GRPC,
        ("te", "trailers"),
        ("grpc-encoding", "gzip"),
        ("grpc-accept-encoding", ACCEPTED),
        ("user-agent", agent),
        ("tenant", "acme"),
        ("trace-bin", "/w"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn a_request_without_timeout_compression_and_metadata_has_none_of_their_fields() {
    let fields = request(&Metadata::new(), None, Encoding::Identity);
    assert_eq!(fields.len(), 8);
    let mut metadata = Metadata::new();
    metadata.append("user-agent", "mine/1").unwrap();
    let fields = request(&metadata, None, Encoding::Identity);
    assert_eq!(fields.iter().filter(|(name, _)| name == "user-agent").count(), 1);
    assert_eq!(fields.last().unwrap().1, "mine/1");
}

#[test]
fn a_timeout_fits_eight_digits_and_is_rounded_up() {
    let timeouts = [
        (Duration::ZERO, "1n"),
        (Duration::from_nanos(99_999_999), "99999999n"),
        (Duration::from_millis(100), "100000u"),
        (Duration::from_nanos(100_000_001), "100001u"),
        (Duration::from_secs(99), "99000000u"),
        (Duration::from_secs(100), "100000m"),
        (Duration::from_hours(24), "86400000m"),
        (Duration::from_hours(24 * 30), "2592000S"),
        (Duration::MAX, "31536000S"),
    ];
    for (timeout, text) in timeouts {
        let fields = request(&Metadata::new(), Some(timeout), Encoding::Identity);
        assert_eq!(fields[4], ("grpc-timeout".to_owned(), text.to_owned()));
    }
}

#[test]
fn what_a_client_asks_a_server_understands() {
    let mut metadata = Metadata::new();
    metadata.append("tenant", "acme").unwrap();
    let timeout = Some(Duration::from_secs(3));
    let fields = request(&metadata, timeout, Encoding::Gzip);
    let fields: Fields = fields.into_iter().filter(|(name, _)| !name.starts_with(':')).collect();
    let line = RequestLine {
        method: b"POST",
        path: Some(b"/farcall.test.Notes/Take"),
        ..RequestLine::default()
    };
    let (_, head) = ServerExchange::accept(
        RequestHead::new(line, None, fields),
        Some(&TAKE),
        &Limits::default(),
    )
    .unwrap();
    assert_eq!((head.timeout, head.encoding), (timeout, Encoding::Gzip));
    assert!(head.accept.contains(Encoding::Gzip));
    assert_eq!(head.metadata.get("tenant"), Some("acme"));
}

#[test]
fn a_response_is_head_messages_trailers() {
    let mut exchange = exchange(Cardinality::Many);
    let metadata =
        exchange.receive_head(head(200, &[GRPC, ("tenant", "acme")]), false).unwrap().unwrap();
    assert_eq!(metadata.get("tenant"), Some("acme"));
    exchange.receive(envelope("one"), false);
    exchange.receive(envelope("two"), false);
    exchange.receive_trailers(trailers(&[("grpc-status", "0"), ("proof", "yes")]));
    for word in ["one", "two"] {
        let Next::Message(message) = exchange.next_message().unwrap() else {
            panic!("expected a message")
        };
        assert_eq!(message.decode_reply::<Note>(&Limits::default()).unwrap().text, word);
    }
    assert!(matches!(exchange.next_message(), Ok(Next::End)));
    assert_eq!(exchange.into_outcome().unwrap().unwrap().get("proof"), Some("yes"));
}

#[test]
fn a_reply_of_one_message_is_there_when_the_call_has_ended_well() {
    let mut exchange = begun(Cardinality::One);
    exchange.receive(envelope("only"), false);
    assert!(exchange.only_message().unwrap().is_none(), "the status may still be a failure");
    exchange.receive_trailers(trailers(&[("grpc-status", "0")]));
    let message = exchange.only_message().unwrap().unwrap();
    assert_eq!(message.decode_reply::<Note>(&Limits::default()).unwrap().text, "only");
}

#[test]
fn a_failure_after_a_message_is_a_failure() {
    let mut exchange = begun(Cardinality::One);
    exchange.receive(envelope("only"), false);
    exchange.receive_trailers(trailers(&[("grpc-status", "10"), ("grpc-message", "lost")]));
    assert_eq!(exchange.only_message().unwrap_err().to_string(), "ABORTED: lost");
}

#[test]
fn a_reply_of_none_or_two_messages_where_one_is_expected_is_unimplemented() {
    let mut none = begun(Cardinality::One);
    none.receive_trailers(trailers(&[("grpc-status", "0")]));
    assert_eq!(
        none.only_message().unwrap_err().to_string(),
        "UNIMPLEMENTED: expected one message, got none"
    );
    assert_eq!(failure(&none).code(), Code::Unimplemented);

    let mut two = begun(Cardinality::One);
    two.receive(envelope("a"), false);
    two.receive(envelope("b"), false);
    assert_eq!(
        two.only_message().unwrap_err().to_string(),
        "UNIMPLEMENTED: expected one message, got two"
    );

    let mut only_trailers = exchange(Cardinality::One);
    assert_eq!(
        only_trailers.receive_head(head(200, &[GRPC, ("grpc-status", "0")]), true).unwrap(),
        None
    );
    assert_eq!(only_trailers.only_message().unwrap_err().code(), Code::Unimplemented);
}

#[test]
fn trailers_only_is_an_immediate_error() {
    let mut exchange = exchange(Cardinality::One);
    let fields = [GRPC, ("grpc-status", "5"), ("grpc-message", "no%20such user"), ("shard", "7")];
    assert_eq!(exchange.receive_head(head(200, &fields), true).unwrap(), None);
    let status = failure(&exchange);
    assert_eq!(status.to_string(), "NOT_FOUND: no such user");
    assert_eq!(status.metadata().get("shard"), Some("7"));
    assert_eq!(status.metadata().get("grpc-status"), None);
    assert_eq!(exchange.only_message().unwrap_err().code(), Code::NotFound);
    assert!(matches!(exchange.next_message(), Ok(Next::End)));
}

#[test]
fn t07_a_stream_that_ends_without_grpc_status_is_never_ok() {
    let mut no_trailers = begun(Cardinality::One);
    no_trailers.receive(envelope("whole"), true);
    let status = no_trailers.only_message().unwrap_err();
    assert_eq!(
        status.to_string(),
        "UNKNOWN: the reply ended without trailers, so without grpc-status"
    );

    let mut no_status = begun(Cardinality::One);
    no_status.receive(envelope("whole"), false);
    no_status.receive_trailers(trailers(&[("proof", "yes")]));
    let status = no_status.only_message().unwrap_err();
    assert_eq!(status.to_string(), "UNKNOWN: the reply's trailers have no grpc-status");
    assert_eq!(status.metadata().get("proof"), Some("yes"));

    let mut no_body = exchange(Cardinality::One);
    assert_eq!(no_body.receive_head(head(200, &[GRPC]), true).unwrap_err().code(), Code::Unknown);
    assert_eq!(failure(&no_body).code(), Code::Unknown);
}

#[test]
fn t07_a_reply_cut_within_a_message_is_never_ok() {
    let mut exchange = begun(Cardinality::Many);
    exchange.receive(envelope("whole").slice(..8), false);
    exchange.receive_trailers(trailers(&[("grpc-status", "0")]));
    assert_eq!(exchange.next_message().unwrap_err().code(), Code::Internal);
    assert_eq!(
        failure(&exchange).message(),
        "the stream ended within a message, after 8 of its 12 bytes"
    );
}

#[test]
fn http_status_without_grpc_status_is_mapped() {
    let table = [
        (400, Code::Internal),
        (401, Code::Unauthenticated),
        (403, Code::PermissionDenied),
        (404, Code::Unimplemented),
        (429, Code::Unavailable),
        (502, Code::Unavailable),
        (503, Code::Unavailable),
        (504, Code::Unavailable),
        (500, Code::Unknown),
        (418, Code::Unknown),
        (204, Code::Unknown),
    ];
    for (status, code) in table {
        for end in [true, false] {
            let mut exchange = exchange(Cardinality::One);
            let error = exchange
                .receive_head(head(status, &[("content-type", "text/html")]), end)
                .unwrap_err();
            assert_eq!(error.code(), code, "{status}");
            let message = format!(
                "expected a gRPC reply, got HTTP status {status} with content-type \"text/html\""
            );
            assert_eq!(failure(&exchange).message(), message);
        }
    }
}

#[test]
fn grpc_status_is_used_whatever_the_http_status_says() {
    let mut exchange = exchange(Cardinality::One);
    let fields = [GRPC, ("grpc-status", "7"), ("grpc-message", "no")];
    assert_eq!(exchange.receive_head(head(503, &fields), true).unwrap(), None);
    assert_eq!(failure(&exchange).to_string(), "PERMISSION_DENIED: no");
}

#[test]
fn a_reply_of_another_content_type_is_unknown() {
    for fields in
        [&[("content-type", "text/html")][..], &[("content-type", "application/grpc-web")], &[]]
    {
        let mut exchange = exchange(Cardinality::Many);
        assert_eq!(
            exchange.receive_head(head(200, fields), false).unwrap_err().code(),
            Code::Unknown
        );
        exchange.receive(Bytes::from_static(b"<html>"), false);
        exchange.receive_trailers(trailers(&[("grpc-status", "0")]));
        assert_eq!(failure(&exchange).code(), Code::Unknown, "the first outcome stays");
    }
}

#[test]
fn an_encoding_that_the_client_does_not_support_is_internal() {
    let mut exchange = exchange(Cardinality::One);
    let error =
        exchange.receive_head(head(200, &[GRPC, ("grpc-encoding", "lz4")]), false).unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert_eq!(
        error.message(),
        format!("grpc-encoding \"lz4\" is not supported; supported are {ACCEPTED}")
    );
}

#[test]
fn all_sixteen_codes_cross_the_wire() {
    for code in Code::ALL {
        let sent = trailers_of(Err(&Status::new(code, "why")));
        let mut exchange = begun(Cardinality::One);
        exchange.receive_trailers(sent);
        assert_eq!((failure(&exchange).code(), failure(&exchange).message()), (code, "why"));
    }
}

#[test]
fn an_error_parsing_the_returned_status_is_unknown() {
    for (value, message) in [
        ("", "grpc-status \"\": expected a number"),
        ("+5", "grpc-status \"+5\": expected a number"),
        ("five", "grpc-status \"five\": expected a number"),
        ("99999999999", "grpc-status \"99999999999\": expected a number"),
        ("17", "the peer ended the call with status 17; expected 0 to 16"),
    ] {
        let mut exchange = begun(Cardinality::One);
        exchange.receive_trailers(trailers(&[("grpc-status", value)]));
        assert_eq!(
            (failure(&exchange).code(), failure(&exchange).message()),
            (Code::Unknown, message)
        );
    }
}

#[test]
fn g12_a_broken_grpc_message_is_never_refused() {
    for (sent, received) in [
        ("plain", "plain"),
        ("%E2%98%BA", "\u{263a}"),
        ("%e2%98%ba", "\u{263a}"),
        ("100%", "100%"),
        ("%2", "%2"),
        ("%zz%41", "%zzA"),
        ("%%41", "%A"),
        ("%ff", "\u{fffd}"),
        ("%0d%0a", "\r\n"),
        ("raw \u{263a}", "raw \u{263a}"),
    ] {
        let mut exchange = begun(Cardinality::One);
        exchange.receive_trailers(trailers(&[("grpc-status", "2"), ("grpc-message", sent)]));
        assert_eq!(failure(&exchange).message(), received);
    }
}

#[test]
fn details_and_a_long_message_cross_the_wire() {
    let long = "because ".repeat(200);
    let status = Status::invalid_argument(long.clone())
        .with_detail(&Note::text("first"))
        .with_detail(&Note::text("second"));
    let mut exchange = begun(Cardinality::One);
    exchange.receive_trailers(trailers_of(Err(&status)));
    let received = failure(&exchange);
    assert_eq!(received.details(), status.details());
    assert_eq!(received.detail::<Note>(), Some(Note::text("first")));
    assert_eq!(received.message(), long, "the details hold what was cut from grpc-message");
}

#[test]
fn details_of_another_implementation_are_read() {
    // google.rpc.Status { code: 5, message: "m", details: [Any { type_url: "t/T", value: "v" }], 9: unknown }
    let fields = [
        ("grpc-status", "5"),
        ("grpc-message", "m"),
        ("grpc-status-details-bin", "CAUSAW0aCAoDdC9UEgF2SAE="),
    ];
    let mut exchange = begun(Cardinality::One);
    exchange.receive_trailers(trailers(&fields));
    let [any] = failure(&exchange).details() else { panic!("expected one detail") };
    assert_eq!((any.type_url.as_str(), &any.value[..]), ("t/T", &b"v"[..]));
}

#[test]
fn details_that_cannot_be_read_do_not_hide_the_failure() {
    for details in ["%%%", "AAAA", "GgUKA3Qv", ""] {
        let mut exchange = begun(Cardinality::One);
        let fields =
            [("grpc-status", "5"), ("grpc-message", "gone"), ("grpc-status-details-bin", details)];
        exchange.receive_trailers(trailers(&fields));
        assert_eq!(failure(&exchange).to_string(), "NOT_FOUND: gone");
        assert!(failure(&exchange).details().is_empty());
    }
}

#[test]
fn rst_stream_error_codes_are_mapped() {
    let table = [
        (0, Code::Internal),
        (1, Code::Internal),
        (2, Code::Internal),
        (3, Code::Internal),
        (4, Code::Internal),
        (6, Code::Internal),
        (7, Code::Unavailable),
        (8, Code::Cancelled),
        (9, Code::Internal),
        (10, Code::Internal),
        (11, Code::ResourceExhausted),
        (12, Code::PermissionDenied),
        (99, Code::Unknown),
    ];
    for (number, code) in table {
        let mut exchange = begun(Cardinality::One);
        exchange.receive_reset(number);
        assert_eq!(exchange.only_message().unwrap_err().code(), code, "{number}");
        assert!(failure(&exchange).message().contains(&format!("(code {number})")));
    }
}

#[test]
fn a_reset_after_the_trailers_changes_nothing() {
    let mut exchange = begun(Cardinality::One);
    exchange.receive(envelope("only"), false);
    exchange.receive_trailers(trailers(&[("grpc-status", "0")]));
    exchange.receive_reset(0);
    exchange.fail(Status::deadline_exceeded("too late"));
    assert!(exchange.only_message().unwrap().is_some());
}

#[test]
fn messages_that_came_before_a_reset_can_be_read() {
    let mut exchange = begun(Cardinality::Many);
    exchange.receive(envelope("one"), false);
    exchange.receive(envelope("cut").slice(..4), false);
    exchange.fail(Status::unavailable("connection lost"));
    assert!(matches!(exchange.next_message(), Ok(Next::Message(_))));
    assert!(matches!(exchange.next_message(), Ok(Next::End)));
    assert_eq!(failure(&exchange).message(), "connection lost");
}

#[test]
fn g01_a_reply_above_the_limit_is_resource_exhausted() {
    let mut exchange = begun(Cardinality::Many);
    exchange.receive(Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff]), false);
    assert_eq!(exchange.next_message().unwrap_err().code(), Code::ResourceExhausted);
    assert_eq!(failure(&exchange).code(), Code::ResourceExhausted);
    assert_eq!(exchange.pending(), 0);
}

#[test]
fn g11_bad_base64_in_a_reply_fails_its_call_alone() {
    let mut exchange = begun(Cardinality::Many);
    exchange.receive_trailers(trailers(&[
        ("grpc-status", "0"),
        ("trace-bin", "%%%"),
        ("trace-bin", "Zg"),
    ]));
    let trailing = exchange.outcome().unwrap().as_ref().unwrap();
    assert_eq!(trailing.get_all_bin("trace-bin").collect::<Vec<_>>(), [b"f"]);

    let mut bad_head = self::exchange(Cardinality::Many);
    assert_eq!(
        bad_head.receive_head(head(200, &[GRPC, ("trace-bin", "%%%")]), false).unwrap_err().code(),
        Code::Internal
    );
}
