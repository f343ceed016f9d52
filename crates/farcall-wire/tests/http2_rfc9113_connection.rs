//! RFC 9113 sections 3, 4, 5.4, 5.5, 6.5, 6.7 and 6.8: the connection as a whole.

mod support;

use std::time::Duration;

use farcall_wire::http2::frame::{CLIENT_PREFACE, Settings};
use farcall_wire::http2::frame::{Setting, SettingId};
use farcall_wire::http2::{Config, ErrorCode, OpenError};
use farcall_wire::{Event, Side, StreamId};
use support::pair::request_head;
use support::raw::{Raw, Sent};

// Section 3.4

#[test]
fn s3_4_the_server_says_settings_at_once() {
    let mut raw = Raw::silent_server(Config::default());
    let sent = raw.sent();
    let [Sent::Settings(settings), Sent::WindowUpdate { stream: 0, increment }] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!(65_535 + increment, 1 << 20);
    let value = |id| settings.iter().find(|setting| setting.id == id).map(|setting| setting.value);
    assert_eq!(value(SettingId::MaxConcurrentStreams), Some(128));
    assert_eq!(value(SettingId::InitialWindowSize), Some(1 << 16));
    assert_eq!(value(SettingId::MaxHeaderListSize), Some(16 << 10));
    assert_eq!(value(SettingId::EnablePush), None);
}

#[test]
fn s3_4_the_client_says_its_preface_and_forbids_push() {
    let mut raw = Raw::silent_client(Config::default());
    assert!(raw.engine.output().starts_with(CLIENT_PREFACE));
    let sent = raw.sent();
    let Sent::Settings(settings) = &sent[0] else { panic!("{sent:?}") };
    assert!(settings.contains(&Setting { id: SettingId::EnablePush, value: 0 }));
}

#[test]
fn s3_4_the_preface_may_come_octet_by_octet() {
    let mut raw = Raw::silent_server(Config::default());
    for octet in CLIENT_PREFACE {
        raw.bytes(&[*octet]);
    }
    raw.settings(&[]);
    assert_eq!(raw.events(), [Event::Open]);
}

fn refusal(bytes: &[u8]) -> String {
    let mut raw = Raw::silent_server(Config::default());
    raw.bytes(bytes);
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
    let Some(Event::Closed { error: Some(error) }) = raw.events().pop() else { panic!("no error") };
    assert_eq!(error.by, Side::Local);
    error.to_string()
}

#[test]
fn s3_4_a_wrong_preface_is_named() {
    assert!(refusal(b"GET / HTTP/1.1\r\n").contains("got an HTTP/1 request: \"GET / HTTP/1.1"));
    assert!(refusal(b"\x16\x03\x01\x02\x00\x01").contains("got a TLS handshake"));
    assert!(refusal(b"PRI * HTTP/2.0\r\n\r\nXX").contains("got a broken HTTP/2 preface"));
    assert!(refusal(b"\0\0\0").contains("got something else"));
}

#[test]
fn s3_4_a_wrong_preface_is_seen_at_its_first_wrong_octet() {
    assert!(refusal(b"PRX").contains("preface"));
}

#[test]
fn s3_4_a_server_that_answers_in_http_1_is_named() {
    let mut raw = Raw::silent_client(Config::default());
    raw.bytes(b"HTTP/1.1 400 Bad Request\r\n");
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
    let error = format!("{:?}", raw.events().pop());
    assert!(error.contains("an HTTP/1 response"), "{error}");
}

#[test]
fn s3_4_the_first_frame_must_be_settings() {
    let mut raw = Raw::silent_server(Config::default());
    raw.bytes(CLIENT_PREFACE);
    raw.ping();
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
    let mut raw = Raw::silent_server(Config::default());
    raw.bytes(CLIENT_PREFACE);
    raw.frame(Settings::emit_ack);
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
}

#[test]
fn s3_4_a_client_may_open_streams_before_the_server_said_anything() {
    let mut raw = Raw::silent_client(Config::default());
    assert_eq!(raw.engine.open_room(), 100);
    assert_eq!(raw.engine.open(&request_head(), true), Ok(StreamId(1)));
}

