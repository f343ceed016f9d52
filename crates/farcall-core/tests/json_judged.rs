//! JSON as another parser and writer of it, `serde_json`, has it: the same texts are read, as the same values, and the same
//! texts are written. Limits apart, of which it has others.

use std::collections::BTreeMap;
use std::fmt::Debug;

use farcall_core::json::{self, Json, Reader, Writer};
use farcall_core::{Codec, Limits, Message, Status, UnknownFields};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

/// A message whose JSON is that of any type, and that has no binary form.
macro_rules! message {
    ($name:ident) => {
        buffa::impl_default_instance!($name);

        impl Json for $name {
            fn write(&self, writer: &mut Writer) -> json::write::Result {
                writer.by_serde(self)
            }

            fn read(&mut self, reader: &mut Reader<'_>) -> json::read::Result<bool> {
                *self = reader.by_serde()?;
                Ok(true)
            }
        }

        impl buffa::Message for $name {
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
    };
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Anything(Value);

message!(Anything);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Unit {
    #[default]
    One,
    Two,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Variant {
    Unit,
    New(i64),
    Tuple(u8, String),
    Struct { a: Option<bool>, b: () },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct New(String);

/// Bytes that ask for bytes.
#[derive(Clone, Debug, Default, PartialEq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

/// Every kind of value that serde knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Everything {
    signed: (i8, i16, i32, i64, i128),
    unsigned: (u8, u16, u32, u64, u128),
    floats: (f32, f64),
    truth: bool,
    letter: char,
    text: String,
    nothing: (),
    option: Option<Box<Everything>>,
    bytes: Bytes,
    #[serde(rename = "a \"name\"\n")]
    new: New,
    units: Vec<Unit>,
    variants: Vec<Variant>,
    by_text: BTreeMap<New, Value>,
    by_number: BTreeMap<i32, u8>,
    by_large_number: BTreeMap<Option<u128>, i128>,
    by_truth: BTreeMap<bool, char>,
    by_unit: BTreeMap<Unit, f64>,
    by_letter: BTreeMap<char, Everything>,
}

message!(Everything);

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,12}",
        "\\PC{0,20}",
        "[\u{0}-\u{1f}\"\\\\/\u{7f}a-c\u{e4}\u{20ac}\u{1f600}]{0,12}",
        "[ -~]{0,60}",
    ]
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<u64>().prop_map(Number::from),
        any::<i64>().prop_map(Number::from),
        (-20_i64..20).prop_map(Number::from),
        any::<f64>().prop_filter_map("finite", Number::from_f64),
        (-1e6..1e6).prop_filter_map("finite", Number::from_f64),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Number),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((text(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn variant() -> impl Strategy<Value = Variant> {
    prop_oneof![
        Just(Variant::Unit),
        any::<i64>().prop_map(Variant::New),
        (any::<u8>(), text()).prop_map(|(number, text)| Variant::Tuple(number, text)),
        any::<Option<bool>>().prop_map(|a| Variant::Struct { a, b: () }),
    ]
}

fn map<K: Ord + Debug, V: Debug>(
    keys: impl Strategy<Value = K>,
    values: impl Strategy<Value = V>,
) -> impl Strategy<Value = BTreeMap<K, V>> {
    prop::collection::vec((keys, values), 0..4).prop_map(BTreeMap::from_iter)
}

fn everything() -> impl Strategy<Value = Everything> {
    let numbers = (any::<(i8, i16, i32, i64, i128)>(), any::<(u8, u16, u32, u64, u128)>());
    let finite = prop::num::f32::NORMAL | prop::num::f32::ZERO | prop::num::f32::SUBNORMAL;
    let floats =
        (finite, prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL);
    let unit = || select(&[Unit::One, Unit::Two][..]);
    let scalars =
        (numbers, floats, any::<(bool, char)>(), text(), prop::collection::vec(any::<u8>(), 0..4));
    let lists = (prop::collection::vec(unit(), 0..3), prop::collection::vec(variant(), 0..4));
    let maps = (
        map(text().prop_map(New), value()),
        map(any::<i32>(), any::<u8>()),
        map(any::<u128>().prop_map(Some), any::<i128>()),
        map(any::<bool>(), any::<char>()),
        map(unit(), -1e300..1e300),
    );
    let flat = (scalars, lists, maps).prop_map(|(scalars, (units, variants), maps)| {
        let ((signed, unsigned), floats, (truth, letter), text, bytes) = scalars;
        let (by_text, by_number, by_large_number, by_truth, by_unit) = maps;
        let (new, bytes) = (New(text.clone()), Bytes(bytes));
        let mut everything = Everything {
            signed,
            unsigned,
            floats,
            truth,
            letter,
            text,
            bytes,
            new,
            ..Everything::default()
        };
        everything.units = units;
        everything.variants = variants;
        everything.by_text = by_text;
        everything.by_number = by_number;
        everything.by_large_number = by_large_number;
        everything.by_truth = by_truth;
        everything.by_unit = by_unit;
        everything
    });
    flat.prop_recursive(2, 4, 2, |inner| {
        (inner.clone(), inner).prop_map(|(outer, inner)| Everything {
            option: Some(Box::new(inner.clone())),
            by_letter: BTreeMap::from([(inner.letter, inner)]),
            ..outer
        })
    })
}

/// What a text may be damaged with.
const PARTS: [&str; 66] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "/",
    " ",
    "\n",
    "\t",
    "\r",
    "\u{0}",
    "\u{b}",
    "\u{a0}",
    "\u{feff}",
    "null",
    "true",
    "false",
    "nul",
    "True",
    "NaN",
    "Infinity",
    "-",
    "-0",
    "-0.0",
    "+1",
    "0",
    "00",
    "1",
    "9",
    ".",
    ".5",
    "1.",
    "1.5",
    "e",
    "E5",
    "e+",
    "1e5",
    "1E-7",
    "1e400",
    "-1e400",
    "1e-400",
    "0e999999999999",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "-9223372036854775808",
    "-9223372036854775809",
    "340282366920938463463374607431768211455",
    "9007199254740993.0",
    "\\u0041",
    "\\ud800",
    "\\udc00",
    "\\ud83d\\ude00",
    "\\u00zz",
    "\\u+0a1",
    "\\x",
    "\\n",
    "\"a\":",
    "{}",
    "[]",
    "\"One\"",
    "{\"New\":1}",
    "\u{1f600}",
];

/// Puts something in, takes something out or doubles it.
fn damaged(text: &str, damages: &[(u8, Index, Index, &'static str)]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for (kind, from, to, part) in damages {
        let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
        let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 12));
        match kind {
            0 => drop(text.splice(from..from, part.chars())),
            1 => drop(text.splice(from..to, part.chars())),
            2 => drop(text.drain(from..to)),
            _ => {
                let doubled = text[from..to].to_vec();
                text.splice(to..to, doubled);
            }
        }
    }
    text.into_iter().collect()
}

fn damages() -> impl Strategy<Value = Vec<(u8, Index, Index, &'static str)>> {
    prop::collection::vec((0_u8..4, any::<Index>(), any::<Index>(), select(&PARTS[..])), 1..4)
}

fn limits() -> Limits {
    Limits { max_depth: 1000, ..Limits::default() }
}

/// Whether the one who refused has a limit or a rule that the other has not.
fn is_bounded(status: &Status) -> bool {
    let message = status.message();
    message.contains("at most 64 characters")
        || message.contains("invalid type: array, expected struct")
}

fn judge<M: Message + Serialize + DeserializeOwned + Debug>(
    text: &str,
) -> Result<(), TestCaseError> {
    let own = Codec::Json.decode_request::<M>(text.as_bytes(), &limits());
    match (own, serde_json::from_slice::<M>(text.as_bytes())) {
        (Ok(own), Ok(other)) => prop_assert_eq!(own, other, "{}", text),
        (Err(own), Ok(_)) => prop_assert!(is_bounded(&own), "{}: {}", text, own),
        (Ok(_), Err(other)) => prop_assert!(false, "{}: {}", text, other),
        (Err(_), Err(_)) => {}
    }
    Ok(())
}

fn judge_both_ways<M: Message + Serialize + DeserializeOwned + Debug>(
    message: &M,
) -> Result<(), TestCaseError> {
    let mut own = bytes::BytesMut::new();
    Codec::Json.encode_into(message, usize::MAX, &mut own).unwrap();
    let other = serde_json::to_string(message).unwrap();
    prop_assert_eq!(std::str::from_utf8(&own).unwrap(), &other);
    let read: M = Codec::Json.decode_request(&own, &limits()).unwrap();
    prop_assert_eq!(&read, message);
    let formatted = serde_json::to_vec_pretty(message).unwrap();
    let read: M = Codec::Json.decode_reply(&formatted, &limits()).unwrap();
    prop_assert_eq!(&read, message);
    // A text that is cut is none, unless it is a number.
    let cut = other.char_indices().next_back().map_or(0, |(at, _)| at);
    if !other.ends_with(|last: char| last.is_ascii_digit()) {
        prop_assert!(Codec::Json.decode_request::<M>(&own[..cut], &limits()).is_err());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, rng_seed: RngSeed::Fixed(8259), ..ProptestConfig::default() })]

    #[test]
    fn any_value_is_written_and_read_alike(value in value()) {
        judge_both_ways(&Anything(value))?;
    }

    #[test]
    fn every_kind_of_value_is_written_and_read_alike(everything in everything()) {
        judge_both_ways(&everything)?;
    }

    #[test]
    fn any_text_is_read_or_refused_alike(parts in prop::collection::vec(select(&PARTS[..]), 0..12)) {
        let text = parts.concat();
        judge::<Anything>(&text)?;
        judge::<Everything>(&text)?;
        judge::<Everything>(&format!("{{\"unknown\":{text}}}"))?;
        judge::<Everything>(&format!("{{\"floats\":[1,{text}],\"by_number\":{{\"1\":2}}}}"))?;
    }

    #[test]
    fn a_damaged_text_is_read_or_refused_alike(value in value(), everything in everything(), damages in damages()) {
        let text = serde_json::to_string(&value).unwrap();
        let text = damaged(&text, &damages);
        judge::<Anything>(&text)?;
        judge::<Everything>(&format!("{{\"unknown\":{text}}}"))?;
        judge::<Everything>(&damaged(&serde_json::to_string(&everything).unwrap(), &damages))?;
    }

    #[test]
    fn a_key_is_read_or_refused_alike(key in prop_oneof![select(&PARTS[..]).prop_map(str::to_owned), "[ -~]{0,4}"]) {
        for field in ["by_text", "by_number", "by_large_number", "by_truth", "by_unit", "by_letter"] {
            for value in ["1", "\"a\"", "{}"] {
                judge::<Everything>(&format!("{{\"{field}\":{{\"{key}\":{value}}}}}"))?;
            }
        }
    }

    #[test]
    fn every_double_is_read_exactly(bits in any::<u64>(), digits in "[1-9][0-9]{0,40}\\.[0-9]{1,20}", exponent in -330_i32..300) {
        let double = f64::from_bits(bits);
        if double.is_finite() {
            judge::<Anything>(&format!("{double:e}"))?;
        }
        let text = format!("{digits}e{exponent}");
        if let (Ok(read), Ok(exact)) = (Codec::Json.decode_request::<Anything>(text.as_bytes(), &limits()), text.parse::<f64>()) {
            prop_assert_eq!(read.0.as_f64().unwrap().to_bits(), exact.to_bits());
        }
    }

    #[test]
    fn what_is_known_is_the_same_whether_the_unknown_is_refused(everything in everything(), damages in damages()) {
        let text = damaged(&serde_json::to_string(&everything).unwrap(), &damages);
        let refuse = Limits { json_unknown_fields: UnknownFields::Refuse, ..limits() };
        let ignored = Codec::Json.decode_request::<Everything>(text.as_bytes(), &limits());
        match Codec::Json.decode_request::<Everything>(text.as_bytes(), &refuse) {
            Ok(known) => prop_assert_eq!(known, ignored.unwrap()),
            Err(status) => prop_assert!(ignored.is_err() || status.message().contains("unknown field")),
        }
    }

    #[test]
    fn a_text_is_never_longer_than_the_limit(everything in everything(), limit in any::<Index>()) {
        let len = serde_json::to_vec(&everything).unwrap().len();
        let mut out = bytes::BytesMut::new();
        prop_assert!(Codec::Json.encode_into(&everything, len, &mut out).is_ok());
        out.clear();
        prop_assert!(Codec::Json.encode_into(&everything, limit.index(len), &mut out).is_err());
        prop_assert!(out.is_empty());
    }
}
