//! What is known to hurt HTTP/2 servers, and traffic of the same shape that must not be punished.
//!
//! Names begin with the number of the attack. Attacks that break a rule of RFC 9113 are in the
//! tests of its sections.

mod support;

use std::time::Duration;

use farcall_wire::http2::frame::SettingId;
use farcall_wire::http2::{Config, ErrorCode};
use farcall_wire::{Event, Fields, Side, StreamId};
use support::pair::{request_head, response_head};
use support::raw::{Raw, Sent};

/// Requests and resets as fast as the peer can; the application lets go at once.
fn rapid_reset(raw: &mut Raw, first: u32, count: u32) -> u32 {
    for index in 0..count {
        let stream = first + 2 * index;
        raw.request(stream, false);
        raw.reset(stream, ErrorCode::Cancel);
        for event in raw.events() {
            if let Event::Reset { stream, .. } = event {
                raw.engine.done(stream);
            }
        }
        if raw.engine.is_closed() {
            return index;
        }
    }
    count
}

#[test]
fn h01_rapid_resets_are_refused_first_and_then_end_the_connection() {
    let mut raw = Raw::server();
    assert_eq!(rapid_reset(&mut raw, 1, 1_000), 1_000);
    assert_eq!(raw.resets(), []);
    rapid_reset(&mut raw, 2_001, 50);
    assert!(raw.resets().iter().all(|(_, code)| *code == ErrorCode::RefusedStream));
    // A second later there are a hundred more, and then it is over.
    raw.now += Duration::from_millis(1_001);
    let lasted = rapid_reset(&mut raw, 4_001, 1_000);
    assert!((90..250).contains(&lasted), "{lasted}");
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

#[test]
fn h01_a_hundred_resets_per_second_can_go_on_for_ever() {
    let mut raw = Raw::server();
    for round in 0..50 {
        assert_eq!(rapid_reset(&mut raw, 1 + round * 200, 100), 100);
        raw.now += Duration::from_secs(1);
    }
    assert_eq!(raw.resets(), []);
}

#[test]
fn h01_cancels_of_answered_streams_are_not_counted() {
    let mut raw = Raw::server();
    for index in 0..100_000 {
        let stream = 1 + 2 * index;
        raw.request(stream, false);
        raw.engine.send_head(StreamId(stream), &response_head(), false).unwrap();
        raw.reset(stream, ErrorCode::Cancel);
        raw.engine.done(StreamId(stream));
        if index % 1_000 == 0 {
            raw.sent();
            raw.events();
        }
    }
    assert_eq!(raw.resets(), []);
}

#[test]
fn h01_cancels_of_streams_that_were_answered_long_ago_cost_nothing() {
    let mut raw = Raw::server();
    for batch in 0..300 {
        let streams = (0..100).map(|index| 1 + 2 * (100 * batch + index));
        for stream in streams.clone() {
            raw.request(stream, true);
            raw.answer(stream, b"");
        }
        for stream in streams {
            raw.reset(stream, ErrorCode::Cancel);
        }
        raw.events();
    }
    assert!(!raw.engine.is_closed());
}

#[test]
fn h01_completed_streams_earn_resets() {
    let mut raw = Raw::server();
    for index in 0..3_000 {
        let stream = 1 + 4 * index;
        raw.request(stream, true);
        raw.answer(stream, b"");
        assert_eq!(rapid_reset(&mut raw, stream + 2, 1), 1);
        raw.events();
    }
    assert_eq!(raw.resets(), []);
}

#[test]
fn h02_hundreds_of_streams_dropped_at_once_are_refused_while_their_handlers_live() {
    let mut raw = Raw::server();
    for index in 0..300 {
        raw.request(1 + 2 * index, false);
        raw.reset(1 + 2 * index, ErrorCode::Cancel);
    }
    assert_eq!(raw.engine.active_streams(), 256);
    assert_eq!(raw.resets().len(), 300 - 256);
    for index in 0..256 {
        raw.engine.done(StreamId(1 + 2 * index));
    }
    raw.events();
    raw.assert_alive(601);
}

/// The six ways to make a server reset streams by itself; each offends once, on the given stream.
const PROVOCATIONS: [fn(&mut Raw, u32); 6] = [
    |raw, stream| raw.window_update(stream, 0),
    |raw, stream| raw.window_update(stream, 0x7fff_ffff),
    |raw, stream| raw.any(0x2, 0, stream, &[0; 4]),
    |raw, stream| raw.priority(stream, stream),
    |raw, stream| raw.request(stream, true),
    |raw, stream| raw.data(stream, b"x", false),
];

#[test]
fn h03_resets_that_the_peer_provokes_are_counted_like_its_own() {
    for provoke in PROVOCATIONS {
        let mut raw = Raw::server();
        let mut refused = 0;
        for index in 0..1_200 {
            let stream = 1 + 2 * index;
            raw.request(stream, true);
            let taken = raw.events().iter().any(|event| matches!(event, Event::Request { .. }));
            if taken {
                provoke(&mut raw, stream);
                let events = raw.events();
                assert!(matches!(events[..], [Event::Reset { by: Side::Local, .. }]), "{events:?}");
                raw.engine.done(StreamId(stream));
            } else {
                refused += 1;
            }
        }
        assert!(refused > 150, "{refused}");
        assert!(!raw.engine.is_closed());
    }
}

#[test]
fn h03_a_provoked_reset_does_not_free_the_slot_of_a_living_handler() {
    let mut raw = Raw::server();
    for index in 0..300 {
        let stream = 1 + 2 * index;
        raw.request(stream, true);
        raw.window_update(stream, 0);
    }
    assert_eq!(raw.engine.active_streams(), 256);
}

#[test]
fn h04_a_peer_that_does_not_read_its_answers_is_not_read_from() {
    let mut config = Config::default();
    config.limits.max_concurrent_streams = 0;
    let mut raw = Raw::server_with(config);
    for index in 0..127 {
        raw.request(1 + 2 * index, false);
    }
    assert!(raw.engine.wants_input());
    raw.request(1_001, false);
    assert!(!raw.engine.wants_input());
    assert_eq!(raw.sent().len(), 128);
    assert!(raw.engine.wants_input());
    assert!(!raw.engine.is_closed());
}

#[test]
fn h04_control_frames_count_as_written_even_if_the_output_never_becomes_empty() {
    use bytes::Buf;
    let mut raw = Raw::server();
    raw.request(1, true);
    raw.engine.send_head(StreamId(1), &response_head(), false).unwrap();
    for _ in 0..2_000 {
        raw.ping();
        if raw.engine.output().len() < 5_000 {
            raw.engine.send_data(StreamId(1), vec![0; 20].into(), false).unwrap();
        }
        let length = raw.engine.output().len().min(60);
        if raw.engine.output().len() > 1_000 {
            raw.engine.output().advance(length);
        }
        assert!(raw.engine.wants_input());
    }
}

#[test]
fn h05_continuations_without_end_end_the_connection() {
    let mut raw = Raw::server();
    raw.any(0x1, 0x1, 1, b"");
    for _ in 0..8 {
        raw.continuation(1, b"\x00", false);
    }
    assert!(!raw.engine.is_closed());
    raw.continuation(1, b"\x00", false);
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);

    let mut raw = Raw::server();
    raw.any(0x1, 0x1, 1, b"");
    raw.continuation(1, b"", false);
    assert!(!raw.engine.is_closed());
    raw.continuation(1, b"", false);
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);

    let mut raw = Raw::server();
    raw.any(0x1, 0x1, 1, &[0; 10_000]);
    raw.continuation(1, &[0; 10_000], false);
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

