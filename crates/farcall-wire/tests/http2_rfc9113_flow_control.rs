//! RFC 9113 sections 5.2 and 6.9: windows, both ways, of streams and of the connection.

mod support;

use std::time::Duration;

use bytes::Bytes;
use farcall_wire::http2::frame::SettingId;
use farcall_wire::http2::{Config, ErrorCode};
use farcall_wire::{Event, Side, StreamId};
use support::pair::{request_head, response_head, status_trailers};
use support::raw::{Raw, Sent};

const STREAM: StreamId = StreamId(1);

/// A server with an answered request on stream 1 whose response body is to come.
fn answering(settings: &[(SettingId, u32)]) -> Raw {
    let mut raw = Raw::server();
    raw.settings(settings);
    raw.request(1, true);
    raw.events();
    raw.engine.send_head(STREAM, &response_head(), false).unwrap();
    raw.sent();
    raw
}

/// The sizes of the DATA frames that were sent, and whether the last one ended the stream.
fn data_sizes(raw: &mut Raw) -> (Vec<usize>, bool) {
    let mut ended = false;
    let mut sizes = Vec::new();
    for frame in raw.sent() {
        if let Sent::Data { data, end, .. } = frame {
            sizes.push(data.len());
            ended = end;
        }
    }
    (sizes, ended)
}

// What we send

#[test]
fn s6_9_1_no_more_is_sent_than_the_streams_window_allows() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 5_000)]);
    raw.engine.send_data(STREAM, vec![0; 12_000].into(), true).unwrap();
    assert_eq!(data_sizes(&mut raw), (vec![5_000], false));
    raw.window_update(1, 4_000);
    assert_eq!(data_sizes(&mut raw), (vec![4_000], false));
    raw.window_update(1, 4_000);
    assert_eq!(data_sizes(&mut raw), (vec![3_000], true));
}

#[test]
fn s6_9_1_no_more_is_sent_than_the_connections_window_allows() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 1 << 20)]);
    raw.engine.send_data(STREAM, vec![0; 70_000].into(), true).unwrap();
    assert_eq!(data_sizes(&mut raw).0.iter().sum::<usize>(), 65_535);
    raw.window_update(1, 10_000);
    assert_eq!(data_sizes(&mut raw).0, []);
    raw.window_update(0, 10_000);
    assert_eq!(data_sizes(&mut raw), (vec![70_000 - 65_535], true));
}

#[test]
fn s6_9_1_a_window_of_one_octet_is_used() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 1)]);
    raw.engine.send_data(STREAM, Bytes::from_static(b"answer"), true).unwrap();
    assert_eq!(data_sizes(&mut raw), (vec![1], false));
}

#[test]
fn s6_9_1_heads_trailers_and_empty_ends_need_no_window() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 0)]);
    raw.engine.send_trailers(STREAM, &status_trailers()).unwrap();
    assert!(matches!(raw.sent()[..], [Sent::Headers { end: true, .. }]));
    let mut raw = answering(&[(SettingId::InitialWindowSize, 0)]);
    raw.engine.send_data(STREAM, Bytes::new(), true).unwrap();
    assert_eq!(data_sizes(&mut raw), (vec![0], true));
}

#[test]
fn trailers_wait_for_the_data_before_them() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 3)]);
    raw.engine.send_data(STREAM, Bytes::from_static(b"answer"), false).unwrap();
    raw.engine.send_trailers(STREAM, &status_trailers()).unwrap();
    raw.engine.done(STREAM);
    assert!(raw.engine.send_data(STREAM, Bytes::from_static(b"more"), false).is_err());
    assert_eq!(data_sizes(&mut raw), (vec![3], false));
    assert_eq!(raw.engine.active_streams(), 1);
    raw.window_update(1, 3);
    let sent = raw.sent();
    assert!(
        matches!(&sent[..], [Sent::Data { end: false, .. }, Sent::Headers { end: true, .. }]),
        "{sent:?}"
    );
    assert_eq!(raw.engine.active_streams(), 0);
}

