//! Messages as JSON, within limits.

mod note;

use bytes::{Bytes, BytesMut};
use farcall_core::json::{self, Json, Reader, Writer};
use farcall_core::{
    Code, Codec, Dialect, Encoding, Limits, Protocol, Sender, Status, UnknownFields,
};
use note::{CHAT, Note, TAKE};

fn read(text: &str) -> Result<Note, Status> {
    read_within(text, &Limits::default())
}

fn read_within(text: &str, limits: &Limits) -> Result<Note, Status> {
    Codec::Json.decode_request(text.as_bytes(), limits)
}

fn sender(protocol: Protocol, limits: &Limits) -> Sender {
    let method = if protocol == Protocol::Connect { &TAKE } else { &CHAT };
    let dialect = Dialect::for_call(protocol, Codec::Json, method);
    Sender::new(dialect, Encoding::Identity, limits)
}

#[test]
fn a_message_is_its_json_in_an_envelope_or_without() {
    let limits = Limits::default();
    let note = Note { many: vec![Note::text("a"), Note::default()], ..Note::text("hello\n") };
    let json = br#"{"text":"hello\n","many":[{"text":"a"},{}]}"#;
    let enveloped = [&[0, 0, 0, 0, json.len() as u8], &json[..]].concat();
    assert_eq!(sender(Protocol::Connect, &limits).envelope(&note, false).unwrap(), &json[..]);
    assert_eq!(sender(Protocol::Grpc, &limits).envelope(&note, false).unwrap(), enveloped);
    for protocol in [Protocol::Grpc, Protocol::Connect] {
        let mut out = BytesMut::from("before");
        let sender = sender(protocol, &limits);
        sender.envelope_into(&note, false, &mut out).unwrap();
        assert_eq!(out[6..], sender.envelope(&note, false).unwrap());
    }
    assert_eq!(Codec::Json.decode_reply::<Note>(json, &limits).unwrap(), note);
}

