//! Length-prefixed messages: PROTOCOL-HTTP2.md, "Requests" and "Data Frames".

use bytes::Bytes;
use farcall_core::envelope::put_prefix;
use farcall_core::{Code, Decoder, Envelope, Limits};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn envelope(compressed: bool, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_prefix(&mut out, u8::from(compressed), u32::try_from(payload.len()).unwrap());
    out.extend_from_slice(payload);
    out
}

fn small() -> Limits {
    Limits { max_receive_message: 1024, ..Limits::default() }
}

fn all(decoder: &mut Decoder) -> Vec<Envelope> {
    std::iter::from_fn(|| decoder.next(&Limits::default()).unwrap()).collect()
}

#[test]
fn a_message_is_a_flag_a_big_endian_length_and_its_bytes() {
    let mut decoder = Decoder::new();
    decoder.push(Bytes::from_static(b"\x01\x00\x00\x00\x03abc"));
    let expected = Envelope { compressed: true, payload: Bytes::from_static(b"abc") };
    assert_eq!(decoder.next(&small()).unwrap(), Some(expected));
    assert_eq!(decoder.next(&small()).unwrap(), None);
    assert!(decoder.is_empty());
}

#[test]
fn a_message_may_be_empty() {
    let mut decoder = Decoder::new();
    decoder.push(envelope(false, b"").into());
    assert_eq!(decoder.next(&small()).unwrap().unwrap().payload, Bytes::new());
    assert!(decoder.is_empty());
}

#[test]
fn data_frame_boundaries_have_no_relation_to_messages() {
    let mut row = envelope(false, b"first");
    row.extend(envelope(true, b""));
    row.extend(envelope(false, &[7; 300]));
    for cut in 0..=row.len() {
        let mut decoder = Decoder::new();
        decoder.push(Bytes::copy_from_slice(&row[..cut]));
        let mut messages = all(&mut decoder);
        decoder.push(Bytes::copy_from_slice(&row[cut..]));
        messages.extend(all(&mut decoder));
        assert_eq!(messages.len(), 3, "cut at {cut}");
        assert_eq!(messages[0].payload, "first");
        assert!(messages[1].compressed);
        assert_eq!(messages[2].payload, vec![7; 300]);
    }
}

#[test]
fn a_message_whole_in_one_chunk_is_not_copied() {
    let mut row = envelope(false, b"first");
    row.extend(envelope(false, b"second"));
    let chunk = Bytes::from(row);
    let mut decoder = Decoder::new();
    decoder.push(chunk.clone());
    let messages = all(&mut decoder);
    assert_eq!(messages[0].payload.as_ptr(), chunk[5..].as_ptr());
    assert_eq!(messages[1].payload.as_ptr(), chunk[15..].as_ptr());
}

#[test]
fn what_is_kept_does_not_keep_the_read_buffer() {
    let chunk = Bytes::from(vec![0; 64 * 1024]);
    let mut decoder = Decoder::new();
    decoder.push(chunk.slice(..3));
    decoder.settle();
    assert!(chunk.is_unique());
    decoder.push(chunk.slice(..9));
    assert!(chunk.is_unique(), "the second chunk was copied behind the first");
    assert_eq!(decoder.pending(), 12);
    assert_eq!(all(&mut decoder).len(), 2);
    assert_eq!(decoder.pending(), 2);
}

#[test]
fn a_few_bytes_do_not_keep_a_large_message_alive() {
    let mut row = envelope(false, &vec![1; 100_000]);
    row.extend_from_slice(b"\0\0");
    let mut decoder = Decoder::new();
    for piece in row.chunks(1000) {
        decoder.push(Bytes::copy_from_slice(piece));
        assert!(
            decoder
                .next(&Limits::default())
                .unwrap()
                .is_none_or(|message| message.payload.len() == 100_000)
        );
    }
    let message = {
        let mut again = Decoder::new();
        again.push(row.into());
        let message = again.next(&Limits::default()).unwrap().unwrap();
        again.settle();
        assert_eq!(again.pending(), 2);
        message
    };
    decoder.settle();
    assert!(message.payload.is_unique());
}

#[test]
fn g01_a_length_above_the_limit_is_refused_by_its_prefix_alone() {
    let mut decoder = Decoder::new();
    decoder.push(Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff]));
    let status = decoder.next(&Limits::default()).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(
        status.message(),
        "a message of 4294967295 bytes is announced; the limit for receiving is 4194304"
    );
    assert_eq!(decoder.next(&Limits::default()).unwrap_err().code(), Code::ResourceExhausted);
}

#[test]
fn g01_a_message_of_exactly_the_limit_passes() {
    let mut decoder = Decoder::new();
    let limits = Limits::default();
    decoder.push(envelope(false, &vec![0; limits.max_receive_message]).into());
    assert_eq!(decoder.next(&limits).unwrap().unwrap().payload.len(), limits.max_receive_message);
    decoder.push(envelope(false, &vec![0; limits.max_receive_message + 1]).into());
    assert!(decoder.next(&limits).is_err());
}

#[test]
fn g02_a_flag_other_than_0_and_1_is_an_error() {
    for flag in [2, 0x80, 0xff] {
        let mut decoder = Decoder::new();
        decoder.push(Bytes::copy_from_slice(&[flag, 0, 0, 0, 0]));
        assert_eq!(decoder.next(&small()).unwrap_err().code(), Code::Internal);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// Whatever the cuts and whenever messages are taken or the decoder is settled, the messages are the same.
    #[test]
    fn messages_come_out_as_they_went_in(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..12),
        cuts in prop::collection::vec((1_usize..700, 0_usize..4, any::<bool>()), 1..40),
    ) {
        let row: Vec<u8> = payloads.iter().flat_map(|payload| envelope(false, payload)).collect();
        let mut decoder = Decoder::new();
        let mut rest = Bytes::from(row);
        let mut messages = Vec::new();
        for (size, takes, settle) in cuts.iter().cycle() {
            let chunk = rest.split_to(rest.len().min(*size));
            decoder.push(Bytes::copy_from_slice(&chunk));
            for _ in 0..*takes {
                messages.extend(decoder.next(&Limits::default()).unwrap());
            }
            if *settle {
                decoder.settle();
            }
            if rest.is_empty() {
                break;
            }
        }
        messages.extend(all(&mut decoder));
        prop_assert!(decoder.is_empty());
        prop_assert!(messages.iter().map(|message| &message.payload[..]).eq(payloads.iter().map(|payload| &payload[..])));
    }

    /// Any bytes are messages, an error or the beginning of a message; never a panic.
    #[test]
    fn any_bytes_are_read_without_a_panic(data in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut decoder = Decoder::new();
        for byte in &data {
            decoder.push(Bytes::copy_from_slice(&[*byte]));
            while let Ok(Some(_)) = decoder.next(&small()) {}
            decoder.settle();
        }
        prop_assert!(decoder.pending() <= data.len());
    }
}
