//! HPACK encoding: what becomes a table entry, what never does, and table size updates.

use bytes::BytesMut;
use farcall_wire::fields::Fields;
use farcall_wire::hpack::{Decoder, Encoder, ListLimits};

const LIMITS: ListLimits = ListLimits { max_fields: 100, max_size: 16 * 1024 };

fn encode(encoder: &mut Encoder, pairs: &[(&str, &str)]) -> Vec<u8> {
    let fields: Fields = pairs.iter().copied().collect();
    let mut block = BytesMut::new();
    encoder.encode(&fields, &mut block);
    block.to_vec()
}

/// A field of the tables (RFC 7541 section 6.1); indexes below 127.
fn indexed(index: u8) -> u8 {
    0x80 | index
}

/// How many times in a row the encoder writes more than an index for the same field.
fn literals_before_index(name: &str, value: &str) -> usize {
    let mut encoder = Encoder::new(4096);
    (0..5).take_while(|_| encode(&mut encoder, &[(name, value)]).len() > 2).count()
}

/// The first octet's pattern of a never-indexed literal (RFC 7541 section 6.2.3).
fn is_never_indexed(block: &[u8]) -> bool {
    block[0] & 0xf0 == 0x10
}

#[test]
fn secrets_are_never_indexed() {
    for (name, value) in [
        ("authorization", "Bearer abcdefghijklmnopqrstuvwxyz"),
        ("proxy-authorization", "Basic abcdefghijklmnop"),
        ("cookie", "short=1"),
    ] {
        let mut encoder = Encoder::new(4096);
        for _ in 0..3 {
            let block = encode(&mut encoder, &[(name, value)]);
            assert!(is_never_indexed(&block), "{name}: {block:x?}");
            assert!(block.len() > 5, "{name}: {block:x?}");
        }
    }
    assert_eq!(literals_before_index("cookie", "long=abcdefghijklmnopqrstuvwxyz"), 1);
}

#[test]
fn sensitive_fields_are_never_indexed_even_when_a_table_has_them() {
    let mut encoder = Encoder::new(4096);
    encode(&mut encoder, &[("x-key", "value"), ("x-key", "value")]);
    let mut secrets = Fields::new();
    secrets.push_sensitive("x-key", "value");
    secrets.push_sensitive(":method", "GET");
    for secret in &secrets {
        let mut block = BytesMut::new();
        let mut alone = Fields::new();
        alone.push_field(secret);
        encoder.encode(&alone, &mut block);
        assert!(is_never_indexed(&block), "{secret:?}: {block:x?}");
        let mut fields = Fields::new();
        let mut decoder = Decoder::new(4096);
        decoder.decode(b"\x40\x05x-key\x05value", LIMITS, &mut Fields::new()).unwrap();
        decoder.decode(&block, LIMITS, &mut fields).unwrap();
        assert!(fields.iter().eq([secret]));
    }
}

#[test]
fn values_of_high_churn_names_are_not_indexed() {
    for name in [
        "content-length",
        "etag",
        "grpc-timeout",
        "grpc-message",
        "grpc-status-details-bin",
        "traceparent",
    ] {
        let mut encoder = Encoder::new(4096);
        encode(&mut encoder, &[(name, "first-value"), ("user-agent", "test/1")]);
        let before = encode(&mut encoder, &[("user-agent", "test/1")]);
        for round in 0..200 {
            encode(&mut encoder, &[(name, &format!("value-{round}"))]);
        }
        assert_eq!(encode(&mut encoder, &[("user-agent", "test/1")]), before, "{name}");
    }
}

#[test]
fn name_of_a_high_churn_field_is_written_once() {
    let mut encoder = Encoder::new(4096);
    assert!(encode(&mut encoder, &[("grpc-timeout", "1000m")]).len() > 10);
    assert_eq!(encode(&mut encoder, &[("grpc-timeout", "1100m")]), b"\x0f\x2f\x84\x08\x40\x0a\x7f");
}

#[test]
fn constant_fields_are_indexed_at_first_sight() {
    for (name, value) in
        [("user-agent", "test/1"), ("te", "trailers"), ("content-type", "application/grpc")]
    {
        assert_eq!(literals_before_index(name, value), 1, "{name}");
    }
    assert_eq!(literals_before_index(":method", "POST"), 0);
}

#[test]
fn path_is_indexed_at_second_sight() {
    assert_eq!(literals_before_index(":path", "/package.Service/Method"), 2);
}

#[test]
fn request_of_a_repeated_call_is_one_octet_per_field() {
    let mut encoder = Encoder::new(4096);
    let mut lens = Vec::new();
    for round in 0..40 {
        let path = format!("/package.Service/Method{}", round % 10);
        let request = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", &path),
            (":authority", "localhost:50051"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", "farcall/0.1.0"),
            ("grpc-accept-encoding", "identity, gzip"),
        ];
        lens.push(encode(&mut encoder, &request).len());
    }
    assert_eq!(lens[20..], [8; 20]);
}

#[test]
fn paths_that_do_not_repeat_evict_nothing() {
    let mut encoder = Encoder::new(4096);
    encode(&mut encoder, &[("user-agent", "test/1")]);
    for round in 0..500 {
        encode(&mut encoder, &[(":path", &format!("/item/{round}?and=some-more-octets"))]);
    }
    assert_eq!(encode(&mut encoder, &[("user-agent", "test/1")]), [indexed(62)]);
}