#[test]
fn s6_9_1_a_window_above_two_to_the_31_is_an_error_of_its_scope() {
    let mut raw = answering(&[]);
    raw.window_update(1, 0x7fff_ffff);
    assert_eq!(raw.resets(), [(1, ErrorCode::FlowControlError)]);
    let mut raw = answering(&[]);
    raw.window_update(0, 0x7fff_ffff);
    assert_eq!(raw.fault(), ErrorCode::FlowControlError);
}

#[test]
fn s6_9_an_increment_of_zero_is_an_error_of_its_scope() {
    let mut raw = answering(&[]);
    raw.window_update(1, 0);
    assert_eq!(raw.resets(), [(1, ErrorCode::ProtocolError)]);
    raw.window_update(0, 0);
    assert_eq!(raw.fault(), ErrorCode::ProtocolError);
}

#[test]
fn s6_9_a_window_update_of_the_wrong_size_ends_the_connection() {
    let mut raw = answering(&[]);
    raw.any(0x8, 0, 1, &[0; 5]);
    assert_eq!(raw.fault(), ErrorCode::FrameSizeError);
}

#[test]
fn h36_the_initial_window_swings_below_zero_and_back() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 10_000)]);
    raw.engine.send_data(STREAM, vec![0; 30_000].into(), true).unwrap();
    assert_eq!(data_sizes(&mut raw), (vec![10_000], false));
    raw.settings(&[(SettingId::InitialWindowSize, 0)]);
    raw.window_update(1, 9_999);
    assert_eq!(data_sizes(&mut raw).0, [], "the window is at -1");
    raw.window_update(1, 5_001);
    assert_eq!(data_sizes(&mut raw), (vec![5_000], false));
    raw.settings(&[(SettingId::InitialWindowSize, 15_000)]);
    assert_eq!(data_sizes(&mut raw), (vec![15_000], true));
}

#[test]
fn h36_an_initial_window_that_overflows_a_stream_ends_the_connection() {
    let mut raw = answering(&[]);
    raw.window_update(1, 0x7fff_0000 - 65_535);
    raw.settings(&[(SettingId::InitialWindowSize, 0x7fff_ffff)]);
    assert_eq!(raw.fault(), ErrorCode::FlowControlError);
}

#[test]
fn s6_9_2_the_connections_window_does_not_follow_settings() {
    let raw = answering(&[(SettingId::InitialWindowSize, 0)]);
    assert_eq!(raw.engine.snapshot().send_window, 65_535);
}

#[test]
fn large_data_goes_in_frames_that_the_peer_takes() {
    let mut raw = answering(&[]);
    raw.engine.send_data(STREAM, vec![0; 40_000].into(), true).unwrap();
    assert_eq!(data_sizes(&mut raw), (vec![16_384, 16_384, 7_232], true));
}

#[test]
fn queued_pieces_leave_as_one_frame() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 0)]);
    for _ in 0..500 {
        raw.engine.send_data(STREAM, Bytes::from_static(b"tiny"), false).unwrap();
    }
    raw.window_update(1, 100_000);
    assert_eq!(data_sizes(&mut raw), (vec![2_000], false));
}

#[test]
fn h14_dribbled_windows_are_not_answered_with_dribbled_frames() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 10)]);
    raw.engine.send_data(STREAM, vec![0; 5_000].into(), true).unwrap();
    assert_eq!(data_sizes(&mut raw).0, [10], "the first octets go at once");
    for _ in 0..50 {
        raw.window_update(1, 10);
        assert_eq!(data_sizes(&mut raw).0, []);
    }
    raw.pass(Duration::from_secs(1));
    assert_eq!(data_sizes(&mut raw).0, [500], "what is there after a second goes");
    raw.window_update(1, 2_000);
    assert_eq!(data_sizes(&mut raw).0, [2_000], "as does what is worth a frame");
}

