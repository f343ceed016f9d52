//! Generated messages speak protobuf's canonical JSON, with nothing but `farcall` among their dependencies.

#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
#![allow(clippy::unwrap_used)]

/// What `farcall::include_protos!()` includes.
mod proto {
    include!("snapshots/json.rs");
}

use std::fmt::Debug;

use bytes::BytesMut;
use farcall::buffa::{Message, MessageField};
use farcall::{Code, Codec, Limits, UnknownFields};
use proto::google::protobuf::{
    Any, Duration, Empty, FieldMask, ListValue, NullValue, Struct, Timestamp, Value,
};
use proto::json::v1::shapes::Kind;
use proto::json::v1::{Colour, EchoClient, Scalars, Shapes, WellKnown};

fn written<M: farcall::Message>(message: &M) -> farcall::Result<String> {
    let mut text = BytesMut::new();
    Codec::Json.encode_into(message, 1_000_000, &mut text)?;
    Ok(String::from_utf8(text.into()).unwrap())
}

fn read<M: farcall::Message>(json: &str) -> farcall::Result<M> {
    let limits = Limits { json_unknown_fields: UnknownFields::Refuse, ..Limits::default() };
    Codec::Json.decode_request(json.as_bytes(), &limits)
}

/// The message's JSON is exactly this text, and the text is the message again.
fn same<M: farcall::Message + PartialEq + Debug>(message: &M, json: &str) {
    assert_eq!(written(message).unwrap(), json);
    assert_eq!(&read::<M>(json).unwrap(), message);
}

