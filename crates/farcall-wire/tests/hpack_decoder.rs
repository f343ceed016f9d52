//! HPACK decoding: what RFC 7541 demands of blocks, what RFC 9113 forbids in fields, and the limits
//! of a list.

use farcall_wire::fields::Fields;
use farcall_wire::hpack::{Decoded, Decoder, Error, ListLimits};

const LIMITS: ListLimits = ListLimits { max_fields: 100, max_size: 16 * 1024 };

fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<(Fields, Decoded), Error> {
    let mut fields = Fields::new();
    let decoded = decoder.decode(block, LIMITS, &mut fields)?;
    Ok((fields, decoded))
}

fn decode_alone(block: &[u8]) -> Result<(Fields, Decoded), Error> {
    decode(&mut Decoder::new(4096), block)
}

/// A field of the tables (RFC 7541 section 6.1); indexes below 127.
fn indexed(index: u8) -> u8 {
    0x80 | index
}

/// A literal with incremental indexing and a new name, without Huffman code; lengths are below 127.
fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut block = vec![0x40, name.len() as u8];
    block.extend_from_slice(name);
    block.push(value.len() as u8);
    block.extend_from_slice(value);
    block
}

fn list(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().copied().collect()
}

mod coding {
    use super::*;

    #[test]
    fn block_may_be_empty() {
        let (fields, decoded) = decode_alone(b"").unwrap();
        assert!(fields.is_empty());
        assert_eq!(decoded, Decoded::default());
    }

    #[test]
    fn index_zero_is_an_error() {
        assert_eq!(decode_alone(&[0x80]), Err(Error::Index { got: 0, last: 61 }));
    }

    #[test]
    fn index_behind_the_tables_is_an_error() {
        assert_eq!(decode_alone(&[indexed(62)]), Err(Error::Index { got: 62, last: 61 }));
        assert_eq!(decode_alone(&[0x7e, 0x00]), Err(Error::Index { got: 62, last: 61 }));
        assert_eq!(decode_alone(&[0x0f, 47, 0x00]), Err(Error::Index { got: 62, last: 61 }));
        let mut decoder = Decoder::new(4096);
        decode(&mut decoder, &literal(b"a", b"1")).unwrap();
        assert_eq!(decode(&mut decoder, &[indexed(62)]).unwrap().0, list(&[("a", "1")]));
        assert_eq!(decode(&mut decoder, &[indexed(63)]), Err(Error::Index { got: 63, last: 62 }));
    }

    #[test]
    fn integer_of_five_octets_is_the_longest() {
        // Index 2 cannot be padded, 127 can: prefix and four octets are legal as an integer, not as
        // an index.
        assert_eq!(
            decode_alone(&[0xff, 0x80, 0x80, 0x80, 0x00]),
            Err(Error::Index { got: 127, last: 61 })
        );
        assert_eq!(decode_alone(&[0xff, 0x80, 0x80, 0x80, 0x80, 0x00]), Err(Error::IntegerTooLong));
        assert_eq!(decode_alone(&[0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]), Err(Error::IntegerTooLong));
    }

    #[test]
    fn block_that_ends_inside_a_field_is_an_error() {
        for block in [
            &b"\x3f"[..],
            b"\x7f",
            b"\x0f",
            b"\xff\x80",
            b"\x40",
            b"\x40\x01",
            b"\x40\x01a",
            b"\x40\x01a\x02b",
        ] {
            assert_eq!(decode_alone(block), Err(Error::Truncated), "{block:?}");
        }
    }

    #[test]
    fn string_longer_than_the_block_is_an_error_at_once() {
        assert_eq!(decode_alone(&[0x40, 0x7f, 0xff, 0xff, 0xff, 0x7f]), Err(Error::Truncated));
    }

    #[test]
    fn never_indexed_literal_is_sensitive() {
        let (fields, _) = decode_alone(b"\x10\x01a\x011\x00\x01b\x012").unwrap();
        let sensitive: Vec<bool> = fields.iter().map(|field| field.sensitive).collect();
        assert_eq!(sensitive, [true, false]);
    }
}

mod dynamic_table {
    use super::*;

    #[test]
    fn literal_without_indexing_is_no_entry() {
        let mut decoder = Decoder::new(4096);
        decode(&mut decoder, b"\x00\x01a\x011\x10\x01b\x012").unwrap();
        assert_eq!(decode(&mut decoder, &[indexed(62)]), Err(Error::Index { got: 62, last: 61 }));
    }

