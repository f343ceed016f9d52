//! The opening handshake of both ends: RFC 6455 section 4, RFC 8441 section 5, RFC 7692 section 7.

use farcall_wire::event::{RequestLine, ResponseHead};
use farcall_wire::websocket::handshake::{
    Agreed, Offer, Refused, Request, RequestTarget, accept_key, check, is_upgrade,
};
use farcall_wire::websocket::{Deflate, DeflateOptions};
use farcall_wire::{Fields, RequestHead, WebSocketLimits};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const TARGET: RequestTarget<'static> =
    RequestTarget { scheme: "http", authority: "server.example.com", path: "/chat" };

/// The head of section 1.3's request, with other fields instead of or beside its own.
fn head(method: &str, fields: &[(&str, &str)]) -> RequestHead {
    let line = RequestLine {
        method: method.as_bytes(),
        scheme: b"http",
        authority: Some(b"server.example.com"),
        path: Some(b"/chat"),
        protocol: None,
    };
    RequestHead::new(line, None, fields.iter().copied().collect())
}

fn http2_head(fields: &[(&str, &str)]) -> RequestHead {
    let line = RequestLine {
        method: b"CONNECT",
        scheme: b"https",
        authority: Some(b"server.example.com"),
        path: Some(b"/chat"),
        protocol: Some(b"websocket"),
    };
    RequestHead::new(line, None, fields.iter().copied().collect())
}

fn good(more: &[(&'static str, &'static str)]) -> RequestHead {
    let fields = [
        ("upgrade", "websocket"),
        ("sec-websocket-key", KEY),
        ("sec-websocket-version", "13"),
        ("origin", "http://example.com"),
    ];
    head("GET", &[&fields[..], more].concat())
}

fn judge(head: &RequestHead) -> Result<Offer, Refused> {
    check(head, true, &WebSocketLimits::default())
}

#[track_caller]
fn assert_refused(head: &RequestHead, status: u16) {
    let refused = judge(head).unwrap_err();
    assert_eq!(refused.status, status, "{}", refused.reason);
    assert_eq!(refused.head().get(":status"), Some(status.to_string().as_bytes()));
}

/// The response head to what a client asks, as the client sees it.
fn response(fields: &Fields) -> ResponseHead {
    let status = std::str::from_utf8(fields.get(":status").unwrap()).unwrap().parse().unwrap();
    let mut regular = fields.clone();
    regular.remove(":status");
    ResponseHead::new(status, regular)
}

/// The request head that a server makes of a client's fields.
fn received(fields: &Fields) -> RequestHead {
    let get = |name| fields.get(name).unwrap_or_default();
    let line = RequestLine {
        method: get(":method"),
        scheme: get(":scheme"),
        authority: fields.get(":authority"),
        path: fields.get(":path"),
        protocol: fields.get(":protocol"),
    };
    let regular = fields
        .iter()
        .filter(|field| !field.name.starts_with(b":"))
        .map(|field| (field.name, field.value));
    RequestHead::new(line, None, regular.collect())
}

mod section_4_2_1_reading_the_clients_opening_handshake {
    use super::*;

