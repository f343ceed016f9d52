//! RFC 9113 section 8: requests, responses, trailers, and what makes them malformed.

mod support;

use bytes::Bytes;
use farcall_wire::http2::{Config, ErrorCode};
use farcall_wire::{Event, StreamId};
use support::pair::{request_head, response_head, status_trailers};
use support::raw::{Raw, Sent};

const LINE: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "https"), (":path", "/a"), (":authority", "host")];

/// A request's line and these fields.
fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    LINE.iter().chain(more).copied().collect()
}

/// A request's line without one of its fields.
fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    LINE.iter().filter(|(other, _)| *other != name).copied().collect()
}

fn is_malformed(pairs: &[(&str, &str)]) -> bool {
    let mut raw = Raw::server();
    raw.pairs(1, pairs, true);
    let malformed = raw.resets() == [(1, ErrorCode::ProtocolError)];
    assert_eq!(raw.events().is_empty(), malformed);
    raw.request(3, true);
    assert_eq!(raw.events().len(), 1, "the connection goes on");
    malformed
}

// Section 8.1

#[test]
fn s8_1_a_request_may_have_trailers() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.data(1, b"body", false);
    raw.pairs(1, &[("checksum", "1")], true);
    let events = raw.events();
    let [
        Event::Request { end: false, .. },
        Event::Data { end: false, .. },
        Event::Trailers { fields, .. },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(fields.get("checksum"), Some(&b"1"[..]));
}

#[test]
fn s8_1_headers_within_the_content_must_end_the_stream() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.pairs(1, &[("checksum", "1")], false);
    assert_eq!(raw.resets(), [(1, ErrorCode::ProtocolError)]);
}

#[test]
fn s8_1_trailers_have_no_pseudo_fields() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.pairs(1, &[(":path", "/")], true);
    assert_eq!(raw.resets(), [(1, ErrorCode::ProtocolError)]);
}

#[test]
fn h37_a_second_block_of_trailers_is_refused() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.pairs(1, &[("checksum", "1")], true);
    raw.pairs(1, &[("checksum", "2")], true);
    assert_eq!(raw.resets(), [(1, ErrorCode::StreamClosed)]);
}

#[test]
fn s8_1_a_response_that_is_complete_ends_a_request_that_is_not() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.events();
    raw.answer(1, b"enough");
    let sent = raw.sent();
    assert_eq!(sent.last(), Some(&Sent::Reset { stream: 1, code: ErrorCode::NoError }));
    assert_eq!(raw.engine.active_streams(), 0);
    raw.data(1, b"late", true);
    assert_eq!((raw.events(), raw.resets()), (vec![], vec![]));
}

// Section 8.1.1

#[test]
fn h33_content_must_be_as_long_as_its_content_length() {
    let cases: [(&str, &[&[u8]], bool); 7] = [
        ("4", &[b"body"], true),
        ("4", &[b"bo", b"dy"], true),
        ("3", &[b"body"], false),
        ("5", &[b"body"], false),
        ("5", &[b"bo", b"dy"], false),
        ("0", &[b"body"], false),
        ("0", &[b""], true),
    ];
    for (length, pieces, legal) in cases {
        let mut raw = Raw::server();
        raw.pairs(1, &with(&[("content-length", length)]), false);
        for (at, piece) in pieces.iter().enumerate() {
            raw.data(1, piece, at + 1 == pieces.len());
        }
        assert_eq!(raw.resets().is_empty(), legal, "{length} {pieces:?}");
    }
}

#[test]
fn h33_content_lengths_that_contradict_or_are_no_numbers_are_malformed() {
    assert!(is_malformed(&with(&[("content-length", "4"), ("content-length", "5")])));
    for length in ["", "+4", "-4", "0x4", "4,4", "4 4", "99999999999999999999"] {
        assert!(is_malformed(&with(&[("content-length", length)])), "{length}");
    }
    assert!(is_malformed(&with(&[("content-length", "4")])), "the request has ended");
    assert!(!is_malformed(&with(&[("content-length", "0"), ("content-length", "0")])));
}