#[test]
fn h20_a_full_stream_and_a_crowded_connection_have_no_room() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 0)]);
    assert_eq!(raw.engine.send_room(STREAM), 256 << 10);
    raw.engine.send_data(STREAM, vec![0; 256 << 10].into(), false).unwrap();
    assert_eq!(raw.engine.send_room(STREAM), 0);
    for stream in [3, 5, 7, 9] {
        raw.request(stream, true);
        raw.engine.send_head(StreamId(stream), &response_head(), false).unwrap();
    }
    for stream in [3, 5, 7] {
        raw.engine.send_data(StreamId(stream), vec![0; 256 << 10].into(), false).unwrap();
    }
    raw.events();
    assert_eq!(raw.engine.send_room(StreamId(9)), 8 << 10, "only a share is left");
    raw.reset(3, ErrorCode::Cancel);
    raw.reset(5, ErrorCode::Cancel);
    assert_eq!(raw.engine.send_room(StreamId(9)), 256 << 10);
    let is_writable = |event: &Event| matches!(event, Event::Writable { .. });
    assert_eq!(raw.events().iter().filter(|event| is_writable(event)).count(), 0, "still full");
    for stream in [1, 7] {
        raw.window_update(stream, 256 << 10);
    }
    raw.window_update(0, 512 << 10);
    for _ in 0..4 {
        raw.sent();
    }
    assert_eq!(raw.events().iter().filter(|event| is_writable(event)).count(), 2);
}

#[test]
fn a_stream_that_crowds_the_connection_alone_is_told_when_it_has_room() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 4 << 20)]);
    raw.window_update(0, 8 << 20);
    raw.engine.send_data(STREAM, vec![0; 4 << 20].into(), false).unwrap();
    assert_eq!(raw.engine.send_room(STREAM), 0);
    let mut told = 0;
    while !raw.sent().is_empty() {
        for event in raw.events() {
            assert_eq!(event, Event::Writable { stream: STREAM });
            assert!(raw.engine.send_room(STREAM) > 0, "told of room that is not there");
            told += 1;
        }
    }
    assert_eq!(told, 1);
}

#[test]
fn h25_a_window_that_stands_still_for_thirty_seconds_ends_the_stream() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 100)]);
    raw.engine.send_data(STREAM, vec![0; 100_000].into(), true).unwrap();
    raw.sent();
    raw.pass(Duration::from_secs(29));
    raw.any(0x6, 0x1, 0, b"alive\0\0\0");
    assert_eq!(raw.events(), []);
    raw.pass(Duration::from_secs(1));
    assert_eq!(raw.resets(), [(1, ErrorCode::Cancel)]);
    let events = raw.events();
    assert!(
        matches!(events[..], [Event::Reset { by: Side::Local, unprocessed: false, .. }]),
        "{events:?}"
    );
    assert_eq!(raw.engine.snapshot().queued, 0);
    raw.assert_alive(3);
}

#[test]
fn h25_one_kibibyte_per_ten_seconds_is_progress() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 100)]);
    raw.engine.send_data(STREAM, vec![0; 100_000].into(), true).unwrap();
    for _ in 0..12 {
        raw.pass(Duration::from_secs(10));
        raw.window_update(1, 1_100);
        raw.sent();
    }
    assert_eq!(raw.engine.active_streams(), 1);
}

#[test]
fn h25_a_stream_that_may_stall_is_left_alone() {
    let mut raw = answering(&[(SettingId::InitialWindowSize, 0)]);
    raw.engine.allow_stall(STREAM);
    raw.engine.send_data(STREAM, vec![0; 100].into(), true).unwrap();
    for _ in 0..10 {
        raw.pass(Duration::from_secs(50));
        raw.any(0x6, 0x1, 0, b"alive\0\0\0");
        raw.sent();
    }
    raw.window_update(1, 100);
    assert_eq!(data_sizes(&mut raw), (vec![100], true));
}

#[test]
fn h20_a_peer_that_reads_nothing_for_thirty_seconds_is_left() {
    let mut raw = answering(&[]);
    raw.engine.send_data(STREAM, vec![0; 10_000].into(), true).unwrap();
    raw.engine.fill(raw.now);
    assert!(!raw.engine.output().is_empty());
    raw.pass(Duration::from_secs(29));
    assert!(!raw.engine.is_closed());
    raw.pass(Duration::from_secs(1));
    assert!(raw.engine.is_closed());
    let error = format!("{:?}", raw.events().last());
    assert!(error.contains("read nothing"), "{error}");
}