    #[test]
    fn oldest_entries_are_evicted_first() {
        let mut decoder = Decoder::new(2 * 34);
        decode(
            &mut decoder,
            &[literal(b"a", b"1"), literal(b"b", b"2"), literal(b"c", b"3")].concat(),
        )
        .unwrap();
        let (fields, _) = decode(&mut decoder, &[indexed(62), indexed(63)]).unwrap();
        assert_eq!(fields, list(&[("c", "3"), ("b", "2")]));
        assert_eq!(decode(&mut decoder, &[indexed(64)]), Err(Error::Index { got: 64, last: 63 }));
    }

    #[test]
    fn entry_larger_than_the_table_empties_it() {
        let mut decoder = Decoder::new(64);
        decode(&mut decoder, &literal(b"a", b"1")).unwrap();
        let (fields, decoded) = decode(&mut decoder, &literal(b":path", &[b'x'; 60])).unwrap();
        assert_eq!(fields.get(":path"), Some(&[b'x'; 60][..]));
        assert_eq!(decoded.path_token, None);
        assert_eq!(decode(&mut decoder, &[indexed(62)]), Err(Error::Index { got: 62, last: 61 }));
    }

    #[test]
    fn new_entry_may_have_the_name_of_the_entry_it_evicts() {
        let mut decoder = Decoder::new(40);
        decode(&mut decoder, &literal(b"name", b"old")).unwrap();
        let (fields, _) = decode(&mut decoder, b"\x7e\x03new\xbe").unwrap();
        assert_eq!(fields, list(&[("name", "new"), ("name", "new")]));
    }

    #[test]
    fn entries_survive_many_insertions() {
        let mut decoder = Decoder::new(4096);
        for round in 0_u32..2000 {
            let value = round.to_string();
            let (fields, _) =
                decode(&mut decoder, &[literal(b"round", value.as_bytes()), vec![0xbe]].concat())
                    .unwrap();
            assert_eq!(fields, list(&[("round", &value), ("round", &value)]));
        }
        let entries = (4096_u32 / (32 + 5 + 4)) as u8;
        let (fields, _) = decode(&mut decoder, &[0xff, entries + 61 - 127]).unwrap();
        assert_eq!(fields, list(&[("round", &(2000 - u32::from(entries)).to_string())]));
    }
}

mod table_size_update {
    use super::*;

    #[test]
    fn evicts_entries() {
        let mut decoder = Decoder::new(4096);
        decode(&mut decoder, &literal(b"a", b"1")).unwrap();
        assert_eq!(decode(&mut decoder, &[0x20, 0xbe]), Err(Error::Index { got: 62, last: 61 }));
    }

    #[test]
    fn above_the_limit_is_an_error() {
        assert!(decode_alone(&[0x3f, 0xe1, 0x1f]).is_ok());
        assert_eq!(
            decode_alone(&[0x3f, 0xe2, 0x1f]),
            Err(Error::TableSizeAboveLimit { got: 4097, limit: 4096 })
        );
    }

    #[test]
    fn behind_a_field_is_an_error() {
        assert_eq!(decode_alone(&[0x82, 0x20]), Err(Error::TableSizeUpdateMisplaced));
    }

    #[test]
    fn may_come_twice_but_not_three_times() {
        assert!(decode_alone(&[0x20, 0x3f, 0xe1, 0x1f, 0x82]).is_ok());
        assert_eq!(decode_alone(&[0x20, 0x21, 0x20]), Err(Error::TableSizeUpdateMisplaced));
    }

    #[test]
    fn must_follow_smaller_settings() {
        let mut decoder = Decoder::new(4096);
        decoder.set_max_table_size(100);
        assert_eq!(decode(&mut decoder, &[0x82]), Err(Error::TableSizeUpdateMissing));
        let mut decoder = Decoder::new(4096);
        decoder.set_max_table_size(100);
        assert!(decode(&mut decoder, &[0x3f, 100 - 31, 0x82]).is_ok());
        assert!(decode(&mut decoder, &[0x82]).is_ok());
        assert_eq!(
            decode(&mut decoder, &[0x3f, 101 - 31]),
            Err(Error::TableSizeAboveLimit { got: 101, limit: 100 })
        );
    }

    #[test]
    fn must_name_the_smallest_settings_in_between() {
        for (block, expected) in [
            (&[0x3f, 100 - 31, 0x3f, 0xe1, 0x1f, 0x82][..], Ok(())),
            (&[0x3f, 100 - 31, 0x82][..], Ok(())),
            (&[0x3f, 0xe1, 0x1f, 0x82][..], Err(Error::TableSizeUpdateMissing)),
        ] {
            let mut decoder = Decoder::new(4096);
            decoder.set_max_table_size(100);
            decoder.set_max_table_size(4096);
            assert_eq!(decode(&mut decoder, block).map(|_| ()), expected);
        }
    }