#[test]
fn h33_trailers_do_not_excuse_missing_content() {
    let mut raw = Raw::server();
    raw.pairs(1, &with(&[("content-length", "4")]), false);
    raw.data(1, b"bo", false);
    raw.pairs(1, &[("checksum", "1")], true);
    assert_eq!(raw.resets(), [(1, ErrorCode::ProtocolError)]);
}

#[test]
fn s8_1_1_the_response_to_head_has_a_content_length_and_no_content() {
    let mut raw = Raw::client();
    let mut head = request_head();
    head = head
        .iter()
        .map(|field| (field.name, if field.name == b":method" { b"HEAD" } else { field.value }))
        .collect();
    raw.engine.open(&head, true).unwrap();
    raw.pairs(1, &[(":status", "200"), ("content-length", "1000")], true);
    assert!(matches!(raw.events()[..], [Event::Response { end: true, .. }]));
}

#[test]
fn s8_1_1_a_response_shorter_than_its_content_length_is_malformed() {
    let mut raw = Raw::client();
    raw.engine.open(&request_head(), true).unwrap();
    raw.pairs(1, &[(":status", "200"), ("content-length", "10")], false);
    raw.data(1, b"short", true);
    assert_eq!(raw.resets(), [(1, ErrorCode::ProtocolError)]);
}

// Section 8.2

#[test]
fn h32_illegal_names_and_values_are_malformed() {
    for name in ["Upper", "", "sp ace", "nul\0", "col:on"] {
        assert!(is_malformed(&with(&[(name, "value")])), "{name:?}");
    }
    for value in ["cr\r", "lf\n", "nul\0"] {
        assert!(is_malformed(&with(&[("name", value)])), "{value:?}");
    }
}

#[test]
fn h32_connection_specific_fields_are_malformed() {
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"] {
        assert!(is_malformed(&with(&[(name, "value")])), "{name}");
    }
    assert!(is_malformed(&with(&[("te", "gzip")])));
    assert!(is_malformed(&with(&[("te", "trailers, gzip")])));
    assert!(!is_malformed(&with(&[("te", "trailers")])));
}

// Section 8.3.1

#[test]
fn h32_pseudo_fields_are_complete_single_known_and_first() {
    for name in [":method", ":scheme", ":path"] {
        assert!(is_malformed(&without(name)), "{name}");
    }
    assert!(!is_malformed(&without(":authority")));
    for twice in LINE {
        assert!(is_malformed(&with(&[twice])), "{twice:?}");
    }
    assert!(is_malformed(&with(&[(":status", "200")])));
    assert!(is_malformed(&with(&[(":protocol", "websocket")])));
    assert!(is_malformed(&with(&[(":unknown", "x")])));
    let mut late = without(":path");
    late.extend([("regular", "x"), (":path", "/")]);
    assert!(is_malformed(&late));
    let mut empty = without(":path");
    empty.push((":path", ""));
    assert!(is_malformed(&empty));
}

#[test]
fn s8_3_1_host_and_authority_agree_and_name_no_user() {
    assert!(!is_malformed(&with(&[("host", "HOST")])));
    assert!(is_malformed(&with(&[("host", "other")])));
    let mut user = without(":authority");
    user.push((":authority", "user@host"));
    assert!(is_malformed(&user));
}

// Section 8.5 and RFC 8441

#[test]
fn s8_5_connect_has_an_authority_and_nothing_else() {
    assert!(!is_malformed(&[(":method", "CONNECT"), (":authority", "host:443")]));
    assert!(is_malformed(&[(":method", "CONNECT")]));
    assert!(is_malformed(&[(":method", "CONNECT"), (":authority", "host:443"), (":path", "/")]));
}