#[test]
fn h20_a_slow_reader_is_served() {
    use bytes::Buf;
    let mut raw = answering(&[(SettingId::InitialWindowSize, 1 << 20)]);
    raw.engine.send_data(STREAM, vec![0; 60_000].into(), true).unwrap();
    raw.engine.fill(raw.now);
    for _ in 0..20 {
        raw.pass(Duration::from_secs(20));
        raw.any(0x6, 0x1, 0, b"alive\0\0\0");
        raw.engine.output().advance(100);
        raw.engine.fill(raw.now);
    }
    assert!(!raw.engine.is_closed());
}

// What we receive

#[test]
fn s6_9_1_more_data_than_a_window_allows_is_an_error_of_its_scope() {
    let mut raw = Raw::server();
    raw.request(1, false);
    for _ in 0..4 {
        raw.data(1, &[0; 16_384], false);
    }
    assert_eq!(raw.resets(), []);
    raw.data(1, b"x", false);
    assert_eq!(raw.resets(), [(1, ErrorCode::FlowControlError)]);

    let mut config = Config::default();
    config.limits.connection_window = 65_535;
    config.limits.stream_window = 1 << 20;
    config.limits.max_frame_size = 1 << 20;
    let mut raw = Raw::server_with(config);
    raw.request(1, false);
    raw.data(1, &vec![0; 65_535], false);
    assert_eq!(raw.resets(), []);
    raw.data(1, &vec![0; 65_536], false);
    assert_eq!(raw.fault(), ErrorCode::FlowControlError);
}

#[test]
fn a_smaller_window_than_the_default_binds_the_peer_only_after_its_acknowledgement() {
    let mut config = Config::default();
    config.limits.stream_window = 1_000;
    let mut raw = Raw::silent_server(config);
    raw.bytes(farcall_wire::http2::frame::CLIENT_PREFACE);
    raw.settings(&[]);
    raw.request(1, false);
    raw.data(1, &[0; 10_000], false);
    assert_eq!(raw.resets(), []);
    raw.any(0x4, 0x1, 0, b"");
    raw.request(3, false);
    raw.data(3, &[0; 1_000], false);
    assert_eq!(raw.resets(), []);
    raw.data(3, b"x", false);
    assert_eq!(raw.resets(), [(3, ErrorCode::FlowControlError)]);
    raw.data(1, b"", true);
    assert_eq!(raw.resets(), [], "its window is below zero, and an end needs none");
}

#[test]
fn windows_are_given_back_when_the_application_consumed_the_data() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.data(1, &[0; 16_384], false);
    raw.data(1, &[0; 16_384], false);
    assert_eq!(raw.sent(), [], "nothing is consumed yet");
    raw.engine.release(STREAM, 16_384);
    assert_eq!(raw.sent(), [], "not worth a frame yet");
    raw.engine.release(STREAM, 16_384);
    let sent = raw.sent();
    assert!(sent.contains(&Sent::WindowUpdate { stream: 1, increment: 32_768 }), "{sent:?}");
}

#[test]
fn streams_whose_data_nobody_takes_do_not_stop_the_others() {
    let mut raw = Raw::server();
    for stream in (1..=63).step_by(2) {
        raw.request(stream, false);
        for _ in 0..4 {
            // Two mebibytes in all, where the connection's window has one.
            raw.data(stream, &[0; 16_384], false);
        }
    }
    assert_eq!(raw.resets(), []);
    let now = raw.engine.snapshot();
    assert_eq!(now.receive_held, 2 << 20);
    assert!(now.receive_window > i64::from(now.receive_size) / 2, "{now:?}");
    raw.data(1, b"x", false);
    assert_eq!(raw.resets(), [(1, ErrorCode::FlowControlError)], "each has its own window");
}

#[test]
fn the_connections_window_comes_back_when_data_arrives_in_few_frames() {
    let mut raw = Raw::server();
    for stream in (1..=39).step_by(2) {
        raw.request(stream, false);
        for _ in 0..4 {
            raw.data(stream, &[0; 16_384], false);
        }
    }
    let updates: Vec<_> = raw.sent();
    assert_eq!(
        updates,
        [
            Sent::WindowUpdate { stream: 0, increment: 512 << 10 },
            Sent::WindowUpdate { stream: 0, increment: 512 << 10 }
        ]
    );
}

