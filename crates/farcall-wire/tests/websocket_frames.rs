//! Frame headers and masks as they are on the wire (RFC 6455 sections 5.2, 5.3 and 5.7).

use bytes::BytesMut;
use farcall_wire::websocket::CloseCode;
use farcall_wire::websocket::frame::{FrameHead, LengthError, OpCode, mask};
use proptest::collection::vec;
use proptest::prelude::*;

fn head(fin: bool, opcode: OpCode, mask: Option<[u8; 4]>, length: u64) -> FrameHead {
    FrameHead { fin, rsv1: false, rsv23: 0, opcode, mask, length }
}

fn emit(head: FrameHead) -> Vec<u8> {
    let mut out = BytesMut::new();
    head.emit(&mut out);
    out.to_vec()
}

#[test]
fn section_5_7_examples() {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let examples = [
        (head(true, OpCode::Text, None, 5), &[0x81, 0x05][..]),
        (head(true, OpCode::Text, Some(key), 5), &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d]),
        (head(false, OpCode::Text, None, 3), &[0x01, 0x03]),
        (head(true, OpCode::Continuation, None, 2), &[0x80, 0x02]),
        (head(true, OpCode::Ping, None, 5), &[0x89, 0x05]),
        (head(true, OpCode::Pong, Some(key), 5), &[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d]),
        (head(true, OpCode::Binary, None, 256), &[0x82, 0x7e, 0x01, 0x00]),
        (head(true, OpCode::Binary, None, 65536), &[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]),
    ];
    for (head, octets) in examples {
        assert_eq!(emit(head), octets);
        assert_eq!(FrameHead::parse(octets), Ok(Some((head, octets.len()))));
    }
    let mut hello = *b"Hello";
    mask(&mut hello, key, 0);
    assert_eq!(hello, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
}

#[test]
fn section_5_2_a_header_is_read_as_soon_as_it_is_complete() {
    for length in [0, 125, 126, 0xffff, 0x1_0000, i64::MAX as u64] {
        for key in [None, Some([1, 2, 3, 4])] {
            let octets = emit(head(true, OpCode::Binary, key, length));
            for end in 0..octets.len() {
                assert_eq!(FrameHead::parse(&octets[..end]), Ok(None));
            }
            assert!(octets.len() <= FrameHead::MAX_SIZE);
        }
    }
}

#[test]
fn section_5_2_the_minimal_number_of_octets_must_be_used_for_a_length() {
    assert_eq!(FrameHead::parse(&[0x82, 126, 0, 125]), Err(LengthError::NotMinimal));
    let wide = [0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
    assert_eq!(FrameHead::parse(&wide), Err(LengthError::NotMinimal));
}

#[test]
fn section_5_2_the_most_significant_bit_of_a_length_must_be_0() {
    let wide = [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(FrameHead::parse(&wide), Err(LengthError::TooLarge));
}

#[test]
fn section_7_4_close_codes_that_may_be_sent() {
    for legal in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 4999] {
        assert_eq!(CloseCode::new(legal).map(CloseCode::number), Some(legal));
    }
    for illegal in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        assert_eq!(CloseCode::new(illegal), None, "{illegal}");
    }
}

proptest! {
    #[test]
    fn headers_come_back_as_they_were(
        bits in any::<(bool, bool)>(), rsv23 in 0_u8..4, opcode in 0_u8..16,
        key in any::<Option<[u8; 4]>>(), length in 0..=i64::MAX as u64, shift in 0_u32..63,
    ) {
        let head = FrameHead {
            fin: bits.0, rsv1: bits.1, rsv23, opcode: OpCode::from_u8(opcode),
            mask: key, length: length >> shift,
        };
        let octets = emit(head);
        prop_assert_eq!(FrameHead::parse(&octets), Ok(Some((head, octets.len()))));
    }

    #[test]
    fn section_5_3_masking_in_any_pieces_is_masking_octet_by_octet(
        data in vec(any::<u8>(), 0..200), key in any::<[u8; 4]>(), cut in 0_usize..200,
    ) {
        let expected: Vec<u8> = data.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b).collect();
        let cut = cut.min(data.len());
        let mut masked = data;
        let (begin, end) = masked.split_at_mut(cut);
        mask(begin, key, 0);
        mask(end, key, cut);
        prop_assert_eq!(masked, expected);
    }

    #[test]
    fn any_octets_are_no_header_or_one(octets in vec(any::<u8>(), 0..20)) {
        if let Ok(Some((head, size))) = FrameHead::parse(&octets) {
            prop_assert!(size <= octets.len());
            prop_assert_eq!(emit(head), &octets[..size]);
        }
    }
}
