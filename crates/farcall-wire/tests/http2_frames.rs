//! Each frame of RFC 9113 section 6 alone: what is emitted is parsed as the same, and no bytes make
//! a parser panic.

use bytes::BytesMut;
use farcall_wire::http2::ErrorCode;
use farcall_wire::http2::frame::{
    Continuation, Data, FrameError, FrameHead, FrameKind, GoAway, Headers, Ping, Priority,
    PriorityFrame, PushPromise, RstStream, Scope, Setting, SettingId, Settings, WindowUpdate,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// The head and the payload of the one frame that `emit` writes.
fn emitted(emit: impl FnOnce(&mut BytesMut)) -> (FrameHead, Vec<u8>) {
    let mut bytes = BytesMut::new();
    emit(&mut bytes);
    let head = FrameHead::parse(*bytes.first_chunk().unwrap());
    assert_eq!(bytes.len(), FrameHead::SIZE + head.length as usize, "the length is the payload's");
    (head, bytes[FrameHead::SIZE..].to_vec())
}

fn stream() -> impl Strategy<Value = u32> {
    1..=0x7fff_ffff_u32
}

fn priority() -> impl Strategy<Value = Priority> {
    (0..=0x7fff_ffff_u32, any::<bool>(), any::<u8>())
        .prop_map(|(dependency, exclusive, weight)| Priority { dependency, exclusive, weight })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_head_comes_back(length in 0..=0xff_ffff_u32, kind: u8, flags: u8, stream in 0..=0x7fff_ffff_u32) {
        let head = FrameHead { length, kind: FrameKind::from_u8(kind), flags, stream };
        prop_assert_eq!(FrameHead::parse(head.to_octets()), head);
    }

    #[test]
    fn data_comes_back(stream in stream(), end: bool, data in vec(any::<u8>(), 0..100), padding: Option<u8>) {
        let frame = Data { stream, end, data: &data, padding };
        let (head, payload) = emitted(|out| frame.emit(out));
        prop_assert_eq!(Data::parse(head, &payload), Ok(frame));
    }

    #[test]
    fn headers_come_back(
        stream in stream(),
        ends: (bool, bool),
        priority in proptest::option::of(priority()),
        block in vec(any::<u8>(), 0..100),
        padding: Option<u8>,
    ) {
        let (end_stream, end_headers) = ends;
        let frame = Headers { stream, end_stream, end_headers, priority, block: &block, padding };
        let (head, payload) = emitted(|out| frame.emit(out));
        prop_assert_eq!(Headers::parse(head, &payload), Ok(frame));
    }

    #[test]
    fn a_continuation_comes_back(stream in stream(), end_headers: bool, block in vec(any::<u8>(), 0..100)) {
        let frame = Continuation { stream, end_headers, block: &block };
        let (head, payload) = emitted(|out| frame.emit(out));
        prop_assert_eq!(Continuation::parse(head, &payload), Ok(frame));
    }

    #[test]
    fn a_push_promise_comes_back(
        stream in stream(),
        promised in stream(),
        end_headers: bool,
        block in vec(any::<u8>(), 0..100),
        padding: Option<u8>,
    ) {
        let frame = PushPromise { stream, promised, end_headers, block: &block, padding };
        let (head, payload) = emitted(|out| frame.emit(out));
        prop_assert_eq!(PushPromise::parse(head, &payload), Ok(frame));
    }

    #[test]
    fn a_priority_comes_back(stream in stream(), priority in priority()) {
        let frame = PriorityFrame { stream, priority };
        let (head, payload) = emitted(|out| frame.emit(out));
        prop_assert_eq!(PriorityFrame::parse(head, &payload), Ok(frame));
    }

    #[test]
    fn rst_stream_comes_back(stream in stream(), code: u32) {
        let frame = RstStream { stream, code: ErrorCode::from_u32(code) };
        let (head, payload) = emitted(|out| frame.emit(out));
        prop_assert_eq!(frame.code.to_u32(), code);
        prop_assert_eq!(RstStream::parse(head, &payload), Ok(frame));
    }

    #[test]
    fn settings_come_back(entries in vec((any::<u16>(), any::<u32>()), 0..40)) {
        let entries: Vec<Setting> =
            entries.into_iter().map(|(id, value)| Setting { id: SettingId::from_u16(id), value }).collect();
        let (head, payload) = emitted(|out| Settings::emit(&entries, out));
        let settings = Settings::parse(head, &payload).unwrap();
        prop_assert_eq!((settings.ack, settings.len(), settings.is_empty()), (false, entries.len(), entries.is_empty()));
        prop_assert_eq!(settings.iter().collect::<Vec<_>>(), entries);
    }

    #[test]
    fn a_ping_comes_back(ack: bool, payload: [u8; 8]) {
        let frame = Ping { ack, payload };
        let (head, payload) = emitted(|out| frame.emit(out));
        prop_assert_eq!(Ping::parse(head, &payload), Ok(frame));
    }

    #[test]
    fn goaway_comes_back(last_stream in 0..=0x7fff_ffff_u32, code: u32, debug in vec(any::<u8>(), 0..100)) {
        let frame = GoAway { last_stream, code: ErrorCode::from_u32(code), debug: &debug };
        let (head, payload) = emitted(|out| frame.emit(out));
        prop_assert_eq!(GoAway::parse(head, &payload), Ok(frame));
    }

    #[test]
    fn a_window_update_comes_back(stream in 0..=0x7fff_ffff_u32, increment in 1..=0x7fff_ffff_u32) {
        let frame = WindowUpdate { stream, increment };
        let (head, payload) = emitted(|out| frame.emit(out));
        prop_assert_eq!(WindowUpdate::parse(head, &payload), Ok(frame));
    }

    #[test]
    fn no_payload_makes_a_parser_panic(flags: u8, stream: u32, payload in vec(any::<u8>(), 0..40)) {
        let head = |kind| FrameHead { length: payload.len() as u32, kind, flags, stream };
        let _ = Data::parse(head(FrameKind::Data), &payload);
        let _ = Headers::parse(head(FrameKind::Headers), &payload);
        let _ = PriorityFrame::parse(head(FrameKind::Priority), &payload);
        let _ = RstStream::parse(head(FrameKind::RstStream), &payload);
        let _ = Settings::parse(head(FrameKind::Settings), &payload).map(|settings| settings.iter().count());
        let _ = PushPromise::parse(head(FrameKind::PushPromise), &payload);
        let _ = Ping::parse(head(FrameKind::Ping), &payload);
        let _ = GoAway::parse(head(FrameKind::GoAway), &payload);
        let _ = WindowUpdate::parse(head(FrameKind::WindowUpdate), &payload);
        let _ = Continuation::parse(head(FrameKind::Continuation), &payload);
    }
}

fn data_with(flags: u8, payload: &[u8]) -> Result<Data<'_>, FrameError> {
    Data::parse(
        FrameHead { length: payload.len() as u32, kind: FrameKind::Data, flags, stream: 1 },
        payload,
    )
}

#[test]
fn padding_may_take_all_of_the_payload_but_not_more() {
    assert_eq!(data_with(0x8, &[2, 0, 0]).unwrap().data, b"");
    assert_eq!(data_with(0x8, &[3, 0, 0]).unwrap_err().code, ErrorCode::ProtocolError);
    assert_eq!(data_with(0x8, &[]).unwrap_err().code, ErrorCode::FrameSizeError);
}

#[test]
fn the_reserved_bit_of_a_stream_number_is_ignored() {
    assert_eq!(FrameHead::parse([0, 0, 0, 0, 0, 0x80, 0, 0, 1]).stream, 1);
}

#[test]
fn a_priority_of_the_wrong_size_ends_its_stream_only() {
    let head = FrameHead { length: 4, kind: FrameKind::Priority, flags: 0, stream: 1 };
    let error = PriorityFrame::parse(head, &[0; 4]).unwrap_err();
    assert_eq!((error.scope, error.code), (Scope::Stream, ErrorCode::FrameSizeError));
}