#[test]
fn a_stream_whose_application_holds_more_than_half_goes_on() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.data(1, &[0; 16_384], false);
    raw.data(1, &[0; 16_384], false);
    raw.engine.release(STREAM, 30_000);
    assert_eq!(raw.sent(), [], "not worth a frame yet");
    raw.data(1, &[0; 16_384], false);
    assert_eq!(raw.sent(), [Sent::WindowUpdate { stream: 1, increment: 30_000 }]);
    // All of the window is held but one octet.
    for length in [16_384, 16_384, 13_616 - 1] {
        raw.data(1, &vec![0; length], false);
    }
    assert_eq!(raw.sent(), []);
    raw.engine.release(STREAM, 1);
    raw.engine.release(STREAM, 0);
    assert_eq!(raw.sent(), [Sent::WindowUpdate { stream: 1, increment: 1 }]);
    assert_eq!(raw.resets(), []);
}

#[test]
fn credit_cannot_be_given_back_twice() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.data(1, &[0; 10_000], false);
    for _ in 0..1_000 {
        raw.engine.release(STREAM, 10_000);
    }
    let now = raw.engine.snapshot();
    assert_eq!((now.receive_held, now.receive_unannounced), (0, 10_000));
    let most: u32 = raw
        .sent()
        .iter()
        .filter_map(|frame| match frame {
            Sent::WindowUpdate { stream: 1, increment } => Some(*increment),
            _ => None,
        })
        .sum();
    assert!(most <= 10_000, "{most}");
}

#[test]
fn h34_the_credit_of_a_stream_that_is_gone_goes_back_to_the_connection() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.any(0x0, 0x8, 1, b"\x04data\0\0\0\0");
    raw.engine.reset(STREAM, ErrorCode::Cancel);
    raw.engine.done(STREAM);
    raw.any(0x0, 0x8, 1, b"\x04late\0\0\0\0");
    raw.engine.release(STREAM, 9);
    let now = raw.engine.snapshot();
    assert_eq!((now.receive_held, now.receive_unannounced), (0, 18));
    assert_eq!(now.receive_window, (1 << 20) - 18);
}

#[test]
fn no_window_update_is_sent_on_a_stream_whose_peer_has_ended_it() {
    let mut raw = Raw::server();
    raw.request(1, false);
    raw.data(1, &[0; 16_384], false);
    raw.data(1, &[0; 16_384], false);
    raw.data(1, &[0; 16_384], true);
    raw.sent();
    raw.engine.release(STREAM, 49_152);
    let sent = raw.sent();
    assert!(
        !sent.iter().any(|frame| matches!(frame, Sent::WindowUpdate { stream: 1, .. })),
        "{sent:?}"
    );
}

#[test]
fn small_payloads_do_not_keep_the_read_buffer() {
    let mut config = Config::default();
    config.limits.copy_below = 100;
    let mut raw = Raw::server_with(config);
    raw.request(1, false);
    raw.data(1, &[7; 99], false);
    raw.data(1, &[8; 100], false);
    let events = raw.events();
    let [_, Event::Data { data: small, .. }, Event::Data { data: large, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((&small[..], &large[..]), (&[7; 99][..], &[8; 100][..]));
}

#[test]
fn h22_small_data_on_a_stalled_stream_is_nothing_special() {
    for count in [135, 2_600, 20_000] {
        let mut raw = Raw::server();
        raw.request(1, false);
        for _ in 0..count {
            raw.data(1, b"x", false);
        }
        assert_eq!(raw.resets(), []);
        raw.events();
        raw.assert_alive(3);
    }
}

#[test]
fn a_request_that_waits_for_its_window_is_cancelled_cleanly() {
    let mut raw = Raw::client();
    let stream = raw.engine.open(&request_head(), false).unwrap();
    raw.engine.send_data(stream, vec![0; 200_000].into(), true).unwrap();
    raw.sent();
    raw.engine.reset(stream, ErrorCode::Cancel);
    raw.engine.done(stream);
    raw.window_update(0, 100_000);
    assert_eq!(raw.sent(), [Sent::Reset { stream: 1, code: ErrorCode::Cancel }]);
    assert_eq!(raw.engine.active_streams(), 0);
}
