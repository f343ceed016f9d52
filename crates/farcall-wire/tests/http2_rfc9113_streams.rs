//! RFC 9113 sections 5.1, 5.3 and 6.1 to 6.4, 6.6, 6.10: streams and what may come on them.

mod support;

use farcall_wire::http2::{Config, ErrorCode, OpenError};
use farcall_wire::{Event, Side, StreamId};
use support::pair::{request_head, response_head, status_trailers};
use support::raw::{Raw, Sent};

// Section 5.1: idle

#[test]
fn s5_1_idle_streams_take_only_headers_and_priority() {
    let offences: [fn(&mut Raw); 3] = [
        |raw| raw.data(1, b"x", true),
        |raw| raw.reset(1, ErrorCode::Cancel),
        |raw| raw.window_update(1, 5),
    ];
    for offend in offences {
        for mut raw in [Raw::server(), Raw::client()] {
            offend(&mut raw);
            assert_eq!(raw.fault(), ErrorCode::ProtocolError);
        }
    }
    let mut raw = Raw::server();
    raw.priority(1, 0);
    raw.assert_alive(1);
}

#[test]
fn s5_1_a_continuation_out_of_nowhere_ends_the_connection() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.continuation(1, b"", true);
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
}

// Section 5.1: half-closed and closed

#[test]
fn s5_1_nothing_may_follow_the_end_of_a_request() {
    let mut raw = Raw::server();
    raw.request(1, true);
    raw.data(1, b"x", false);
    assert_eq!(raw.resets(), [(1, ErrorCode::StreamClosed)]);
    let events = raw.events();
    assert!(matches!(
        events[..],
        [_, Event::Reset { by: Side::Local, code: ErrorCode::StreamClosed, .. }]
    ));

    let mut raw = Raw::server();
    raw.request(1, true);
    raw.request(1, true);
    assert_eq!(raw.resets(), [(1, ErrorCode::StreamClosed)]);
}

#[test]
fn s5_1_window_updates_resets_and_priorities_may_follow_the_end_of_a_request() {
    let mut raw = Raw::server();
    raw.request(1, true);
    raw.window_update(1, 100);
    raw.priority(1, 0);
    raw.answer(1, b"done");
    raw.window_update(1, 100);
    raw.priority(1, 0);
    raw.reset(1, ErrorCode::NoError);
    raw.assert_alive(3);
}

#[test]
fn s5_1_data_behind_both_ends_is_a_stream_error_and_headers_end_the_connection() {
    let mut raw = Raw::server();
    raw.request(1, true);
    raw.answer(1, b"done");
    raw.data(1, b"x", false);
    assert_eq!(raw.resets(), [(1, ErrorCode::StreamClosed)]);

    let mut raw = Raw::server();
    raw.request(1, true);
    raw.answer(1, b"done");
    raw.request(1, true);
    assert_eq!(raw.fault(), ErrorCode::StreamClosed);
}

#[test]
fn s5_1_frames_behind_the_peers_own_reset_are_errors() {
    for held in [true, false] {
        let mut raw = Raw::server();
        raw.request(1, false);
        raw.reset(1, ErrorCode::Cancel);
        if !held {
            raw.engine.done(StreamId(1));
        }
        raw.data(1, b"x", false);
        assert_eq!(raw.resets(), [(1, ErrorCode::StreamClosed)]);

        let mut raw = Raw::server();
        raw.request(1, false);
        raw.reset(1, ErrorCode::Cancel);
        if !held {
            raw.engine.done(StreamId(1));
        }
        raw.request(1, false);
        assert_eq!(raw.resets(), [(1, ErrorCode::StreamClosed)]);
    }
}

#[test]
fn s5_1_late_frames_on_a_stream_that_we_reset_are_ignored() {
    for held in [true, false] {
        let mut raw = Raw::server();
        raw.request(1, false);
        raw.engine.reset(StreamId(1), ErrorCode::Cancel);
        if !held {
            raw.engine.done(StreamId(1));
        }
        assert_eq!(raw.resets(), [(1, ErrorCode::Cancel)]);
        raw.events();
        for _ in 0..2_600 {
            raw.data(1, b"x", false);
        }
        raw.window_update(1, 3);
        raw.headers(1, &status_trailers(), true);
        raw.reset(1, ErrorCode::Cancel);
        assert_eq!((raw.events(), raw.resets()), (vec![], vec![]));
        let now = raw.engine.snapshot();
        assert_eq!(
            (now.receive_held, now.receive_unannounced),
            (0, 2_600),
            "the connection's window is given back"
        );
        raw.assert_alive(3);
    }
}

