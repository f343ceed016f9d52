//! Whatever a peer sends, there is an answer and no panic.

mod note;

use buffa::Message;
use bytes::Bytes;
use farcall_core::method::split_path;
use farcall_core::{
    Cardinality, ClientExchange, Codec, Dialect, Encoding, Limits, Metadata, Next, Protocol,
    ServerExchange, Status, UnknownFields,
};
use farcall_wire::event::{RequestHead, RequestLine, ResponseHead};
use farcall_wire::fields::Fields;
use note::{CHAT, Note, READ, TAKE, grpc};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Names that mean something, and others.
fn name() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 16] = [
        "content-type",
        "content-length",
        "content-encoding",
        "accept-encoding",
        "connect-timeout-ms",
        "connect-protocol-version",
        "connect-content-encoding",
        "connect-accept-encoding",
        "grpc-timeout",
        "grpc-encoding",
        "grpc-accept-encoding",
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "trailer-x",
        "x-bin",
    ];
    prop_oneof![4 => prop::sample::select(&KNOWN[..]).prop_map(str::to_owned), 1 => "[a-z-]{0,8}"]
}

/// Values that are near to something, and any bytes.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "application/(grpc|grpc-web|grpc-web-text|connect|json|proto)(\\+(proto|json)|;x|-web|\\+)?"
            .prop_map(String::into_bytes),
        "[0-9]{0,11}[HMSmunx]?".prop_map(String::into_bytes),
        "(gzip|identity|zstd|;q=0|,| )*".prop_map(String::into_bytes),
        "[A-Za-z0-9+/]{0,40}={0,3}".prop_map(String::into_bytes),
        "(%[0-9a-f]{0,2}|[a-z])*".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..30),
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    prop::collection::vec((name(), value()), 0..8).prop_map(|pairs| pairs.into_iter().collect())
}

/// Bodies that are near to something, and any bytes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        "(grpc-status: [0-9]{1,2}\r\n|[a-z]{0,3}:? ?[a-z]{0,3}\r?\n?){0,3}"
            .prop_map(String::into_bytes),
        "\\{(\"(error|metadata|code|message|details|a)\":(null|\\{|\\}|\"b\"|\\[|\\]|1),?){0,5}\\}"
            .prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    let flag = prop::sample::select(&[0_u8, 0, 0, 1, 2, 3, 0x80, 0x81, 7][..]);
    let envelope = (flag, payload.clone())
        .prop_map(|(flag, payload)| [vec![flag, 0, 0, 0, payload.len() as u8], payload].concat());
    prop_oneof![
        prop::collection::vec(envelope, 0..4).prop_map(|envelopes| envelopes.concat()),
        payload,
        "[A-Za-z0-9+/]{0,40}={0,3}".prop_map(String::into_bytes),
    ]
}

/// Every dialect there is.
fn dialects() -> Vec<Dialect> {
    let mut dialects = Vec::new();
    for codec in [Codec::Proto, Codec::Json] {
        for method in [&TAKE, &CHAT] {
            for protocol in [Protocol::Grpc, Protocol::GrpcWeb, Protocol::Connect] {
                dialects.push(Dialect::for_call(protocol, codec, method));
            }
        }
        dialects.push(Dialect::for_call(Protocol::GrpcWeb, codec, &TAKE).text());
    }
    dialects
}