#[test]
fn h35_extended_connect_works_only_where_it_is_allowed() {
    let pairs = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/"),
        (":authority", "h"),
    ];
    assert!(is_malformed(&pairs));
    let mut raw = Raw::server_with(Config { extended_connect: true, ..Config::default() });
    raw.pairs(1, &pairs, false);
    let events = raw.events();
    let [Event::Request { head, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((head.protocol(), head.path()), (Some(&b"websocket"[..]), &b"/"[..]));
    raw.pairs(3, &with(&[(":protocol", "websocket")]), false);
    assert_eq!(raw.resets(), [(3, ErrorCode::ProtocolError)]);
}

// Section 8.3.2

#[test]
fn s8_3_2_a_response_has_one_status_of_three_digits() {
    let cases: [&[(&str, &str)]; 6] = [
        &[("server", "x")],
        &[(":status", "20")],
        &[(":status", "2000")],
        &[(":status", "abc")],
        &[(":status", "200"), (":status", "200")],
        &[(":status", "200"), (":path", "/")],
    ];
    for pairs in cases {
        let mut raw = Raw::client();
        raw.engine.open(&request_head(), true).unwrap();
        raw.pairs(1, pairs, true);
        assert_eq!(raw.resets(), [(1, ErrorCode::ProtocolError)], "{pairs:?}");
        let events = raw.events();
        assert!(
            matches!(events[..], [Event::Reset { code: ErrorCode::ProtocolError, .. }]),
            "{events:?}"
        );
    }
}

#[test]
fn s8_1_data_before_the_response_is_malformed() {
    let mut raw = Raw::client();
    raw.engine.open(&request_head(), true).unwrap();
    raw.data(1, b"x", false);
    assert_eq!(raw.resets(), [(1, ErrorCode::ProtocolError)]);
}

#[test]
fn h37_sixteen_interim_responses_are_taken() {
    let mut raw = Raw::client();
    raw.engine.open(&request_head(), true).unwrap();
    for _ in 0..16 {
        raw.pairs(1, &[(":status", "103"), ("link", "</style.css>")], false);
    }
    assert_eq!(raw.events().len(), 16);
    assert_eq!(raw.resets(), []);
    raw.pairs(1, &[(":status", "103")], false);
    assert_eq!(raw.resets(), [(1, ErrorCode::EnhanceYourCalm)]);
}

#[test]
fn s8_1_interim_responses_neither_end_the_stream_nor_switch_protocols() {
    for (status, end) in [("100", true), ("101", false)] {
        let mut raw = Raw::client();
        raw.engine.open(&request_head(), true).unwrap();
        raw.pairs(1, &[(":status", status)], end);
        assert_eq!(raw.resets(), [(1, ErrorCode::ProtocolError)]);
    }
}

#[test]
fn a_server_sends_interim_responses_before_the_response() {
    let mut raw = Raw::server();
    raw.request(1, true);
    let stream = StreamId(1);
    let interim = [(":status", "103")].into_iter().collect();
    raw.engine.send_head(stream, &interim, false).unwrap();
    assert!(raw.engine.send_data(stream, Bytes::from_static(b"early"), false).is_err());
    raw.engine.send_head(stream, &response_head(), false).unwrap();
    assert!(raw.engine.send_head(stream, &response_head(), false).is_err());
    raw.engine.send_trailers(stream, &status_trailers()).unwrap();
    assert!(raw.engine.send_trailers(stream, &status_trailers()).is_err());
    let sent = raw.sent();
    assert!(
        matches!(
            sent[..],
            [
                Sent::Headers { end: false, .. },
                Sent::Headers { end: false, .. },
                Sent::Headers { end: true, .. }
            ]
        ),
        "{sent:?}"
    );
}

#[test]
fn trailers_without_fields_are_an_empty_end() {
    let mut raw = Raw::server();
    raw.request(1, true);
    raw.engine.send_head(StreamId(1), &response_head(), false).unwrap();
    raw.engine.send_trailers(StreamId(1), &farcall_wire::Fields::new()).unwrap();
    assert_eq!(raw.sent().last(), Some(&Sent::Data { stream: 1, data: vec![], end: true }));
}