#[test]
fn h28_a_greeting_that_does_not_come_ends_the_connection_after_ten_seconds() {
    let mut raw = Raw::silent_server(Config::default());
    raw.bytes(&CLIENT_PREFACE[..10]);
    raw.pass(Duration::from_millis(9_999));
    assert!(!raw.engine.is_closed());
    raw.pass(Duration::from_millis(1));
    assert_eq!(raw.fault(), ErrorCode::SettingsTimeout);
}

// Sections 4.1 and 4.2

#[test]
fn s4_1_unknown_frames_are_ignored() {
    let mut raw = Raw::server();
    raw.any(0xee, 0xff, 77, b"whatever");
    raw.any(0x0c, 0, 0, b"");
    raw.assert_alive(1);
}

#[test]
fn s4_1_unknown_flags_and_the_reserved_bit_are_ignored() {
    let mut raw = Raw::server();
    raw.any(0x6, 0xfe, 0x8000_0000, b"anything");
    assert_eq!(raw.sent(), [Sent::Ping { ack: true, payload: *b"anything" }]);
}

#[test]
fn s4_2_a_frame_of_the_largest_size_is_taken() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.data(1, &[0; 16_384], true);
    assert!(matches!(raw.events()[..], [_, Event::Data { credit: 16_384, end: true, .. }]));
}

#[test]
fn s4_2_a_larger_frame_is_refused_before_its_payload_arrives() {
    let mut raw = Raw::server();
    raw.bytes(&[0, 0x40, 1, 0, 0, 0, 0, 0, 1]);
    assert_eq!(raw.fault(), ErrorCode::FrameSizeError);
}

// Section 4.3

#[test]
fn s4_3_a_broken_field_block_ends_the_connection() {
    let mut raw = Raw::server();
    raw.any(0x1, 0x5, 1, &[0x80]);
    assert_eq!(raw.fault(), ErrorCode::CompressionError);
}

#[test]
fn s4_3_nothing_may_come_between_the_pieces_of_a_field_block() {
    let block = Raw::server().block(&request_head());
    let interruptions: [fn(&mut Raw); 4] = [
        Raw::ping,
        |raw| raw.data(1, b"x", false),
        |raw| raw.any(0xee, 0, 0, b""),
        |raw| raw.continuation(3, b"", true),
    ];
    for interrupt in interruptions {
        let mut raw = Raw::server();
        raw.any(0x1, 0x1, 1, &block[..4]);
        interrupt(&mut raw);
        assert_eq!(raw.fault(), ErrorCode::ProtocolError);
    }
}

// Section 5.4

#[test]
fn s5_4_1_a_connection_error_tells_the_last_stream_and_loses_the_open_ones() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.request(3, false);
    raw.events();
    raw.any(0x6, 0, 1, b"anything");
    let sent = raw.sent();
    let [Sent::GoAway { last: 3, code: ErrorCode::ProtocolError, debug }] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!(debug, "PING on a stream");
    let events = raw.events();
    let [
        Event::Reset { code: ErrorCode::ConnectError, .. },
        Event::Reset { .. },
        Event::Closed { error: Some(_) },
    ] = events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(raw.engine.active_streams(), 0);
}

#[test]
fn s5_4_1_after_the_end_nothing_is_taken_and_nothing_panics() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.engine.close(ErrorCode::NoError, "bye", raw.now);
    raw.sent();
    raw.request(3, true);
    let stream = StreamId(1);
    assert!(raw.engine.send_head(stream, &request_head(), false).is_err());
    assert!(raw.engine.send_data(stream, "x".into(), true).is_err());
    raw.engine.reset(stream, ErrorCode::Cancel);
    raw.engine.release(stream, 10);
    raw.engine.done(stream);
    raw.engine.ping([0; 8]);
    raw.engine.drain(raw.now);
    assert_eq!(raw.sent(), []);
    assert_eq!(raw.engine.next_timeout(), None);
    assert!(matches!(raw.events().last(), Some(Event::Closed { error: None })));
}

