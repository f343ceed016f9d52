//! Windows of HTTP/2, and what waits to be written: where a kernel's buffers would blur the bounds, so that the engine is
//! asked.

use std::time::Duration;

use bytes::Bytes;
use farcall::limits::Bound;
use farcall_wire::http2::frame::{CLIENT_PREFACE, DEFAULT_WINDOW, SettingId};
use farcall_wire::http2::{Config, ErrorCode};
use farcall_wire::{Event, StreamId};

use crate::cell::number;
use crate::support::pair::{Pair, response_head};
use crate::support::raw::{Raw, Sent};

/// What a client may send before it hears more: all of it may come, and not an octet beyond. Frames that are as large as
/// the window show it, because it is given back when data arrives.
pub(super) fn connection_window(bound: Bound) {
    let window = number(bound);
    let mut raw = Raw::silent_server(Config::default());
    raw.bytes(CLIENT_PREFACE);
    let announced: usize = raw
        .sent()
        .iter()
        .map(|sent| match sent {
            Sent::WindowUpdate { stream: 0, increment } => *increment as usize,
            _ => 0,
        })
        .sum();
    assert_eq!(DEFAULT_WINDOW as usize + announced, window);
    for (size, taken) in [(window, true), (window + 1, false)] {
        let mut config = Config::default();
        config.limits.max_frame_size = 2 * window as u32;
        config.limits.stream_window = 2 * window as u32;
        let mut raw = Raw::server_with(config);
        raw.request(1, false);
        raw.data(1, &vec![0; size], false);
        if taken {
            raw.assert_alive(3);
        } else {
            assert_eq!(raw.fault(), ErrorCode::FlowControlError);
        }
    }
}

/// A path that would hold any number of octets: both windows end at the bound.
pub(super) fn windows_grow(bound: Bound) {
    let most = number(bound);
    let mut sender = Config::default();
    sender.limits.max_unsent_stream = 64 << 20;
    sender.limits.output_high_water = 64 << 20;
    let mut pair = Pair::with(sender, Config::default());
    let stream = pair.open(false);
    for _ in 0..24 {
        let size = pair.server.stream_snapshots().next().unwrap().receive_size as usize;
        let queued = (64 << 20) - pair.client.send_room(stream);
        let data = Bytes::from(vec![0; (2 * size).saturating_sub(queued)]);
        pair.client.send_data(stream, data, false).unwrap();
        pair.collect();
        pair.now += Duration::from_millis(25);
        pair.deliver(usize::MAX, usize::MAX);
        pair.take_all_server(stream);
        let connection = pair.server.snapshot().receive_size as usize;
        assert!(size <= most && connection <= most, "{size} {connection}");
    }
    let size = pair.server.stream_snapshots().next().unwrap().receive_size as usize;
    assert_eq!((size, pair.server.snapshot().receive_size as usize), (most, most));
}

/// A server whose client takes no data, with answers begun on so many streams.
fn answering(streams: u32) -> (Raw, Vec<StreamId>) {
    let mut raw = Raw::server();
    raw.settings(&[(SettingId::InitialWindowSize, 0)]);
    let streams: Vec<_> = (0..streams).map(|index| StreamId(1 + 2 * index)).collect();
    for stream in &streams {
        raw.request(stream.0, true);
        raw.engine.send_head(*stream, &response_head(), false).unwrap();
    }
    raw.events();
    raw.sent();
    (raw, streams)
}

pub(super) fn unsent_stream(bound: Bound) {
    let most = number(bound);
    let (mut raw, streams) = answering(2);
    let (full, other) = (streams[0], streams[1]);
    assert_eq!(raw.engine.send_room(full), most);
    raw.engine.send_data(full, vec![0; most - 1].into(), false).unwrap();
    assert_eq!(raw.engine.send_room(full), 1);
    raw.engine.send_data(full, vec![0].into(), false).unwrap();
    assert_eq!(raw.engine.send_room(full), 0);
    assert_eq!(raw.engine.send_room(other), most);
    raw.window_update(0, most as u32);
    raw.window_update(1, most as u32);
    while !raw.sent().is_empty() {}
    assert!(raw.events().contains(&Event::Writable { stream: full }));
}

/// Above the bound, a stream has its share of it and no more.
pub(super) fn unsent_connection(bound: Bound) {
    let most = number(bound);
    let (mut raw, streams) = answering(10);
    let stream = raw.engine.send_room(streams[0]);
    let mut left = most - 1;
    for id in &streams[1..] {
        let size = left.min(stream);
        raw.engine.send_data(*id, vec![0; size].into(), false).unwrap();
        left -= size;
    }
    assert_eq!(left, 0);
    assert_eq!(raw.engine.send_room(streams[0]), stream);
    raw.engine.send_data(streams[9], vec![0].into(), false).unwrap();
    let share = most / Config::default().limits.max_concurrent_streams as usize;
    assert_eq!(raw.engine.send_room(streams[0]), share);
}

/// A peer that does not read what it made us answer is not read from.
pub(super) fn unsent_control(bound: Bound) {
    let mut raw = Raw::server();
    let slots = Config::default().limits.max_concurrent_streams;
    for index in 0..slots {
        raw.request(1 + 2 * index, true);
    }
    raw.sent();
    for index in 0..number(bound) as u32 {
        assert!(raw.engine.wants_input(), "{index}");
        raw.request(1 + 2 * (slots + index), true);
    }
    assert!(!raw.engine.wants_input());
    assert_eq!(raw.resets().len(), number(bound));
    assert!(raw.engine.wants_input());
}