/// The fields with a dialect's own content type in front.
fn typed(dialect: Dialect, fields: &Fields) -> Fields {
    let head = dialect.response_head(&Metadata::new(), Encoding::Identity);
    let mut typed = Fields::new();
    typed.push("content-type", head.get("content-type").unwrap());
    typed.extend(fields);
    typed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_accepted_or_refused(fields in fields(), data in body(), split in any::<prop::sample::Index>()) {
        let heads = dialects().into_iter().map(|dialect| typed(dialect, &fields));
        for fields in heads.chain([fields.clone()]) {
            for method in [Some(&TAKE), Some(&CHAT), None] {
                let line = RequestLine { method: b"POST", path: Some(b"/a.B/C"), ..RequestLine::default() };
                match ServerExchange::accept(RequestHead::new(line, None, fields.clone()), method, &Limits::default()) {
                    Ok((mut exchange, head)) => {
                        let own = |name: &str| name.starts_with("grpc-") || name.starts_with("connect-");
                        prop_assert!(head.metadata.iter().all(|(name, _)| !own(name)));
                        let data = Bytes::from(data.clone());
                        let split = split.index(data.len() + 1);
                        exchange.receive(data.slice(..split), false);
                        let _ = exchange.next_message();
                        exchange.receive(data.slice(split..), true);
                        while let Ok(Next::Message(message)) = exchange.next_message() {
                            let _ = message.decode_request::<Note>(&Limits::default());
                        }
                        prop_assert!(!matches!(exchange.next_message(), Ok(Next::Pending)));
                    }
                    Err(refusal) => prop_assert_eq!(refusal.head.iter().next().unwrap().name, b":status"),
                }
            }
        }
    }

    #[test]
    fn a_get_is_accepted_or_refused(query in "((connect|encoding|message|base64|compression|x)(=|)([a-z0-9%+_-]{0,6}|v1|json|proto|gzip|%7B%7D)&?){0,6}", fields in fields()) {
        let path = format!("/a.B/C?{query}");
        for method in [Some(&READ), Some(&TAKE), None] {
            let line = RequestLine { method: b"GET", path: Some(path.as_bytes()), ..RequestLine::default() };
            let head = RequestHead::new(line, None, fields.clone());
            let _ = Protocol::of(&head);
            if let Ok((mut exchange, _)) = ServerExchange::accept(head, method, &Limits::default()) {
                let message = exchange.only_message().unwrap().unwrap();
                let _ = message.decode_request::<Note>(&Limits::default());
            }
        }
    }

    #[test]
    fn a_reply_has_an_outcome(
        status in prop_oneof![Just(200_u16), 200_u16..600],
        head in fields(),
        trailers in fields(),
        data in body(),
        split in any::<prop::sample::Index>(),
    ) {
        for (dialect, is_typed, by_trailers) in dialects().into_iter().flat_map(|dialect| {
            [(dialect, false, false), (dialect, true, false), (dialect, true, true)]
        }) {
            let head = if is_typed { typed(dialect, &head) } else { head.clone() };
            let mut exchange = ClientExchange::new(dialect, Cardinality::One, &Limits::default());
            let open = exchange.receive_head(ResponseHead::new(status, head), false);
            prop_assert!(open.is_ok_and(|metadata| metadata.is_some()) != exchange.outcome().is_some());
            let data = Bytes::from(data.clone());
            let split = split.index(data.len() + 1);
            exchange.receive(data.slice(..split), false);
            let _ = exchange.only_message();
            exchange.receive(data.slice(split..), !by_trailers);
            if by_trailers {
                exchange.receive_trailers(trailers.clone());
            }
            let _ = exchange.only_message();
            prop_assert!(exchange.outcome().is_some());
        }
    }

    #[test]
    fn the_end_of_a_body_is_said_by_the_server_alone(data in body(), cut in any::<prop::sample::Index>()) {
        // Whatever precedes it, a body without its end is no success.
        for protocol in [Protocol::GrpcWeb, Protocol::Connect] {
            let dialect = Dialect::for_call(protocol, Codec::Proto, &CHAT);
            let end = dialect.end(Ok(()), &Metadata::new()).body.unwrap();
            let cut = cut.index(end.len());
            let body = [&data[..], &end[..cut]].concat();
            let mut exchange = ClientExchange::new(dialect, Cardinality::Many, &Limits::default());
            let head = typed(dialect, &Fields::new());
            exchange.receive_head(ResponseHead::new(200, head), false).unwrap();
            exchange.receive(body.into(), true);
            let is_said = data.windows(2).any(|pair| pair == [0x80, 0] || pair == [2, 0] || pair == [0x81, 0] || pair == [3, 0]);
            prop_assert!(is_said || exchange.outcome().unwrap().is_err());
        }
    }

    #[test]
    fn any_message_crosses_the_wire(message in "\\PC{0,80}", control in prop::collection::vec(0_u8..0x20, 0..4)) {
        let message = message + std::str::from_utf8(&control).unwrap();
        let (none, status) = (Metadata::new(), Status::aborted(message.clone()));
        for dialect in dialects() {
            let failure = dialect.failure(&status, &none, &none);
            let mut head = Fields::new();
            for field in failure.head.iter().filter(|field| field.name != b":status") {
                prop_assert!(field.value.iter().all(|byte| (0x20..0x7f).contains(byte)));
                head.push_field(field);
            }
            let mut exchange = ClientExchange::new(dialect, Cardinality::One, &Limits::default());
            let status = if dialect.is_bare() { 409 } else { 200 };
            let _ = exchange.receive_head(ResponseHead::new(status, head), failure.body.is_none());
            if let Some(body) = failure.body {
                exchange.receive(body, true);
            }
            let status = exchange.only_message().unwrap_err();
            prop_assert_eq!(status.message(), message.as_str());
        }
    }

    #[test]
    fn binary_metadata_crosses_the_wire(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4)) {
        let mut metadata = Metadata::new();
        for value in &values {
            metadata.append_bin("x-bin", value).unwrap();
        }
        let fields = grpc().end(Ok(()), &metadata).trailers.unwrap().into_owned();
        let mut exchange = ClientExchange::new(grpc(), Cardinality::Many, &Limits::default());
        exchange.receive_trailers(fields);
        let received = exchange.into_outcome().unwrap().unwrap();
        prop_assert_eq!(received.get_all_bin("x-bin").collect::<Vec<_>>(), values);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(data in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = Codec::Proto.decode_request::<Note>(&data, &Limits::default());
        let mut damaged = Note::text("text").encode_to_vec();
        damaged.extend(&data);
        let _ = Codec::Proto.decode_request::<Note>(&damaged, &Limits::default());
        let _ = split_path(&data);
        let _ = Codec::Json.decode_request::<Note>(&data, &Limits::default());
    }

    #[test]
    fn any_text_is_decoded_or_refused(text in "(\\{|\\}|\\[|\\]|,|:|\"(text|child|many|\\\\|x)?\"?|[0-9eE.+-]{1,4}|null|true){0,30}") {
        let _ = Codec::Json.decode_request::<Note>(text.as_bytes(), &Limits::default());
        let refuse = Limits { json_unknown_fields: UnknownFields::Refuse, ..Limits::default() };
        if let Ok(note) = Codec::Json.decode_request::<Note>(text.as_bytes(), &refuse) {
            prop_assert_eq!(Codec::Json.decode_request::<Note>(text.as_bytes(), &Limits::default()).unwrap(), note);
        }
    }

    #[test]
    fn any_compressed_bytes_are_decompressed_or_refused(data in prop::collection::vec(any::<u8>(), 0..60), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        for encoding in Encoding::ALL {
            let mut good = Vec::new();
            encoding.compress(b"some text that some text is", &mut good).unwrap();
            let mut damaged = good.clone();
            damaged[at.index(good.len())] ^= 1_u8 << bit;
            for data in [data.clone(), [&good[..at.index(good.len())], &data].concat(), damaged] {
                let _ = encoding.decompress(&Bytes::from(data), 1000);
            }
        }
    }
}