#[test]
fn s5_4_3_the_end_of_input_loses_open_streams() {
    let mut raw = Raw::client();
    let stream = raw.engine.open(&request_head(), true).unwrap();
    raw.engine.receive_eof(raw.now);
    let events = raw.events();
    let [
        Event::Reset { stream: lost, unprocessed: false, .. },
        Event::Closed { error: Some(error) },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(*lost, stream);
    assert!(error.to_string().contains("1 streams open"));
    assert_eq!(raw.engine.open(&request_head(), true), Err(OpenError::Closed));
}

#[test]
fn s5_4_3_the_end_of_input_without_streams_is_no_error() {
    let mut raw = Raw::client();
    raw.engine.receive_eof(raw.now);
    assert_eq!(raw.events(), [Event::Closed { error: None }]);
}

// Section 6.5

#[test]
fn s6_5_settings_are_acknowledged() {
    let mut raw = Raw::server();
    raw.settings(&[(SettingId::Unknown(0x99), 7), (SettingId::MaxFrameSize, 20_000)]);
    assert_eq!(raw.sent(), [Sent::SettingsAck]);
}

#[test]
fn s6_5_malformed_settings_end_the_connection() {
    let cases: [(u8, u32, &[u8], ErrorCode); 3] = [
        (0x1, 0, b"\0", ErrorCode::FrameSizeError),
        (0x0, 1, b"", ErrorCode::ProtocolError),
        (0x0, 0, b"\0\x01\0\0\0", ErrorCode::FrameSizeError),
    ];
    for (flags, stream, payload, code) in cases {
        let mut raw = Raw::server();
        raw.any(0x4, flags, stream, payload);
        assert_eq!(raw.fault(), code);
    }
}

#[test]
fn s6_5_2_values_out_of_range_end_the_connection() {
    let cases = [
        (SettingId::EnablePush, 2, ErrorCode::ProtocolError),
        (SettingId::InitialWindowSize, 0x8000_0000, ErrorCode::FlowControlError),
        (SettingId::MaxFrameSize, 16_383, ErrorCode::ProtocolError),
        (SettingId::MaxFrameSize, 0x0100_0000, ErrorCode::ProtocolError),
        (SettingId::EnableConnectProtocol, 2, ErrorCode::ProtocolError),
    ];
    for (id, value, code) in cases {
        let mut raw = Raw::server();
        raw.settings(&[(id, value)]);
        assert_eq!(raw.fault(), code, "{id:?}");
    }
}

#[test]
fn s6_5_2_a_server_must_not_enable_push() {
    let mut raw = Raw::client();
    raw.settings(&[(SettingId::EnablePush, 1)]);
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
}

#[test]
fn s6_5_2_the_peers_limit_of_streams_is_kept() {
    let mut raw = Raw::client();
    raw.settings(&[(SettingId::MaxConcurrentStreams, 1)]);
    assert_eq!(raw.events(), [Event::Capacity { streams: 1 }]);
    raw.engine.open(&request_head(), true).unwrap();
    assert_eq!(raw.engine.open(&request_head(), true), Err(OpenError::Concurrency));
    raw.settings(&[(SettingId::MaxConcurrentStreams, 5)]);
    assert_eq!(raw.events(), [Event::Capacity { streams: 4 }]);
}

#[test]
fn h27_settings_that_are_never_acknowledged_end_the_connection_after_ten_seconds() {
    let mut raw = Raw::silent_server(Config::default());
    raw.bytes(CLIENT_PREFACE);
    raw.settings(&[]);
    raw.pass(Duration::from_millis(9_999));
    assert!(!raw.engine.is_closed());
    raw.pass(Duration::from_millis(1));
    assert_eq!(raw.fault(), ErrorCode::SettingsTimeout);
}

#[test]
fn s6_5_3_an_acknowledgement_that_nobody_asked_for_is_harmless() {
    let mut raw = Raw::server();
    raw.frame(Settings::emit_ack);
    raw.assert_alive(1);
}

// Section 6.7

#[test]
fn s6_7_a_ping_is_answered_with_the_same_octets() {
    let mut raw = Raw::server();
    raw.ping();
    assert_eq!(raw.sent(), [Sent::Ping { ack: true, payload: *b"anything" }]);
}

#[test]
fn s6_7_malformed_pings_end_the_connection() {
    for (stream, payload, code) in [
        (1, &b"anything"[..], ErrorCode::ProtocolError),
        (0, &b"any"[..], ErrorCode::FrameSizeError),
    ] {
        let mut raw = Raw::server();
        raw.any(0x6, 0, stream, payload);
        assert_eq!(raw.fault(), code);
    }
}

#[test]
fn s6_7_our_own_ping_comes_back_as_an_event() {
    let mut raw = Raw::server();
    raw.engine.ping(*b"is it on");
    assert_eq!(raw.sent(), [Sent::Ping { ack: false, payload: *b"is it on" }]);
    raw.any(0x6, 0x1, 0, b"is it on");
    raw.any(0x6, 0x1, 0, b"is it on");
    assert_eq!(raw.events(), [Event::Pong { payload: *b"is it on" }]);
}

#[test]
fn keepalive_asks_after_a_minute_of_silence_and_waits_twenty_seconds() {
    let mut raw = Raw::server();
    raw.pass(Duration::from_millis(59_999));
    assert_eq!(raw.sent(), []);
    raw.pass(Duration::from_millis(1));
    let sent = raw.sent();
    let [Sent::Ping { ack: false, payload }] = sent[..] else { panic!("{sent:?}") };
    raw.pass(Duration::from_millis(19_999));
    raw.any(0x6, 0x1, 0, &payload);
    raw.pass(Duration::from_mins(1));
    assert_eq!(raw.sent().len(), 1);
    raw.pass(Duration::from_secs(20));
    assert!(raw.engine.is_closed());
    let error = format!("{:?}", raw.events().last());
    assert!(error.contains("keepalive"), "{error}");
}

// Section 6.8

#[test]
fn s6_8_streams_above_the_last_one_can_be_sent_again() {
    let mut raw = Raw::client();
    for _ in 0..3 {
        raw.engine.open(&request_head(), true).unwrap();
    }
    raw.goaway(1, ErrorCode::NoError, b"going\x1bdown");
    let events = raw.events();
    let [
        Event::Reset { stream: StreamId(3), unprocessed: true, by: Side::Remote, .. },
        Event::Reset { stream: StreamId(5), unprocessed: true, .. },
        Event::Draining { code: ErrorCode::NoError, debug },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(debug, "going\\x1bdown");
    assert_eq!(raw.engine.open(&request_head(), true), Err(OpenError::Draining));
    raw.pairs(1, &[(":status", "200")], true);
    assert!(matches!(raw.events()[..], [Event::Response { stream: StreamId(1), end: true, .. }]));
    for stream in [1, 3, 5] {
        assert!(!raw.engine.is_drained());
        raw.engine.done(StreamId(stream));
    }
    assert!(raw.engine.is_drained());
}

#[test]
fn s6_8_a_drain_has_two_steps() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.engine.drain(raw.now);
    let sent = raw.sent();
    let [
        Sent::GoAway { last: 0x7fff_ffff, code: ErrorCode::NoError, .. },
        Sent::Ping { ack: false, payload },
    ] = sent[..]
    else {
        panic!("{sent:?}");
    };
    raw.request(3, true);
    assert_eq!(raw.events().len(), 2);
    raw.any(0x6, 0x1, 0, &payload);
    assert!(matches!(raw.sent()[..], [Sent::GoAway { last: 3, code: ErrorCode::NoError, .. }]));
    // Behind the last stream: ignored, not refused, and the table follows.
    raw.request(5, false);
    raw.data(5, b"late", false);
    assert_eq!((raw.events(), raw.sent()), (vec![], vec![]));
    raw.answer(1, b"done");
    raw.answer(3, b"done");
    assert!(raw.engine.is_drained());
}

#[test]
fn h29_a_last_stream_that_rises_is_an_error() {
    let mut raw = Raw::client();
    raw.goaway(1, ErrorCode::NoError, b"");
    raw.goaway(3, ErrorCode::NoError, b"");
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
}

#[test]
fn h29_more_than_two_goaways_are_not_listened_to() {
    let mut raw = Raw::client();
    for last in [0x7fff_ffff, 9, 7, 5] {
        raw.goaway(last, ErrorCode::NoError, b"");
    }
    assert_eq!(raw.events().len(), 2);
    assert!(!raw.engine.is_closed());
}

#[test]
fn h38_debug_data_is_cut_and_escaped() {
    let mut raw = Raw::client();
    raw.goaway(0, ErrorCode::InternalError, &[b'\n'; 5_000]);
    let events = raw.events();
    let [Event::Draining { code: ErrorCode::InternalError, debug }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(*debug, "\\n".repeat(256));
}

#[test]
fn s6_8_a_short_goaway_ends_the_connection() {
    let mut raw = Raw::client();
    raw.any(0x7, 0, 0, b"short");
    assert_eq!(raw.fault(), ErrorCode::FrameSizeError);
    let mut raw = Raw::client();
    raw.any(0x7, 0, 1, &[0; 8]);
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
}