    #[test]
    fn need_not_follow_larger_settings() {
        let mut decoder = Decoder::new(4096);
        decoder.set_max_table_size(65536);
        assert!(decode(&mut decoder, &[0x82]).is_ok());
        assert!(decode(&mut decoder, &[0x3f, 0xe1, 0xff, 0x03]).is_ok());
    }
}

mod malformed_fields {
    use super::*;

    fn reason(name: &[u8], value: &[u8]) -> Option<&'static str> {
        decode_alone(&literal(name, value)).unwrap().1.malformed
    }

    #[test]
    fn name_is_lower_case_token() {
        assert_eq!(reason(b"x-name_1.~", b"v"), None);
        assert_eq!(reason(b":scheme", b"v"), None);
        assert_eq!(reason(b"", b"v"), Some("field name is empty"));
        assert_eq!(reason(b":", b"v"), Some("field name is empty"));
        assert_eq!(reason(b"Name", b"v"), Some("field name has an uppercase letter"));
        for name in [&b"a b"[..], b"a:b", b"::a", b"a\0", b"a\x7f", b"\x80", b"a/b", b"a\r"] {
            assert_eq!(
                reason(name, b"v"),
                Some("field name has an octet that is not allowed"),
                "{name:?}"
            );
        }
    }

    #[test]
    fn value_has_no_nul_cr_lf() {
        for value in [&b"\0"[..], b"a\rb", b"a\n", b"\na"] {
            assert_eq!(reason(b"name", value), Some("field value has NUL, CR or LF"), "{value:?}");
        }
        assert_eq!(reason(b"name", b""), None);
        assert_eq!(reason(b"name", b"a \t\x01\x7f\x80\xffb"), None);
    }

    #[test]
    fn whitespace_at_the_ends_of_a_value_is_let_through() {
        for value in [&b" "[..], b" a", b"a ", b"\ta", b"a\t"] {
            assert_eq!(reason(b"name", value), None, "{value:?}");
        }
    }

    #[test]
    fn table_remembers_what_is_malformed() {
        let mut decoder = Decoder::new(4096);
        decode(&mut decoder, &[literal(b"Name", b"v"), literal(b"name", b"v\n")].concat()).unwrap();
        let uppercase = Some("field name has an uppercase letter");
        assert_eq!(decode(&mut decoder, &[0xbf]).unwrap().1.malformed, uppercase);
        assert_eq!(decode(&mut decoder, b"\x0f\x30\x01v").unwrap().1.malformed, uppercase);
        assert_eq!(
            decode(&mut decoder, &[0xbe]).unwrap().1.malformed,
            Some("field value has NUL, CR or LF")
        );
        assert_eq!(decode(&mut decoder, b"\x0f\x2f\x01v").unwrap().1.malformed, None);
    }

    #[test]
    fn first_reason_is_kept_and_the_table_stays_right() {
        let mut decoder = Decoder::new(4096);
        let block = [literal(b"", b"v"), literal(b"A", b"v"), literal(b"good", b"v")].concat();
        assert_eq!(decode(&mut decoder, &block).unwrap().1.malformed, Some("field name is empty"));
        assert_eq!(decode(&mut decoder, &[0xbe]).unwrap().0, list(&[("good", "v")]));
    }
}

mod list_limits {
    use super::*;

    #[test]
    fn fields_up_to_the_limit_are_stored() {
        for (limits, stored) in [
            (ListLimits { max_fields: 2, max_size: usize::MAX }, 2),
            (ListLimits { max_fields: 100, max_size: 69 }, 2),
            (ListLimits { max_fields: 100, max_size: 67 }, 1),
            (ListLimits { max_fields: 0, max_size: 0 }, 0),
        ] {
            let block = [literal(b"a", b"1"), literal(b"b", b"2"), literal(b"c", b"3")].concat();
            let mut fields = Fields::new();
            let decoded = Decoder::new(4096).decode(&block, limits, &mut fields).unwrap();
            assert_eq!(
                (decoded.over_limit, decoded.size, decoded.count),
                (true, 3 * 34, 3),
                "{limits:?}"
            );
            assert_eq!(fields, list(&[("a", "1"), ("b", "2"), ("c", "3")][..stored]), "{limits:?}");
        }
    }