#[test]
fn h05_a_field_block_must_be_complete_within_ten_seconds() {
    let mut raw = Raw::server();
    raw.any(0x1, 0x1, 1, b"");
    for _ in 0..5 {
        raw.pass(Duration::from_millis(1_999));
        raw.continuation(1, b"\x00", false);
    }
    assert!(!raw.engine.is_closed());
    raw.pass(Duration::from_millis(5));
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

#[test]
fn h05_fifteen_kibibytes_of_token_in_three_frames_are_taken() {
    let mut raw = Raw::server();
    let mut head = request_head();
    let token = "~".repeat(11_500);
    head.push_sensitive("authorization", &token);
    let block = raw.block(&head);
    let third = block.len() / 3;
    raw.any(0x1, 0x1, 1, &block[..third]);
    raw.continuation(1, &block[third..2 * third], false);
    raw.continuation(1, &block[2 * third..], true);
    let events = raw.events();
    let [Event::Request { head, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(head.fields().get("authorization").map(<[u8]>::len), Some(11_500));
}

/// A request with `count` fields of `size` octets of value each.
fn wide_request(count: usize, size: usize) -> Fields {
    let mut head = request_head();
    for index in 0..count {
        head.push(format!("field-{index}"), "0".repeat(size));
    }
    head
}

#[test]
fn h06_a_field_list_over_the_limit_is_answered_with_431_and_the_table_follows() {
    for head in [wide_request(150, 10), wide_request(45, 400)] {
        let mut raw = Raw::server();
        raw.headers(1, &head, true);
        let sent = raw.sent();
        let [Sent::Headers { stream: 1, fields, end: true }] = &sent[..] else {
            panic!("{sent:?}")
        };
        assert_eq!(fields.get(":status"), Some(&b"431"[..]));
        assert_eq!(raw.events(), []);
        raw.assert_alive(3);
    }
}

#[test]
fn h06_a_field_list_of_four_times_the_limit_ends_the_connection() {
    let mut raw = Raw::server();
    let mut block = raw.block(&request_head());
    // A literal of 4,000 octets that goes into the table, and then twenty references to it of one
    // octet each.
    block.extend_from_slice(b"\x40\x04bomb\x7f\xa1\x1e");
    block.extend_from_slice(&[b'x'; 4_000]);
    block.extend_from_slice(&[0xbe; 20]);
    raw.any(0x1, 0x5, 1, &block);
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

#[test]
fn h06_a_hundred_fields_of_a_hundred_octets_are_taken() {
    let mut raw = Raw::server();
    raw.headers(1, &wide_request(94, 110), true);
    assert!(matches!(raw.events()[..], [Event::Request { .. }]));
}

#[test]
fn h07_more_than_a_thousand_fields_end_the_connection() {
    let mut config = Config::default();
    config.limits.max_header_list_size = 1 << 20;
    let mut raw = Raw::server_with(config);
    let mut head = request_head();
    for _ in 0..1_001 {
        head.push("cookie", "");
    }
    raw.headers(1, &head, true);
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

#[test]
fn h07_sixty_cookie_crumbs_are_taken() {
    let mut raw = Raw::server();
    let mut head = request_head();
    for index in 0..60 {
        head.push("cookie", format!("crumb{index}=1"));
    }
    raw.headers(1, &head, true);
    assert!(matches!(raw.events()[..], [Event::Request { .. }]));
}

#[test]
fn h07_requests_that_nobody_fetches_are_refused_before_they_fill_the_memory() {
    let mut raw = Raw::server();
    let head = wide_request(90, 100);
    for index in 0..60 {
        raw.headers(1 + 2 * index, &head, true);
    }
    let refused = raw.resets();
    assert!(refused.len() > 20, "{refused:?}");
    assert!(refused.iter().all(|(_, code)| *code == ErrorCode::RefusedStream));
    for event in raw.events() {
        if let Event::Request { stream, .. } = event {
            raw.engine.done(stream);
        }
    }
    raw.events();
    raw.assert_alive(1_001);
}

#[test]
fn h15_pings_on_an_idle_connection_are_limited() {
    let mut raw = Raw::server();
    for _ in 0..3 {
        raw.ping();
    }
    assert!(!raw.engine.is_closed());
    raw.ping();
    let sent = raw.sent();
    let Some(Sent::GoAway { code: ErrorCode::EnhanceYourCalm, debug, .. }) = sent.last() else {
        panic!("{sent:?}")
    };
    assert_eq!(debug, "too_many_pings");
}

#[test]
fn h15_keepalive_every_ten_seconds_with_a_stream_is_welcome() {
    let mut raw = Raw::server();
    raw.request(1, false);
    for _ in 0..1_000 {
        raw.now += Duration::from_secs(10);
        raw.ping();
        raw.sent();
    }
    assert!(!raw.engine.is_closed());
}

#[test]
fn h15_pings_amid_traffic_are_excused() {
    let mut raw = Raw::server();
    raw.request(1, false);
    for _ in 0..1_000 {
        raw.now += Duration::from_millis(1);
        raw.data(1, b"x", false);
        raw.ping();
        raw.sent();
    }
    assert!(!raw.engine.is_closed());
}

#[test]
fn h18_settings_floods_end_the_connection() {
    let mut raw = Raw::server();
    raw.settings(&[(SettingId::MaxFrameSize, 16_384); 33]);
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
    let mut raw = Raw::server();
    for _ in 0..9 {
        raw.settings(&[]);
    }
    assert!(!raw.engine.is_closed());
    raw.settings(&[]);
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

#[test]
fn h18_settings_once_per_second_are_welcome() {
    let mut raw = Raw::server();
    for window in 0..1_000 {
        raw.now += Duration::from_secs(1);
        raw.settings(&[(SettingId::InitialWindowSize, 65_535 + window)]);
        assert_eq!(raw.sent(), [Sent::SettingsAck]);
    }
}

#[test]
fn h21_empty_data_in_a_row_ends_the_connection() {
    let mut raw = Raw::server();
    raw.request(1, false);
    for _ in 0..16 {
        raw.data(1, b"", false);
    }
    assert_eq!(raw.events().len(), 1, "empty data is nothing to tell");
    raw.data(1, b"x", false);
    for _ in 0..16 {
        raw.data(1, b"", false);
    }
    assert!(!raw.engine.is_closed());
    raw.data(1, b"", false);
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

#[test]
fn h21_unary_calls_that_end_with_empty_data_are_welcome() {
    let mut raw = Raw::server();
    for index in 0..1_000 {
        let stream = 1 + 2 * index;
        raw.request(stream, false);
        raw.data(stream, b"question", false);
        raw.data(stream, b"", true);
        raw.answer(stream, b"answer");
    }
    assert_eq!(raw.resets(), []);
}

#[test]
fn h22_hundreds_of_streams_with_small_replies_are_welcome() {
    let mut raw = Raw::client();
    raw.settings(&[(SettingId::MaxConcurrentStreams, 1_000)]);
    let streams: Vec<u32> =
        (0..300).map(|_| raw.engine.open(&request_head(), true).unwrap().0).collect();
    for stream in &streams {
        raw.headers(*stream, &response_head(), false);
    }
    let mut taken = 0;
    for round in 0..33 {
        for stream in &streams {
            raw.data(*stream, &[0; 600], round == 32);
        }
        for event in raw.events() {
            if let Event::Data { stream, credit, .. } = event {
                raw.engine.release(stream, credit);
                taken += 1;
            }
        }
    }
    assert!(!raw.engine.is_closed());
    assert_eq!(taken, 9_900);
}

#[test]
fn h23_frames_of_padding_are_a_glitch_and_random_padding_is_not() {
    let mut config = Config::default();
    config.limits.glitches.burst = 100;
    let mut raw = Raw::server_with(config);
    raw.request(1, false);
    for length in 0..200_u8 {
        raw.any(0x0, 0x8, 1, &[&[length][..], &[1; 40], &vec![0; length.into()]].concat());
        raw.engine.release(StreamId(1), u32::from(length) + 41);
    }
    assert_eq!(raw.resets(), []);
    for _ in 0..101 {
        raw.any(0x0, 0x8, 1, &[&[255, 1][..], &[0; 255]].concat());
        raw.engine.release(StreamId(1), 257);
    }
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

#[test]
fn h24_window_updates_must_be_earned() {
    let mut raw = Raw::server();
    raw.request(1, true);
    for _ in 0..900 {
        raw.window_update(0, 1);
    }
    assert!(!raw.engine.is_closed());
    for _ in 0..200 {
        raw.window_update(1, 1);
    }
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

#[test]
fn h24_two_window_updates_per_frame_are_welcome() {
    let mut raw = Raw::server();
    raw.request(1, true);
    raw.engine.send_head(StreamId(1), &response_head(), false).unwrap();
    for _ in 0..20_000 {
        raw.engine.send_data(StreamId(1), vec![0; 10].into(), false).unwrap();
        raw.window_update(0, 10);
        raw.window_update(1, 10);
        raw.sent();
    }
    assert!(!raw.engine.is_closed());
}

#[test]
fn h30_glitches_are_a_rate() {
    let mut raw = Raw::server();
    for _ in 0..10_000 {
        raw.any(0xee, 0, 0, b"");
    }
    assert!(!raw.engine.is_closed());
    for _ in 0..100 {
        raw.now += Duration::from_secs(1);
        for _ in 0..330 {
            raw.any(0xee, 0, 0, b"");
        }
    }
    assert!(!raw.engine.is_closed());
    raw.any(0xee, 0, 0, b"");
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

#[test]
fn h32_malformed_requests_reset_their_streams_and_are_a_rate() {
    let mut raw = Raw::server();
    for index in 0..1_000 {
        raw.pairs(1 + 2 * index, &[(":status", "200")], true);
    }
    assert_eq!(raw.resets().len(), 1_000);
    raw.now += Duration::from_secs(1);
    raw.assert_alive(2_001);
}

#[test]
fn h40_a_server_that_never_ends_its_headers_is_left() {
    let mut raw = Raw::client();
    raw.engine.open(&request_head(), true).unwrap();
    raw.any(0x1, 0, 1, b"");
    for _ in 0..9 {
        raw.continuation(1, b"\x00", false);
    }
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

#[test]
fn h40_a_reply_with_too_many_fields_fails_its_call_only() {
    let mut raw = Raw::client();
    raw.engine.open(&request_head(), true).unwrap();
    raw.engine.open(&request_head(), true).unwrap();
    let mut head = response_head();
    for index in 0..150 {
        head.push(format!("field-{index}"), "");
    }
    raw.headers(1, &head, true);
    assert_eq!(raw.resets(), [(1, ErrorCode::EnhanceYourCalm)]);
    raw.headers(3, &response_head(), true);
    let events = raw.events();
    assert!(
        matches!(events[..], [Event::Reset { .. }, Event::Response { stream: StreamId(3), .. }]),
        "{events:?}"
    );
}

#[test]
fn an_idle_connection_gives_its_memory_back() {
    let mut raw = Raw::server();
    for round in 0..3 {
        for index in 0..100 {
            raw.request(1 + 2 * (index + 100 * round), true);
        }
        raw.events();
        for index in 0..100 {
            raw.answer(1 + 2 * (index + 100 * round), b"answer");
        }
        raw.sent();
        raw.pass(Duration::from_secs(1));
        assert_eq!(raw.engine.active_streams(), 0);
        assert!(raw.engine.output().capacity() <= 1024, "{}", raw.engine.output().capacity());
    }
    raw.assert_alive(1_001);
}