#[test]
fn s5_1_a_late_response_to_a_cancelled_call_is_ignored_and_the_table_follows() {
    let mut raw = Raw::client();
    let first = raw.engine.open(&request_head(), true).unwrap();
    raw.engine.reset(first, ErrorCode::Cancel);
    raw.engine.done(first);
    let second = raw.engine.open(&request_head(), true).unwrap();
    raw.pairs(1, &[(":status", "200"), ("new", "in the table")], false);
    raw.pairs(3, &[(":status", "200"), ("new", "in the table")], true);
    let events = raw.events();
    let [Event::Response { stream, head, end: true }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((*stream, head.fields().get("new")), (second, Some(&b"in the table"[..])));
}

// Section 5.1.1

#[test]
fn h26_stream_numbers_are_odd_and_rise() {
    let mut raw = Raw::server();
    raw.request(2, true);
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
    let mut raw = Raw::server();
    raw.request(5, true);
    raw.request(3, true);
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
    let mut raw = Raw::client();
    raw.pairs(1, &[(":status", "200")], true);
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
}

#[test]
fn s5_1_1_our_streams_are_odd_and_rise() {
    let mut raw = Raw::client();
    let streams: Vec<u32> =
        (0..4).map(|_| raw.engine.open(&request_head(), true).unwrap().0).collect();
    assert_eq!(streams, [1, 3, 5, 7]);
}

#[test]
fn a_server_opens_no_streams() {
    assert_eq!(Raw::server().engine.open(&request_head(), true), Err(OpenError::Draining));
    assert_eq!(Raw::server().engine.open_room(), 0);
}

// Section 5.1.2

#[test]
fn s5_1_2_streams_above_the_limit_are_refused() {
    let mut config = Config::default();
    config.limits.max_concurrent_streams = 2;
    let mut raw = Raw::server_with(config);
    for stream in [1, 3, 5] {
        raw.request(stream, false);
    }
    assert_eq!(raw.resets(), [(5, ErrorCode::RefusedStream)]);
    assert_eq!(raw.events().len(), 2);
    raw.data(5, b"on its way", true);
    assert_eq!(raw.resets(), []);
    raw.answer(1, b"done");
    raw.assert_alive(7);
}

#[test]
fn s5_1_2_a_slot_is_free_when_the_application_is_through_not_when_the_stream_is() {
    let mut config = Config::default();
    config.limits.max_held_streams = 1;
    let mut raw = Raw::server_with(config);
    raw.request(1, true);
    raw.reset(1, ErrorCode::Cancel);
    raw.request(3, true);
    assert_eq!(raw.resets(), [(3, ErrorCode::RefusedStream)]);
    raw.engine.done(StreamId(1));
    raw.events();
    raw.assert_alive(5);
}

#[test]
fn s8_7_a_refused_stream_can_be_sent_again() {
    let mut raw = Raw::client();
    let stream = raw.engine.open(&request_head(), true).unwrap();
    raw.reset(1, ErrorCode::RefusedStream);
    let events = raw.events();
    let [Event::Reset { stream: refused, code: ErrorCode::RefusedStream, unprocessed: true, .. }] =
        events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(refused, stream);
}

// Section 5.3

#[test]
fn s5_3_priorities_are_read_and_not_acted_upon() {
    let mut raw = Raw::server();
    raw.priority(1, 0);
    raw.priority(7, 3);
    let block = raw.block(&request_head());
    raw.any(0x1, 0x25, 1, &[&[0, 0, 0, 9, 255][..], &block].concat());
    assert!(matches!(raw.events()[..], [Event::Request { end: true, .. }]));
    raw.answer(1, b"done");
    raw.priority(1, 0);
    raw.assert_alive(3);
}

#[test]
fn s5_3_a_stream_that_depends_on_itself_is_reset() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.priority(1, 1);
    assert_eq!(raw.resets(), [(1, ErrorCode::ProtocolError)]);
    let block = raw.block(&request_head());
    raw.any(0x1, 0x25, 3, &[&[0, 0, 0, 3, 255][..], &block].concat());
    assert_eq!(raw.resets(), [(3, ErrorCode::ProtocolError)]);
    raw.events();
    raw.assert_alive(5);
}

// Sections 6.1 and 6.2