    #[test]
    fn list_at_the_limit_is_not_over_it() {
        let limits = ListLimits { max_fields: 2, max_size: 68 };
        let mut fields = Fields::new();
        let block = [literal(b"a", b"1"), literal(b"b", b"2")].concat();
        let decoded = Decoder::new(4096).decode(&block, limits, &mut fields).unwrap();
        assert!(!decoded.over_limit);
        assert_eq!(fields.len(), 2);
    }

    #[test]
    fn table_stays_right_behind_a_list_over_its_limit() {
        let mut decoder = Decoder::new(4096);
        let limits = ListLimits { max_fields: 1, max_size: 16 };
        let block = [literal(b"a", b"1"), literal(b"b", b"2"), b"\x00\x01x\x01y".to_vec()].concat();
        let mut fields = Fields::new();
        assert!(decoder.decode(&block, limits, &mut fields).unwrap().over_limit);
        assert!(fields.is_empty());
        let (fields, decoded) = decode(&mut decoder, &[0xbe, 0xbf]).unwrap();
        assert_eq!(fields, list(&[("b", "2"), ("a", "1")]));
        assert!(!decoded.over_limit);
    }

    #[test]
    fn bomb_of_indexed_fields_is_counted_and_not_stored() {
        let mut decoder = Decoder::new(4096);
        let mut entry = b"\x40\x01a\x7f\xa1\x1e".to_vec();
        entry.extend_from_slice(&[b'x'; 4000]);
        assert!(decode(&mut decoder, &entry).is_ok());
        let (fields, decoded) = decode(&mut decoder, &[0xbe; 16 * 1024]).unwrap();
        assert_eq!(decoded.count, 16 * 1024);
        assert_eq!(decoded.size, 16 * 1024 * 4033);
        assert!(fields.size() <= LIMITS.max_size, "{}", fields.size());
        assert!(decoded.over_limit);
    }

    #[test]
    fn error_behind_the_limit_is_still_an_error() {
        let limits = ListLimits { max_fields: 0, max_size: 0 };
        let result =
            Decoder::new(4096).decode(b"\x82\x82\x00\x01a\x81\x18", limits, &mut Fields::new());
        assert_eq!(result, Err(Error::Huffman));
    }

    #[test]
    fn limits_count_one_block_when_a_list_is_appended_to() {
        let mut fields = list(&[("before", "1")]);
        let limits = ListLimits { max_fields: 1, max_size: 100 };
        let decoded = Decoder::new(4096).decode(&[0x82], limits, &mut fields).unwrap();
        assert!(!decoded.over_limit);
        assert_eq!(fields, list(&[("before", "1"), (":method", "GET")]));
    }
}

mod path_token {
    use super::*;

    fn token(decoder: &mut Decoder, block: &[u8]) -> Option<u64> {
        decode(decoder, block).unwrap().1.path_token.map(u64::from)
    }

    #[test]
    fn same_token_means_same_entry() {
        let mut decoder = Decoder::new(4096);
        let first = token(&mut decoder, b"\x44\x02/a").unwrap();
        assert_eq!(token(&mut decoder, &[0xbe]), Some(first));
        let second = token(&mut decoder, b"\x44\x02/b").unwrap();
        assert_ne!(first, second);
        assert_eq!(token(&mut decoder, &[0xbe]), Some(second));
        assert_eq!(token(&mut decoder, &[0xbf]), Some(first));
    }

    #[test]
    fn token_is_not_used_again_after_eviction() {
        let mut decoder = Decoder::new(40);
        let first = token(&mut decoder, b"\x44\x02/a");
        let second = token(&mut decoder, b"\x44\x02/b");
        assert!(first.is_some() && second.is_some() && first != second);
        assert_eq!(token(&mut decoder, &[0xbe]), second);
    }

    #[test]
    fn only_table_entries_have_one() {
        let mut decoder = Decoder::new(4096);
        assert_eq!(token(&mut decoder, &[0x84]), None);
        assert_eq!(token(&mut decoder, b"\x04\x02/a"), None);
        assert_eq!(token(&mut decoder, &literal(b"path", b"/a")), None);
        assert!(token(&mut decoder, &literal(b":path", b"/a")).is_some());
    }

    #[test]
    fn first_path_counts() {
        let mut decoder = Decoder::new(4096);
        let first = token(&mut decoder, b"\x44\x02/a").unwrap();
        for block in [&[0x84, 0xbe][..], &[0x04, 0x01, b'/', 0xbe]] {
            assert_eq!(token(&mut decoder, block), None);
        }
        assert_eq!(token(&mut decoder, &[0xbe, 0x84]), Some(first));
    }
}