    #[test]
    fn section_1_3_example() {
        assert_eq!(accept_key(KEY.as_bytes()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let offer = judge(&good(&[("sec-websocket-protocol", "chat, superchat")])).unwrap();
        assert_eq!(offer.subprotocols().collect::<Vec<_>>(), ["chat", "superchat"]);
        let (head, agreed) = offer.accept(Some("chat"), None);
        let expected = Fields::from_iter([
            (":status", "101"),
            ("upgrade", "websocket"),
            ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("sec-websocket-protocol", "chat"),
        ]);
        assert_eq!(head, expected);
        assert_eq!(agreed, Agreed { subprotocol: Some("chat".into()), deflate: None });
    }

    #[test]
    fn the_method_is_get() {
        let fields =
            [("upgrade", "websocket"), ("sec-websocket-key", KEY), ("sec-websocket-version", "13")];
        assert_refused(&head("POST", &fields), 405);
        assert!(judge(&head("GET", &fields)).is_ok());
    }

    #[test]
    fn upgrade_names_websocket_in_any_case_and_among_others() {
        for (value, found) in
            [("WebSocket", true), ("h2c, websocket", true), ("websockets", false), ("h2c", false)]
        {
            assert_eq!(is_upgrade(&head("GET", &[("upgrade", value)])), found);
        }
        assert!(!is_upgrade(&head("GET", &[])));
        let fields = [("sec-websocket-key", KEY), ("sec-websocket-version", "13")];
        assert_refused(&head("GET", &fields), 426);
    }

    #[test]
    fn the_key_is_16_octets_in_base64_and_comes_once() {
        for key in ["", "short", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZSE=", "????"] {
            let fields = [
                ("upgrade", "websocket"),
                ("sec-websocket-key", key),
                ("sec-websocket-version", "13"),
            ];
            assert_refused(&head("GET", &fields), 400);
        }
        assert_refused(&good(&[("sec-websocket-key", KEY)]), 400);
        let none = [("upgrade", "websocket"), ("sec-websocket-version", "13")];
        assert_refused(&head("GET", &none), 400);
    }

    #[test]
    fn another_version_than_13_is_told_which_one_is_spoken() {
        for version in [Some("8"), Some("7, 8"), Some("013"), None] {
            let mut fields = vec![("upgrade", "websocket"), ("sec-websocket-key", KEY)];
            fields.extend(version.map(|version| ("sec-websocket-version", version)));
            let refused = judge(&head("GET", &fields)).unwrap_err();
            assert_eq!(refused.status, 426);
            assert_eq!(refused.head().get("sec-websocket-version"), Some(&b"13"[..]));
            assert_eq!(refused.head().get("upgrade"), Some(&b"websocket"[..]));
        }
    }

    #[test]
    fn w09_a_request_with_content_is_refused() {
        assert_refused(&good(&[("content-length", "5")]), 400);
        assert!(judge(&good(&[("content-length", "0")])).is_ok());
        let refused = check(&good(&[]), false, &WebSocketLimits::default()).unwrap_err();
        assert_eq!(refused.status, 400);
    }

    #[test]
    fn w06_subprotocols_are_tokens_and_few() {
        let many: String = vec!["p"; 33].join(",");
        for value in ["a b", "chat, sup@erchat", "\u{e9}", &many] {
            let fields = [
                ("upgrade", "websocket"),
                ("sec-websocket-key", KEY),
                ("sec-websocket-version", "13"),
                ("sec-websocket-protocol", value),
            ];
            assert_refused(&head("GET", &fields), 400);
        }
        let spaces = format!("a{}b", ",".repeat(16_000));
        let fields = [
            ("upgrade", "websocket"),
            ("sec-websocket-key", KEY),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", &spaces),
        ];
        assert_eq!(judge(&head("GET", &fields)).unwrap().subprotocols().count(), 2);
    }

    #[test]
    fn a_subprotocol_that_was_not_offered_is_not_chosen() {
        let offer = judge(&good(&[])).unwrap();
        let (head, agreed) = offer.accept(Some("farcall.v1"), Some(&DeflateOptions::default()));
        assert_eq!(agreed, Agreed::default());
        assert_eq!(head.len(), 3);
    }
}

mod section_4_1_client_requirements {
    use super::*;

    #[test]
    fn what_a_client_asks_a_server_of_ours_accepts() {
        for (request, end) in [(Request::http1([7; 16]), true), (Request::http2(), false)] {
            let request = request
                .subprotocol("other")
                .subprotocol("farcall.v1")
                .deflate(DeflateOptions::default());
            let head = received(&request.fields(TARGET));
            assert!(is_upgrade(&head));
            let offer = check(&head, end, &WebSocketLimits::default()).unwrap();
            let (answer, agreed) =
                offer.accept(Some("farcall.v1"), Some(&DeflateOptions::default()));
            assert_eq!(request.verify(&response(&answer)).as_ref(), Ok(&agreed));
            assert_eq!(agreed.subprotocol.as_deref(), Some("farcall.v1"));
            assert!(agreed.deflate.is_some());
        }
    }

    #[test]
    fn the_response_must_answer_the_request() {
        let request = Request::http1(*b"the sample nonce").subprotocol("chat");
        let accept = ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let upgrade = ("upgrade", "WebSocket");
        let judge = |status, fields: &[(&'static str, &'static str)]| {
            let head = ResponseHead::new(status, fields.iter().copied().collect());
            request.verify(&head).map(|agreed| agreed.subprotocol)
        };
        assert_eq!(judge(101, &[upgrade, accept]), Ok(None));
        let chat = ("sec-websocket-protocol", "chat");
        assert_eq!(judge(101, &[upgrade, accept, chat]), Ok(Some("chat".to_owned())));
        let wrong: [(u16, &[(&str, &str)]); 8] = [
            (200, &[upgrade, accept]),
            (101, &[accept]),
            (101, &[("upgrade", "h2c"), accept]),
            (101, &[upgrade]),
            (101, &[upgrade, accept, accept]),
            (101, &[upgrade, ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO=")]),
            (101, &[upgrade, accept, ("sec-websocket-protocol", "superchat")]),
            (101, &[upgrade, accept, ("sec-websocket-extensions", "permessage-deflate")]),
        ];
        for (status, fields) in wrong {
            let error = judge(status, fields).unwrap_err();
            assert!(error.to_string().starts_with("expected"), "{error}");
            assert!(error.to_string().ends_with(&status.to_string()), "{error}");
        }
    }
}

mod rfc8441_section_5 {
    use super::*;

    #[test]
    fn extended_connect_needs_no_key_and_is_answered_with_200() {
        let head = http2_head(&[
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "chat"),
            ("origin", "https://example.com"),
        ]);
        assert!(is_upgrade(&head));
        let offer = check(&head, false, &WebSocketLimits::default()).unwrap();
        let (answer, _) = offer.accept(Some("chat"), None);
        let expected = Fields::from_iter([(":status", "200"), ("sec-websocket-protocol", "chat")]);
        assert_eq!(answer, expected);
    }

    #[test]
    fn a_stream_that_has_ended_and_another_version_are_refused() {
        let head = http2_head(&[("sec-websocket-version", "13")]);
        assert_eq!(judge(&head).unwrap_err().status, 400);
        let refused = check(&http2_head(&[]), false, &WebSocketLimits::default()).unwrap_err();
        assert_eq!(refused.status, 426);
    }

    #[test]
    fn the_request_is_a_connect_with_a_protocol() {
        let fields = Request::http2().fields(TARGET);
        let expected = Fields::from_iter([
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":scheme", "http"),
            (":path", "/chat"),
            (":authority", "server.example.com"),
            ("sec-websocket-version", "13"),
        ]);
        assert_eq!(fields, expected);
        let head = ResponseHead::new(404, Fields::new());
        assert!(Request::http2().verify(&head).is_err());
    }
}

mod rfc7692_section_7 {
    use super::*;

    const TAKEOVER: DeflateOptions = DeflateOptions {
        level: 6,
        min_length: 0,
        local_no_context_takeover: false,
        remote_no_context_takeover: false,
    };

    /// What a server with `options` answers to an offer.
    fn answer(offer: &'static str, options: DeflateOptions) -> Option<(String, Deflate)> {
        let offer = judge(&good(&[("sec-websocket-extensions", offer)])).unwrap();
        let (head, agreed) = offer.accept(None, Some(&options));
        let value = head.get("sec-websocket-extensions")?;
        Some((String::from_utf8(value.to_vec()).unwrap(), agreed.deflate.unwrap()))
    }

    #[test]
    fn compression_is_agreed_only_if_both_want_it() {
        let offer = judge(&good(&[("sec-websocket-extensions", "permessage-deflate")])).unwrap();
        assert!(offer.offers_deflate());
        let (head, agreed) = offer.accept(None, None);
        assert_eq!((head.get("sec-websocket-extensions"), agreed.deflate), (None, None));
        assert_eq!(answer("x-webkit-deflate-frame", TAKEOVER), None);
    }

    #[test]
    fn the_first_offer_that_can_be_met_is_accepted() {
        let value = |offer| answer(offer, TAKEOVER).map(|(value, _)| value);
        for (offer, expected) in [
            ("permessage-deflate", "permessage-deflate"),
            ("Permessage-Deflate; client_max_window_bits", "permessage-deflate"),
            ("foo; bar=\"abc\", permessage-deflate", "permessage-deflate"),
            (
                "permessage-deflate; server_no_context_takeover; client_max_window_bits=10",
                "permessage-deflate; server_no_context_takeover",
            ),
            (
                "permessage-deflate; server_max_window_bits=8, permessage-deflate; \
                 server_max_window_bits=\"9\"",
                "permessage-deflate; server_max_window_bits=9",
            ),
            (
                "permessage-deflate; client_no_context_takeover",
                "permessage-deflate; client_no_context_takeover",
            ),
        ] {
            assert_eq!(value(offer).as_deref(), Some(expected), "{offer}");
        }
    }

    #[test]
    fn an_offer_with_parameters_against_the_rfc_is_declined() {
        for offer in [
            "permessage-deflate; unknown",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=010",
            "permessage-deflate; client_max_window_bits=99999999999",
        ] {
            assert_eq!(answer(offer, TAKEOVER), None, "{offer}");
        }
    }

    #[test]
    fn a_malformed_or_endless_field_is_refused() {
        let many: &'static str = Box::leak(vec!["x"; 33].join(",").into_boxed_str());
        for value in
            ["permessage-deflate; =", "a b", "permessage-deflate;", "x; y=\"", "x; y=\"a,b\"", many]
        {
            assert_refused(&good(&[("sec-websocket-extensions", value)]), 400);
        }
    }

    #[test]
    fn what_is_agreed_is_told_to_both_machines() {
        let (_, deflate) =
            answer("permessage-deflate; server_max_window_bits=10", TAKEOVER).unwrap();
        assert_eq!(deflate.local_window_bits, 10);
        assert!(!deflate.local_no_context_takeover && !deflate.remote_no_context_takeover);
        let (value, deflate) = answer("permessage-deflate", DeflateOptions::default()).unwrap();
        assert_eq!(
            value,
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        );
        assert!(deflate.local_no_context_takeover && deflate.remote_no_context_takeover);
    }

    #[test]
    fn a_client_refuses_an_answer_that_does_not_fit_its_offer() {
        let request = Request::http2().deflate(DeflateOptions::default());
        let judge = |value: &str| {
            let fields = Fields::from_iter([("sec-websocket-extensions", value)]);
            request.verify(&ResponseHead::new(200, fields)).map(|agreed| agreed.deflate)
        };
        let good = "permessage-deflate; server_no_context_takeover; client_max_window_bits=12";
        assert_eq!(judge(good).unwrap().unwrap().local_window_bits, 12);
        for wrong in [
            "permessage-deflate",
            "permessage-deflate; server_no_context_takeover; client_max_window_bits=8",
            "permessage-deflate; server_no_context_takeover; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover, permessage-deflate",
            "x-webkit-deflate-frame",
            "permessage-deflate; server_no_context_takeover; what",
        ] {
            assert!(judge(wrong).is_err(), "{wrong}");
        }
    }
}
