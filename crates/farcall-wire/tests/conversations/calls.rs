//! Calls in all their forms.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use farcall_wire::http2::{ErrorCode, OpenError};
use farcall_wire::{Event, Fields, Side, StreamId};

use crate::support::pair::{Pair, request_head, response_head, status_trailers};
use crate::support::protocol::{Config, audit, still_windows};
use crate::support::random::Random;

#[test]
fn a_unary_call_goes_there_and_back() {
    let mut pair = Pair::new();
    let stream = pair.client.open(&request_head(), false).unwrap();
    pair.client.send_data(stream, Bytes::from_static(b"question"), true).unwrap();
    pair.exchange();
    let events = pair.server_events();
    let [Event::Request { head, end: false, .. }, Event::Data { data, credit: 8, end: true, .. }] =
        &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((head.method(), head.scheme()), (&b"POST"[..], &b"http"[..]));
    assert_eq!(
        (head.authority(), head.path()),
        (Some(&b"localhost"[..]), &b"/greet.v1.Greeter/SayHello"[..])
    );
    let regular = Fields::from_iter([("te", "trailers"), ("content-type", "application/grpc")]);
    assert_eq!(head.fields(), &regular);
    assert_eq!(&data[..], b"question");

    pair.server.send_head(stream, &response_head(), false).unwrap();
    pair.server.send_data(stream, Bytes::from_static(b"answer"), false).unwrap();
    pair.server.send_trailers(stream, &status_trailers()).unwrap();
    pair.server.done(stream);
    pair.exchange();
    let events = pair.client_events();
    let [
        Event::Response { head, end: false, .. },
        Event::Data { data, end: false, .. },
        Event::Trailers { fields, .. },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((head.status(), &data[..]), (200, &b"answer"[..]));
    assert_eq!(fields, &status_trailers());
    pair.client.done(stream);
    assert_eq!((pair.client.active_streams(), pair.server.active_streams()), (0, 0));
}

#[test]
fn a_megabyte_crosses_windows_and_frames() {
    let mut pair = Pair::new();
    let stream = pair.open(false);
    let body = Random::new(7).bytes(1 << 20);
    let (mut sent, mut received) = (0, Vec::new());
    while received.len() < body.len() {
        let room = pair.client.send_room(stream).min(body.len() - sent);
        if room > 0 {
            let piece = Bytes::copy_from_slice(&body[sent..sent + room]);
            sent += room;
            pair.client.send_data(stream, piece, sent == body.len()).unwrap();
        }
        pair.exchange();
        received.extend(pair.take_all_server(stream));
        audit(&pair.server);
    }
    assert!(received == body);
}

#[test]
fn concurrent_streams_share_the_connection_fairly() {
    let mut pair = Pair::with(Config::default(), still_windows());
    let streams: Vec<StreamId> = (0..4).map(|_| pair.open(false)).collect();
    for stream in &streams {
        pair.client.send_data(*stream, Bytes::from(vec![1; 200_000]), false).unwrap();
    }
    pair.exchange();
    let mut received: BTreeMap<StreamId, usize> = BTreeMap::new();
    for event in pair.server_events() {
        if let Event::Data { stream, data, .. } = event {
            *received.entry(stream).or_default() += data.len();
        }
    }
    assert_eq!(received.values().copied().collect::<Vec<_>>(), [65_536; 4]);
}

#[test]
fn a_full_stream_is_writable_again_when_the_peer_reads() {
    let mut pair = Pair::new();
    let stream = pair.open(false);
    while pair.client.send_room(stream) > 0 {
        pair.client.send_data(stream, Bytes::from(vec![0; 50_000]), false).unwrap();
    }
    pair.exchange();
    assert!(!pair.client_events().contains(&Event::Writable { stream }));
    while pair.client.send_room(stream) == 0 {
        assert!(!pair.take_all_server(stream).is_empty());
        pair.exchange();
    }
    let told = pair.client_events().contains(&Event::Writable { stream });
    for _ in 0..10 {
        pair.take_all_server(stream);
        pair.exchange();
    }
    assert!(told || pair.client_events().contains(&Event::Writable { stream }));
    assert_eq!(pair.client.snapshot().queued, 0);
}

#[test]
fn streams_over_the_limit_wait_for_capacity() {
    let mut pair = Pair::new();
    assert_eq!(pair.client.open_room(), 128);
    let streams: Vec<StreamId> =
        (0..128).map(|_| pair.client.open(&request_head(), true).unwrap()).collect();
    assert_eq!(pair.client.open(&request_head(), true), Err(OpenError::Concurrency));
    pair.exchange();
    assert_eq!(pair.server_events().len(), 128);
    pair.server.send_head(streams[5], &response_head(), true).unwrap();
    pair.server.done(streams[5]);
    pair.exchange();
    let events = pair.client_events();
    assert!(
        matches!(events[..], [Event::Response { end: true, .. }, Event::Capacity { streams: 1 }]),
        "{events:?}"
    );
    pair.client.open(&request_head(), true).unwrap();
}

#[test]
fn a_cancelled_call_leaves_nothing_behind() {
    let mut pair = Pair::new();
    let stream = pair.open(false);
    pair.client.send_data(stream, Bytes::from(vec![0; 300_000]), false).unwrap();
    pair.exchange();
    pair.client.reset(stream, ErrorCode::Cancel);
    pair.client.done(stream);
    pair.exchange();
    pair.take_all_server(stream);
    assert_eq!(pair.server.active_streams(), 1, "the handler still runs");
    pair.server.done(stream);
    assert_eq!((pair.client.active_streams(), pair.server.active_streams()), (0, 0));
    assert_eq!(pair.client.snapshot().queued, 0);
}

#[test]
fn a_dropped_call_is_reset() {
    let mut pair = Pair::new();
    let stream = pair.open(false);
    pair.client.done(stream);
    pair.exchange();
    let events = pair.server_events();
    assert!(
        matches!(events[..], [Event::Reset { code: ErrorCode::Cancel, by: Side::Remote, .. }]),
        "{events:?}"
    );
}

#[test]
fn a_ping_comes_back_with_its_octets() {
    let mut pair = Pair::new();
    pair.client.ping(*b"are you?");
    pair.exchange();
    assert_eq!(pair.client_events(), [Event::Pong { payload: *b"are you?" }]);
    assert_eq!(pair.server_events(), []);
}

#[test]
fn a_drained_server_finishes_what_is_in_flight() {
    let mut pair = Pair::new();
    let early = pair.open(true);
    pair.server.drain(pair.now);
    // A request that left before the news arrived is still taken.
    let crossing = pair.client.open(&request_head(), true).unwrap();
    pair.exchange();
    assert!(
        matches!(pair.server_events()[..], [Event::Request { stream, .. }] if stream == crossing)
    );
    let drained = pair.client_events();
    assert!(matches!(drained[0], Event::Draining { code: ErrorCode::NoError, .. }), "{drained:?}");
    assert_eq!(pair.client.open(&request_head(), true), Err(OpenError::Draining));
    for stream in [early, crossing] {
        assert!(!pair.server.is_drained());
        pair.server.send_head(stream, &response_head(), true).unwrap();
        pair.server.done(stream);
    }
    assert!(pair.server.is_drained());
    pair.exchange();
    assert_eq!(pair.client_events().len(), 2);
    for stream in [early, crossing] {
        pair.client.done(stream);
    }
    assert!(pair.client.is_drained());
}

#[test]
fn a_drain_does_not_wait_for_ever_for_the_peer() {
    let mut pair = Pair::new();
    pair.server.drain(pair.now);
    assert!(!pair.server.is_drained());
    pair.server.handle_timeout(pair.now + Duration::from_secs(20));
    assert!(pair.server.is_drained());
}

#[test]
fn idle_connections_are_drained_after_fifteen_minutes_and_kept_alive_until_then() {
    let mut pair = Pair::new();
    pair.pass(Duration::from_secs(14 * 60 + 59));
    assert!(!pair.client.is_drained() && !pair.server.is_drained());
    pair.call(b"question", b"answer");
    pair.pass(Duration::from_secs(14 * 60 + 59));
    assert!(!pair.client.is_drained() && !pair.server.is_drained());
    pair.pass(Duration::from_mins(1));
    assert!(pair.client.is_drained() && pair.server.is_drained());
}