/// The text is a message whose JSON is the other text.
fn becomes<M: farcall::Message>(json: &str, canonical: &str) {
    let message: M = read(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert_eq!(written(&message).unwrap(), canonical, "{json}");
}

fn refused<M: farcall::Message + Debug>(json: &str) {
    assert!(read::<M>(json).is_err(), "{json}");
}

/// Makes the types known to `Any`, as a program's first client or service does.
fn register() {
    struct Nobody;
    impl proto::json::v1::Echo for Nobody {
        async fn scalars(&self, _: Scalars, _: &mut farcall::Call) -> farcall::Result<Scalars> {
            Err(farcall::Status::unimplemented(""))
        }
        async fn well_known(
            &self,
            _: WellKnown,
            _: &mut farcall::Call,
        ) -> farcall::Result<WellKnown> {
            Err(farcall::Status::unimplemented(""))
        }
        async fn shapes(&self, _: Shapes, _: &mut farcall::Call) -> farcall::Result<Shapes> {
            Err(farcall::Status::unimplemented(""))
        }
    }
    let service = proto::json::v1::Echo::into_service(Nobody);
    assert_eq!(service.name(), "json.v1.Echo");
}

#[test]
fn numbers_of_64_bits_are_strings_and_others_are_numbers() {
    let message = Scalars {
        small: -1,
        large: i64::MIN,
        unsigned_large: u64::MAX,
        single: 1.1,
        double: 1e300,
        yes_or_no: true,
        fixed: 1,
        ..Scalars::default()
    };
    same(
        &message,
        r#"{"small":-1,"large":"-9223372036854775808","unsignedLarge":"18446744073709551615","single":1.1,"double":1e+300,"yesOrNo":true,"fixed":"1"}"#,
    );
    becomes::<Scalars>(r#"{"large": 7, "small": "8"}"#, r#"{"small":8,"large":"7"}"#);
    for wrong in [r#"{"small": 2147483648}"#, r#"{"small": 0.5}"#, r#"{"unsignedLarge": "-1"}"#] {
        refused::<Scalars>(wrong);
    }
    // Escapes are no part of a value, and a value may be written in many ways.
    let same = r#"{"small":12}"#;
    for json in [
        r#"{"small":"12"}"#,
        r#"{"small":"1\u0032"}"#,
        r#"{"small":1.2e1}"#,
        r#"{"small":"1200e-2"}"#,
    ] {
        becomes::<Scalars>(json, same);
    }
    for json in [
        "12.5",
        r#""""#,
        r#"" 12""#,
        r#""+12""#,
        r#""012""#,
        "2147483648",
        "1e400",
        r#""1e999999999999""#,
        "true",
    ] {
        refused::<Scalars>(&format!(r#"{{"small":{json}}}"#));
    }
    let large = r#"{"large":"9007199254740993"}"#;
    for json in ["9007199254740993", "9007199254740993.0", "9.007199254740993e15"] {
        becomes::<Scalars>(&format!(r#"{{"large":{json}}}"#), large);
    }
    for (json, double) in [
        ("0.1", 0.1),
        ("1.5e0", 1.5),
        ("123456789.123456", 123_456_789.123_456),
        (r#""-0.25""#, -0.25),
        ("4.35", 4.35),
    ] {
        let message: Scalars = read(&format!(r#"{{"double":{json}}}"#)).unwrap();
        assert!((message.double - double).abs() <= 0.0, "{json}");
    }
}

#[test]
fn a_number_that_is_none_is_a_word() {
    let message =
        Scalars { single: f32::INFINITY, double: f64::NEG_INFINITY, ..Scalars::default() };
    same(&message, r#"{"single":"Infinity","double":"-Infinity"}"#);
    let text = written(&Scalars { double: f64::NAN, ..Scalars::default() }).unwrap();
    assert_eq!(text, r#"{"double":"NaN"}"#);
    assert!(read::<Scalars>(&text).unwrap().double.is_nan());
}

#[test]
fn bytes_are_base64_and_fields_go_by_their_json_name_or_their_own() {
    let message = Scalars { data: vec![0xfb, 0xff], renamed: "x".into(), ..Scalars::default() };
    same(&message, r#"{"data":"+/8=","other":"x"}"#);
    becomes::<Scalars>(r#"{"data":"-_8","renamed":"x"}"#, r#"{"data":"+/8=","other":"x"}"#);
}

#[test]
fn what_is_not_set_is_left_out_and_null_is_not_set() {
    same(&Scalars::default(), "{}");
    same(&Scalars { maybe: Some(0), ..Scalars::default() }, r#"{"maybe":0}"#);
    becomes::<Scalars>(r#"{"text":null,"maybe":null,"small":null}"#, "{}");
    becomes::<Shapes>(r#"{"inner":null,"more":null,"byName":null,"word":null}"#, "{}");
}

#[test]
fn an_enum_is_its_name_or_its_number() {
    let message = Shapes {
        colour: Colour::COLOUR_RED.into(),
        colours: vec![Colour::COLOUR_ALSO_RED.into(), 7.into()],
        ..Shapes::default()
    };
    same(&message, r#"{"colour":"COLOUR_RED","colours":["COLOUR_ALSO_RED",7]}"#);
    becomes::<Shapes>(r#"{"colour":1}"#, r#"{"colour":"COLOUR_RED"}"#);
    refused::<Shapes>(r#"{"colour":"COLOUR_NOBODY_KNOWS"}"#);
}

#[test]
fn a_map_is_an_object_whatever_its_keys_are() {
    let message = Shapes {
        by_name: [("a".to_owned(), -1)].into_iter().collect(),
        by_number: [(-2, Scalars::default())].into_iter().collect(),
        by_truth: [(true, Colour::COLOUR_RED.into())].into_iter().collect(),
        ..Shapes::default()
    };
    same(&message, r#"{"byName":{"a":"-1"},"byNumber":{"-2":{}},"byTruth":{"true":"COLOUR_RED"}}"#);
    refused::<Shapes>(r#"{"byNumber":{"x":{}}}"#);
}

#[test]
fn a_oneof_has_one_of_its_fields() {
    let word = Shapes { kind: Some(Kind::Word("w".into())), ..Shapes::default() };
    same(&word, r#"{"word":"w"}"#);
    same(&Shapes { kind: Some(Kind::Count(1)), ..Shapes::default() }, r#"{"count":"1"}"#);
    let nothing = Kind::Nothing(NullValue::NULL_VALUE.into());
    same(&Shapes { kind: Some(nothing), ..Shapes::default() }, r#"{"nothing":null}"#);
    refused::<Shapes>(r#"{"word":"w","count":"1"}"#);
}

#[test]
fn a_name_that_comes_twice_is_refused() {
    refused::<Scalars>(r#"{"small":1,"small":2}"#);
    refused::<Scalars>(r#"{"other":"a","renamed":"b"}"#);
    refused::<Shapes>(r#"{"inner":{},"inner":{}}"#);
    refused::<Shapes>(r#"{"byName":{},"by_name":{}}"#);
}

#[test]
fn timestamps_durations_and_masks_are_text() {
    let time = Timestamp { seconds: 0, nanos: 1_000_000, ..Timestamp::default() };
    let message = WellKnown {
        duration: Duration { seconds: -1, nanos: -500_000_000, ..Duration::default() }.into(),
        mask: FieldMask { paths: vec!["a.b_c".into()], ..FieldMask::default() }.into(),
        time: time.clone().into(),
        times: vec![time],
        ..WellKnown::default()
    };
    same(
        &message,
        r#"{"duration":"-1.500s","mask":"a.bC","time":"1970-01-01T00:00:00.001Z","times":["1970-01-01T00:00:00.001Z"]}"#,
    );
    becomes::<WellKnown>(
        r#"{"time":"1970-01-01T01:00:00+01:00"}"#,
        r#"{"time":"1970-01-01T00:00:00Z"}"#,
    );
    for wrong in [r#"{"time":"10000-01-01T00:00:00Z"}"#, r#"{"duration":"315576000001s"}"#] {
        refused::<WellKnown>(wrong);
    }
}

#[test]
fn a_struct_is_the_json_that_it_holds() {
    let fields = [
        ("n".to_owned(), Value::from(1.0)),
        (
            "l".to_owned(),
            Value::from(ListValue { values: vec![Value::null()], ..Default::default() }),
        ),
    ];
    let message = WellKnown {
        r#struct: Struct { fields: fields.into_iter().collect(), ..Struct::default() }.into(),
        value: Value::null().into(),
        ..WellKnown::default()
    };
    // By way of serde's traits, which every message has too.
    let json = serde_json::to_value(&message).unwrap();
    assert_eq!(json, serde_json::json!({"struct": {"n": 1.0, "l": [null]}, "value": null}));
    assert_eq!(serde_json::from_value::<WellKnown>(json).unwrap(), message);
}

#[test]
fn a_wrapper_is_what_it_wraps() {
    let message = WellKnown {
        int64: MessageField::some(5_i64.into()),
        string: MessageField::some(String::new().into()),
        bytes: MessageField::some(vec![1_u8].into()),
        ..WellKnown::default()
    };
    same(&message, r#"{"int64":"5","string":"","bytes":"AQ=="}"#);
}

#[test]
fn an_empty_message_is_an_empty_object() {
    same(
        &WellKnown { empty: MessageField::some(Empty::default()), ..WellKnown::default() },
        r#"{"empty":{}}"#,
    );
}

fn any_of(message: &impl Message, type_url: &str) -> WellKnown {
    WellKnown { any: Any::pack(message, type_url).into(), ..WellKnown::default() }
}

#[test]
fn an_any_unfolds_what_it_holds() {
    register();
    let inner = Scalars { large: 1, text: "t".into(), ..Scalars::default() };
    same(
        &any_of(&inner, Scalars::TYPE_URL),
        r#"{"any":{"@type":"type.googleapis.com/json.v1.Scalars","large":"1","text":"t"}}"#,
    );
    let time = Timestamp::default();
    same(
        &any_of(&time, Timestamp::TYPE_URL),
        r#"{"any":{"@type":"type.googleapis.com/google.protobuf.Timestamp","value":"1970-01-01T00:00:00Z"}}"#,
    );
    let nested = any_of(&inner, Scalars::TYPE_URL);
    same(
        &any_of(&*nested.any, Any::TYPE_URL),
        r#"{"any":{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type":"type.googleapis.com/json.v1.Scalars","large":"1","text":"t"}}}"#,
    );
    refused::<WellKnown>(r#"{"any":{"@type":"type.googleapis.com/json.v1.Scalars","large":"x"}}"#);
}

#[test]
fn a_client_makes_the_types_known_too() {
    let _client = EchoClient::new(farcall::Server::new().in_process());
    same(
        &any_of(&WellKnown::default(), WellKnown::TYPE_URL),
        r#"{"any":{"@type":"type.googleapis.com/json.v1.WellKnown"}}"#,
    );
}

#[test]
fn any_inside_of_any_ends_somewhere() {
    register();
    let nested = |depth: usize| {
        let mut any = Any::pack(&Scalars::default(), Scalars::TYPE_URL);
        for _ in 1..depth {
            any = Any::pack(&any, Any::TYPE_URL);
        }
        any
    };
    let text = written(&nested(8)).unwrap();
    assert_eq!(read::<Any>(&text).unwrap(), nested(8));
    assert!(written(&nested(9)).is_err());
    let deeper = format!(r#"{{"@type":"{}","value":{text}}}"#, Any::TYPE_URL);
    refused::<Any>(&deeper);
}

/// As deep as bytes may be, in as many `Any`s as there may be, on the stack that a thread has.
#[test]
fn the_deepest_message_fits_the_stack() {
    register();
    let chain = |depth: usize| {
        let mut shapes = Shapes::default();
        for _ in 0..depth {
            shapes = Shapes { inner: shapes.into(), ..Shapes::default() };
        }
        shapes
    };
    let mut message = WellKnown::default();
    for level in (0..8).rev() {
        let shapes = chain(100 / (level + 2) - 2);
        let mut anys = vec![Any::pack(&shapes, Shapes::TYPE_URL)];
        anys.push(Any::pack(&message, WellKnown::TYPE_URL));
        message = WellKnown { anys, ..WellKnown::default() };
    }
    let text = std::thread::spawn(move || written(&message)).join().unwrap();
    assert!(text.is_ok());
}

#[test]
fn what_a_message_does_not_know_is_ignored_or_refused_by_choice() {
    let decode = |json: &str, json_unknown_fields| {
        let limits = Limits { json_unknown_fields, ..Limits::default() };
        let scalars = Codec::Json.decode_request::<Scalars>(json.as_bytes(), &limits).map(|_| ());
        let shapes = Codec::Json.decode_request::<Shapes>(json.as_bytes(), &limits).map(|_| ());
        scalars.and(shapes)
    };
    let unknown = r#"{"nobody":{"knows":[1]}}"#;
    assert!(decode(unknown, UnknownFields::Ignore).is_ok());
    let status = decode(unknown, UnknownFields::Refuse).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("nobody"), "{status}");
    assert!(decode("{}", UnknownFields::Refuse).is_ok());
}
