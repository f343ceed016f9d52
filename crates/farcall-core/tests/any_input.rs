//! Whatever a peer sends, there is an answer and no panic.

mod note;

use buffa::Message;
use bytes::Bytes;
use farcall_core::method::split_path;
use farcall_core::{
    Cardinality, ClientExchange, Codec, Encoding, Limits, Metadata, ServerExchange, Status,
};
use farcall_wire::event::{RequestHead, RequestLine, ResponseHead};
use farcall_wire::fields::Fields;
use note::{Note, TAKE, grpc};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Names that mean something, and others.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("content-type".to_owned()),
        Just("grpc-timeout".to_owned()),
        Just("grpc-encoding".to_owned()),
        Just("grpc-accept-encoding".to_owned()),
        Just("grpc-status".to_owned()),
        Just("grpc-message".to_owned()),
        Just("grpc-status-details-bin".to_owned()),
        Just("x-bin".to_owned()),
        "[a-z-]{0,8}",
    ]
}

/// Values that are near to something, and any bytes.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "application/grpc(\\+proto|;x|-web|\\+)?".prop_map(String::into_bytes),
        "[0-9]{0,10}[HMSmunx]?".prop_map(String::into_bytes),
        "(gzip|identity|,| )*".prop_map(String::into_bytes),
        "[A-Za-z0-9+/]{0,40}={0,3}".prop_map(String::into_bytes),
        "(%[0-9a-f]{0,2}|[a-z])*".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..30),
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    prop::collection::vec((name(), value()), 0..8).prop_map(|pairs| pairs.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_accepted_or_refused(fields in fields(), data in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut typed: Fields = [("content-type", "application/grpc")].into_iter().collect();
        typed.extend(&fields);
        for fields in [fields, typed] {
            let line = RequestLine { method: b"POST", path: Some(b"/a.B/C"), ..RequestLine::default() };
            match ServerExchange::accept(RequestHead::new(line, None, fields), Some(&TAKE), &Limits::default()) {
                Ok((mut exchange, head)) => {
                    prop_assert!(head.metadata.iter().all(|(name, _)| !name.starts_with("grpc-")));
                    exchange.receive(data.clone().into(), true);
                    let _ = exchange.only_message();
                }
                Err(refusal) => prop_assert_eq!(refusal.head.iter().next().unwrap().name, b":status"),
            }
        }
    }

    #[test]
    fn a_reply_has_an_outcome(
        status in 200_u16..600,
        head in fields(),
        trailers in fields(),
        data in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut exchange = ClientExchange::new(grpc(), Cardinality::One, &Limits::default());
        let open = exchange.receive_head(ResponseHead::new(status, head), false);
        prop_assert!(open.is_ok_and(|metadata| metadata.is_some()) != exchange.outcome().is_some());
        exchange.receive(data.into(), false);
        exchange.receive_trailers(trailers);
        let _ = exchange.only_message();
        prop_assert!(exchange.outcome().is_some());
    }

    #[test]
    fn any_message_crosses_the_wire(message in "\\PC{0,80}", control in prop::collection::vec(0_u8..0x20, 0..4)) {
        let message = message + std::str::from_utf8(&control).unwrap();
        let trailers = grpc().end(Err(&Status::aborted(message.clone())), &Metadata::new()).trailers.unwrap().into_owned();
        for field in &trailers {
            prop_assert!(field.value.iter().all(|byte| (0x20..0x7f).contains(byte)));
        }
        let mut exchange = ClientExchange::new(grpc(), Cardinality::One, &Limits::default());
        exchange.receive_trailers(trailers);
        let status = exchange.only_message().unwrap_err();
        prop_assert_eq!(status.message(), message);
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
        let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        gzip.extend(&data);
        let _ = Encoding::Gzip.decompress(&Bytes::from(gzip), 1000);
    }
}
