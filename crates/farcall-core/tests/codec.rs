//! Encoding and decoding messages within limits.

mod note;

use buffa::Message;
use bytes::{BufMut, BytesMut};
use farcall_core::{Code, Codec, Decoder, Encoding, Limits, Sender, Status};
use note::{Note, grpc};

fn decode_request<M: farcall_core::Message>(payload: &[u8], limits: &Limits) -> Result<M, Status> {
    Codec::Proto.decode_request(payload, limits)
}

fn decode_reply<M: farcall_core::Message>(payload: &[u8], limits: &Limits) -> Result<M, Status> {
    Codec::Proto.decode_reply(payload, limits)
}

/// `depth` notes, each in the one before.
fn nested(depth: usize) -> Note {
    let mut note = Note::default();
    for _ in 1..depth {
        note = Note { child: Some(Box::new(note)), ..Note::default() };
    }
    note
}

/// One of each length, so that the type's default limits do not matter.
fn limits() -> Limits {
    Limits { max_send_message: 1000, ..Limits::default() }
}

#[test]
fn an_envelope_is_encoded_in_one_piece() {
    let note = Note { many: vec![Note::text("a"), Note::text("b")], ..Note::text("hello") };
    let sender = Sender::new(grpc(), Encoding::Identity, &limits());
    let envelope = sender.envelope(&note, false).unwrap();
    assert_eq!(envelope[..5], [0, 0, 0, 0, note.encoded_len() as u8]);
    assert_eq!(decode_request::<Note>(&envelope[5..], &limits()).unwrap(), note);
    let mut out = BytesMut::from("before");
    sender.envelope_into(&note, false, &mut out).unwrap();
    assert_eq!(out[6..], envelope);
}

#[test]
fn a_message_is_compressed_when_asked_and_announced() {
    let note = Note::text("a".repeat(900));
    for (encoding, compress, flag) in [
        (Encoding::Gzip, true, 1),
        (Encoding::Gzip, false, 0),
        (Encoding::Identity, true, 0),
        (Encoding::Identity, false, 0),
    ] {
        let sender = Sender::new(grpc(), encoding, &limits());
        let envelope = sender.envelope(&note, compress).unwrap();
        let mut out = BytesMut::new();
        sender.envelope_into(&note, compress, &mut out).unwrap();
        assert_eq!(out, envelope);
        assert_eq!(envelope[0], flag);
        let mut decoder = Decoder::new();
        decoder.push(envelope);
        let payload = decoder.next(&limits()).unwrap().unwrap().payload;
        assert_eq!(payload.len() < 100, flag == 1);
        let encoding = if flag == 1 { encoding } else { Encoding::Identity };
        let plain = encoding.decompress(&payload, 10_000).unwrap();
        assert_eq!(decode_reply::<Note>(&plain, &limits()).unwrap(), note);
    }
}

#[test]
fn a_message_above_the_limit_for_sending_is_not_sent() {
    let fits = Note::text("a".repeat(1000 - 3));
    let large = Note::text("a".repeat(1000 - 2));
    let sender = Sender::new(grpc(), Encoding::Gzip, &limits());
    for compress in [false, true] {
        assert!(sender.envelope(&fits, compress).is_ok());
        let status = sender.envelope(&large, compress).unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(status.message(), "Note to send has 1001 bytes; the limit for sending is 1000");
        let mut out = BytesMut::from("before");
        assert!(sender.envelope_into(&large, compress, &mut out).is_err());
        assert_eq!(out, "before");
    }
}

#[test]
fn g04_a_depth_of_100_is_decoded_and_101_is_not() {
    let limits = Limits::default();
    // The message itself is level 0 of buffa's count.
    assert!(decode_request::<Note>(&nested(101).encode_to_vec(), &limits).is_ok());
    let status = decode_request::<Note>(&nested(102).encode_to_vec(), &limits).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().ends_with("are no Note: recursion limit exceeded"), "{status}");
}

#[test]
fn g04_unknown_groups_count_as_depth() {
    let group = |depth: usize| [vec![0x7b; depth], vec![0x7c; depth]].concat();
    assert!(decode_request::<Note>(&group(100), &Limits::default()).is_ok());
    assert_eq!(
        decode_request::<Note>(&group(101), &Limits::default()).unwrap_err().code(),
        Code::InvalidArgument
    );
    assert!(decode_request::<Note>(&group(1_000_000), &Limits::default()).is_err());
}

#[test]
fn g05_elements_are_bounded_by_their_size_in_memory() {
    let limits = Limits { max_element_memory: 100 * size_of::<Note>(), ..Limits::default() };
    let empty = |count: usize| [0x1a, 0].repeat(count);
    assert_eq!(decode_request::<Note>(&empty(100), &limits).unwrap().many.len(), 100);
    let status = decode_request::<Note>(&empty(101), &limits).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let nested: Vec<u8> = std::iter::repeat_n([0x1a, 2, 0x1a, 0], 51).flatten().collect();
    assert!(decode_request::<Note>(&nested, &limits).is_err(), "the budget is shared over nesting");
}

#[test]
fn g06_what_is_no_message_is_said_to_be_none() {
    let malformed: [&[u8]; 8] = [
        &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        &[0x0a, 5, b'a'],
        &[0x00, 0x00],
        &[0x0e],
        &[0x0f],
        &[0x0a, 1, 0xff],
        &[0x7c],
    ];
    for data in malformed {
        let request = decode_request::<Note>(data, &Limits::default()).unwrap_err();
        assert_eq!(request.code(), Code::InvalidArgument, "{data:?}");
        assert!(
            request.message().starts_with(&format!("{} bytes are no Note: ", data.len())),
            "{request}"
        );
        let reply = decode_reply::<Note>(data, &Limits::default()).unwrap_err();
        assert_eq!(reply.code(), Code::Internal);
    }
}

#[test]
fn unknown_fields_are_skipped() {
    let mut data = vec![0x78, 0x01];
    data.extend(Note::text("known").encode_to_vec());
    data.put_slice(&[0x7d, 1, 2, 3, 4]);
    assert_eq!(decode_request::<Note>(&data, &Limits::default()).unwrap(), Note::text("known"));
}