#[test]
fn s6_1_padding_is_stripped_and_counts_for_flow_control() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.any(0x0, 0x8, 1, b"\x04data\0\0\0\0");
    let events = raw.events();
    let [_, Event::Data { data, credit: 9, end: false, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(&data[..], b"data");
}

#[test]
fn h23_padding_longer_than_the_payload_ends_the_connection() {
    for kind in [0x0, 0x1] {
        let mut raw = Raw::server();
        raw.request(1, false);
        raw.any(kind, 0x8, 1, b"\x09data\0\0\0\0");
        assert_eq!(raw.fault(), ErrorCode::ProtocolError);
    }
}

#[test]
fn frames_that_need_a_stream_are_refused_on_stream_zero() {
    for (kind, payload) in [(0, &b"data"[..]), (1, &[0x82]), (2, &[0; 5]), (3, &[0; 4]), (9, b"")] {
        let mut raw = Raw::server();
        raw.any(kind, 0x4, 0, payload);
        assert_eq!(raw.fault(), ErrorCode::ProtocolError, "type {kind}");
    }
}

#[test]
fn s6_2_padding_and_priority_of_headers_are_stripped() {
    let mut raw = Raw::server();
    let block = raw.block(&request_head());
    let payload = [&[2, 0, 0, 0, 0, 15][..], &block, &[0, 0]].concat();
    raw.any(0x1, 0x2d, 1, &payload);
    let events = raw.events();
    let [Event::Request { head, end: true, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(head.path(), b"/greet.v1.Greeter/SayHello");
}

#[test]
fn s6_2_headers_too_short_for_their_priority_end_the_connection() {
    let mut raw = Raw::server();
    raw.any(0x1, 0x24, 1, &[0; 4]);
    assert_eq!(raw.fault(), ErrorCode::FrameSizeError);
}

// Sections 6.3 and 6.4

#[test]
fn s6_3_a_priority_of_the_wrong_size_resets_its_stream() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.any(0x2, 0, 1, &[0; 4]);
    assert_eq!(raw.resets(), [(1, ErrorCode::FrameSizeError)]);
}

#[test]
fn s6_3_a_broken_frame_on_a_stream_that_just_ended_is_a_stream_error_once() {
    let mut raw = Raw::server();
    raw.request(1, true);
    raw.answer(1, b"done");
    for _ in 0..3 {
        raw.any(0x2, 0, 1, &[0; 4]);
        raw.window_update(1, 0);
    }
    assert_eq!(raw.resets(), [(1, ErrorCode::FrameSizeError)]);
    raw.assert_alive(3);
}

#[test]
fn s6_4_a_reset_of_the_wrong_size_ends_the_connection() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.any(0x3, 0, 1, &[0; 3]);
    assert_eq!(raw.fault(), ErrorCode::FrameSizeError);
}

#[test]
fn s6_4_a_reset_tells_the_application_once_and_drops_what_waits() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.events();
    raw.engine.send_head(StreamId(1), &response_head(), false).unwrap();
    raw.engine.send_data(StreamId(1), vec![0; 200_000].into(), false).unwrap();
    raw.sent();
    raw.reset(1, ErrorCode::Unknown(0x1234));
    raw.reset(1, ErrorCode::Cancel);
    let events = raw.events();
    let [
        Event::Reset {
            code: ErrorCode::Unknown(0x1234), by: Side::Remote, unprocessed: false, ..
        },
    ] = events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(raw.engine.snapshot().queued, 0);
    assert!(raw.engine.send_data(StreamId(1), "more".into(), true).is_err());
    assert_eq!(raw.sent(), []);
}

// Section 6.6

#[test]
fn h30_push_promises_end_the_connection() {
    let mut raw = Raw::server();
    raw.request(1, true);
    raw.any(0x5, 0x4, 1, &[0, 0, 0, 2, 0x82]);
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
    let mut raw = Raw::client();
    raw.engine.open(&request_head(), true).unwrap();
    raw.any(0x5, 0x4, 1, &[0, 0, 0, 2, 0x82]);
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
}

// Section 6.10

#[test]
fn s6_10_a_field_block_may_come_in_pieces() {
    let mut raw = Raw::server();
    let block = raw.block(&request_head());
    raw.any(0x1, 0x1, 1, &block[..3]);
    raw.continuation(1, &block[3..5], false);
    raw.continuation(1, &block[5..], true);
    let events = raw.events();
    let [Event::Request { head, end: true, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(head.path(), b"/greet.v1.Greeter/SayHello");
}

#[test]
fn s6_10_long_field_blocks_are_sent_in_pieces() {
    let mut raw = Raw::server();
    raw.request(1, true);
    let mut head = response_head();
    let value = "~".repeat(50_000);
    head.push("long", &value);
    raw.engine.send_head(StreamId(1), &head, true).unwrap();
    let sent = raw.sent();
    let [Sent::Headers { stream: 1, fields, end: true }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(fields.get("long"), Some(value.as_bytes()));
}