#[test]
fn a_message_above_the_limit_for_sending_is_not_sent() {
    let limits = Limits { max_send_message: 100, ..Limits::default() };
    let fits = Note::text("a".repeat(100 - r#"{"text":""}"#.len()));
    let large = Note::text("a".repeat(101 - r#"{"text":""}"#.len()));
    for protocol in [Protocol::Grpc, Protocol::Connect] {
        let sender = sender(protocol, &limits);
        assert!(sender.envelope(&fits, false).is_ok());
        let mut out = BytesMut::from("before");
        let status = sender.envelope_into(&large, false, &mut out).unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.message().contains("the limit for sending is 100"), "{status}");
        assert_eq!(out, "before");
    }
}

#[test]
fn what_is_no_message_is_said_to_be_none_and_where() {
    for (text, what) in [
        ("", "expected a value, got the end of the text at line 1 column 0"),
        ("{", "expected a name in quotes, got the end of the text at line 1 column 1"),
        ("null", "invalid type: null, expected an object at line 1 column 4"),
        ("[\"a\"]", "invalid type: array, expected an object at line 1 column 1"),
        (
            r#"{"text":1}"#,
            "invalid type: integer `1`, expected a string at line 1 column 9, in \"text\"",
        ),
        (r#"{"text":1.5}"#, "invalid type: floating point `1.5`, expected a string"),
        (r#"{"text":"a"} x"#, "expected the end of the text, got 'x' at line 1 column 14"),
        ("{\"text\":\"a\",}", "expected a name in quotes, got '}' at line 1 column 13"),
        ("{\"text\":\"a\"]", "expected a comma or '}', got ']' at line 1 column 12"),
        ("{\"text\" \"a\"}", "expected a colon, got '\"' at line 1 column 9"),
        ("{'text':1}", "expected a name in quotes, got '\\'' at line 1 column 2"),
        ("{\"many\":[{},]}", "expected a value, got ']' at line 1 column 13, in \"many[1]\""),
        ("{\"text\":\"a\u{0}\"}", "expected the rest of a string, got '\\0' at line 1 column 11"),
        ("{\"text\":\"a", "expected the rest of a string, got the end of the text"),
        ("\u{feff}{}", "expected a value, got '\\u{feff}' at line 1 column 1"),
        (r#"{"text":"\ud800"}"#, "expected both halves of a surrogate pair, got '\\\\'"),
        (r#"{"text":"\ud800\u0041"}"#, "expected both halves of a surrogate pair"),
        (r#"{"text":"\udc00"}"#, "expected both halves of a surrogate pair"),
        (r#"{"text":"\u+123"}"#, "expected four hexadecimal digits in an escape"),
        (r#"{"text":"\x"}"#, "expected an escape of JSON, got '\\\\' at line 1 column 10"),
        (r#"{"text":nul}"#, "expected null, got 'n' at line 1 column 9"),
        (r#"{"text":01}"#, "expected no digit behind a leading zero, got '1'"),
        (r#"{"text":-}"#, "expected a digit, got '}' at line 1 column 10"),
        (r#"{"text":1e400}"#, "expected a number that a double can hold, got '1'"),
        (
            "{\n  \"child\": {\n    \"many\": {}\n  }\n}",
            "expected an array at line 3 column 13, in \"child.many\"",
        ),
    ] {
        let status = read(text).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{text}");
        assert!(status.message().contains(what), "{status}");
        let head = format!("{} bytes are no Note: ", text.len());
        assert!(status.message().starts_with(&head), "{status}");
        let reply = Codec::Json.decode_reply::<Note>(text.as_bytes(), &Limits::default());
        assert_eq!(reply.unwrap_err().code(), Code::Internal);
    }
    let text = b"{\"text\":\"\xc3\xa4\xff\"}";
    let status = Codec::Json.decode_request::<Note>(text, &Limits::default()).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let what = "expected UTF-8, got the byte 0xff at line 1 column 11, in \"text\"";
    assert!(status.message().ends_with(what), "{status}");
}

#[test]
fn g08_a_doubled_key_is_refused() {
    let status = read(r#"{"text":"a","text":"b"}"#).unwrap_err();
    assert!(status.message().contains("duplicate field `text`"), "{status}");
}

#[test]
fn g08_a_depth_of_100_is_read_and_101_is_not() {
    let nested =
        |depth: usize| format!("{}{{}}{}", r#"{"child":"#.repeat(depth), "}".repeat(depth));
    assert!(read(&nested(99)).is_ok());
    let status = read(&nested(100)).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("more than 100 levels of nesting, the limit"), "{status}");
    // In fields that nobody knows too, and however deep.
    for depth in [100, 1_000_000] {
        assert!(read(&format!(r#"{{"x":{}"#, "[".repeat(depth))).is_err());
        assert!(read(&"[".repeat(depth)).is_err());
    }
    let deep = Limits { max_depth: 1000, ..Limits::default() };
    assert!(read_within(&nested(126), &deep).is_ok());
    assert!(read_within(&nested(127), &deep).is_err(), "no more than the parser takes");
    let brackets_in_texts = format!(r#"{{"text":"{}\\"}}"#, r#"[{\"[{"#.repeat(200));
    assert!(read(&brackets_in_texts).is_ok());
}

#[test]
fn g08_a_number_has_at_most_64_characters() {
    let with = |number: &str| format!(r#"{{"unknown":{number}}}"#);
    assert!(read(&with(&"1".repeat(64))).is_ok());
    for number in ["1".repeat(65), format!("-0.{}e+1", "0".repeat(60)), "9".repeat(1_000_000)] {
        let status = read(&with(&number)).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("at most 64 characters"), "{status}");
    }
    let digits_in_texts = format!(r#"{{"text":"{}"}}"#, "1".repeat(1000));
    assert!(read(&digits_in_texts).is_ok());
}

#[test]
fn g05_elements_are_bounded_by_what_they_may_take_in_memory() {
    let limits = Limits { max_element_memory: 100 * 256 + 100 * 64 + 256, ..Limits::default() };
    let many = |count: usize| format!(r#"{{"many":[{}]}}"#, vec!["{}"; count].join(","));
    assert_eq!(read_within(&many(100), &limits).unwrap().many.len(), 100);
    let status = read_within(&many(101), &limits).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    // By default, four megabytes of the smallest elements.
    assert_eq!(read(&many(1_300_000)).unwrap_err().code(), Code::ResourceExhausted);
    assert!(read(&many(100_000)).is_ok());
    // Numbers and fields are cheap.
    let numbers = format!(r#"{{"unknown":[{}]}}"#, vec!["1"; 500_000].join(","));
    assert!(read(&numbers).is_ok());
    let fields = format!(r#"{{{}"a":1}}"#, r#""a":1,"#.repeat(600_000));
    assert!(read(&fields).is_ok());
}

#[test]
fn unknown_fields_are_ignored_or_refused_as_chosen() {
    let refuse = Limits { json_unknown_fields: UnknownFields::Refuse, ..Limits::default() };
    let text = r#"{"text":"a","child":{"newer":{"deep":[1]}},"many":[{},{"other":1}]}"#;
    let note = read(text).unwrap();
    assert_eq!(note.many.len(), 2);
    let status = read_within(text, &refuse).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(
        status.message().contains("unknown field \"child.newer\" at line 1 column"),
        "{status}"
    );
    let status = read_within(r#"{"many":[{},{"other":1}]}"#, &refuse).unwrap_err();
    assert!(status.message().contains("unknown field \"many[1].other\""), "{status}");
    let known = r#"{"text":"a","child":{"text":"b"},"many":[{},{}]}"#;
    assert_eq!(read_within(known, &refuse).unwrap(), read(known).unwrap());
    assert!(read_within("{} x", &refuse).is_err());
    let long = format!(r#"{{"{}":1}}"#, "\u{e4}".repeat(1000));
    assert!(read_within(&long, &refuse).unwrap_err().message().len() < 250, "a quote is short");
}

/// A message that has no JSON form.
#[derive(Clone, Debug, Default, PartialEq)]
struct Mute;

impl Json for Mute {
    fn write(&self, _: &mut Writer) -> json::write::Result {
        Err(json::write::Error::new("a duration of 20,000 years"))
    }

    fn read(&mut self, _: &mut Reader<'_>) -> json::read::Result<bool> {
        Err(json::read::Error::new("nothing to say"))
    }
}

buffa::impl_default_instance!(Mute);

impl buffa::Message for Mute {
    fn compute_size(&self, _: &mut buffa::SizeCache) -> u32 {
        0
    }

    fn write_to(&self, _: &mut buffa::SizeCache, _: &mut impl buffa::EncodeSink) {}

    fn merge_field(
        &mut self,
        tag: buffa::encoding::Tag,
        buf: &mut impl bytes::Buf,
        ctx: buffa::DecodeContext<'_>,
    ) -> Result<(), buffa::DecodeError> {
        buffa::encoding::skip_field_depth(tag, buf, ctx.depth())
    }

    fn clear(&mut self) {}
}

#[test]
fn a_message_without_a_json_form_is_not_sent() {
    let status = sender(Protocol::Grpc, &Limits::default()).envelope(&Mute, false).unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(status.message(), "Mute to send has no JSON form: a duration of 20,000 years");
}

#[test]
fn json_is_compressed_like_anything_else() {
    let dialect = Dialect::for_call(Protocol::Connect, Codec::Json, &TAKE);
    let sender = Sender::new(dialect, Encoding::Gzip, &Limits::default());
    let note = Note::text("a".repeat(1000));
    let body: Bytes = sender.envelope(&note, true).unwrap();
    assert!(body.len() < 100);
    assert_eq!(sender.announced(true), Encoding::Gzip);
    assert_eq!(sender.announced(false), Encoding::Identity);
    let plain = Encoding::Gzip.decompress(&body, 10_000).unwrap();
    assert_eq!(Codec::Json.decode_request::<Note>(&plain, &Limits::default()).unwrap(), note);
}