#[test]
fn unknown_names_with_a_new_value_each_time_evict_nothing() {
    let mut encoder = Encoder::new(4096);
    encode(&mut encoder, &[("x-number", "none"), ("user-agent", "test/1")]);
    for round in 0..500 {
        encode(&mut encoder, &[("x-number", &format!("{round} and some more octets"))]);
    }
    assert_eq!(encode(&mut encoder, &[("user-agent", "test/1")]), [indexed(62)]);
}

#[test]
fn entry_of_most_of_the_table_is_not_indexed() {
    assert_eq!(literals_before_index("user-agent", &"x".repeat(3500)), 5);
    assert_eq!(literals_before_index("user-agent", &"x".repeat(2500)), 1);
}

#[test]
fn string_is_huffman_coded_only_if_that_is_shorter() {
    let mut encoder = Encoder::new(0);
    assert_eq!(encode(&mut encoder, &[("age", "00")]), b"\x0f\x06\x0200");
    assert_eq!(encode(&mut encoder, &[("age", "000")]), b"\x0f\x06\x82\x00\x01");
    assert_eq!(encode(&mut encoder, &[("age", "")]), [indexed(21)]);
}

#[test]
fn long_values_have_lengths_of_several_octets() {
    let value: String = (0..300_u32).map(|number| char::from(b'!' + (number % 90) as u8)).collect();
    let mut encoder = Encoder::new(4096);
    let block = encode(&mut encoder, &[("x-long", &value)]);
    let mut fields = Fields::new();
    Decoder::new(4096).decode(&block, LIMITS, &mut fields).unwrap();
    assert_eq!(fields.get("x-long"), Some(value.as_bytes()));
}

#[test]
fn table_is_capped_at_4096_octets() {
    let mut encoder = Encoder::new(65536);
    encoder.set_max_table_size(1 << 20);
    let mut decoder = Decoder::new(4096);
    for round in 0..1000 {
        let value = format!("value-{round}");
        let block = encode(&mut encoder, &[("accept-language", &value)]);
        let mut fields = Fields::new();
        decoder.decode(&block, LIMITS, &mut fields).unwrap();
        assert_eq!(fields.get("accept-language"), Some(value.as_bytes()));
    }
    let oldest = encode(&mut encoder, &[("accept-language", "value-920")]);
    let mut fields = Fields::new();
    decoder.decode(&oldest, LIMITS, &mut fields).unwrap();
    assert_eq!(fields.get("accept-language"), Some(&b"value-920"[..]));
}

#[test]
fn smaller_settings_lead_to_a_table_size_update() {
    let mut encoder = Encoder::new(4096);
    encoder.set_max_table_size(100);
    assert_eq!(encode(&mut encoder, &[(":method", "GET")]), [0x3f, 100 - 31, 0x82]);
    assert_eq!(encode(&mut encoder, &[(":method", "GET")]), [0x82]);
}

#[test]
fn two_changes_of_settings_lead_to_two_updates() {
    let mut encoder = Encoder::new(4096);
    for size in [2000, 20, 3000, 65536] {
        encoder.set_max_table_size(size);
    }
    assert_eq!(encode(&mut encoder, &[]), [0x34, 0x3f, 0xe1, 0x1f]);
}

#[test]
fn settings_above_the_cap_lead_to_no_update() {
    let mut encoder = Encoder::new(4096);
    encoder.set_max_table_size(65536);
    assert_eq!(encode(&mut encoder, &[(":method", "GET")]), [0x82]);
}

#[test]
fn table_of_zero_octets_is_not_used() {
    let mut encoder = Encoder::new(0);
    for _ in 0..3 {
        assert_eq!(
            encode(&mut encoder, &[("user-agent", "~~")])[0] & 0xf0,
            0,
            "literal without indexing"
        );
    }
}

#[test]
fn a_block_that_comes_again_is_the_same_until_the_table_changes() {
    let mut encoder = Encoder::new(4096);
    let mut decoder = Decoder::new(4096);
    let head = [(":status", "200"), ("content-type", "application/grpc"), ("x-name", "value")];
    let expected: Fields = head.into_iter().collect();
    let mut send = |encoder: &mut Encoder, pairs: &[(&str, &str)]| {
        let block = encode(encoder, pairs);
        let mut fields = Fields::new();
        decoder.decode(&block, LIMITS, &mut fields).unwrap();
        (block, fields)
    };
    for _ in 0..3 {
        assert_eq!(send(&mut encoder, &head).1, expected);
    }
    let (same, _) = send(&mut encoder, &head);
    assert_eq!(same.len(), head.len(), "references alone: {same:x?}");
    assert_eq!(send(&mut encoder, &head).0, same);
    for number in 0..200 {
        // Other fields of as many, so that they take the same place, and new ones, so that the table moves on.
        let value = format!("value {number}");
        let other = [(":status", "200"), ("te", "trailers"), ("x-other", &*value)];
        send(&mut encoder, &other);
        send(&mut encoder, &other);
        let (block, fields) = send(&mut encoder, &head);
        assert_eq!(fields, expected, "{number}: {block:x?}");
        assert_eq!(send(&mut encoder, &head).1, expected);
    }
    encoder.set_max_table_size(0);
    for _ in 0..2 {
        assert_eq!(send(&mut encoder, &head).1, expected);
    }
}
