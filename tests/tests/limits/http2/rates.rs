//! Token buckets of HTTP/2, with a clock that only the test moves.

use farcall::limits::Bound;
use farcall_wire::http2::ErrorCode;
use farcall_wire::http2::frame::CLIENT_PREFACE;
use farcall_wire::{Event, StreamId};

use crate::cell::{assert_rate, number};
use crate::support::raw::Raw;

/// Resets before an answer: above the rate, new streams are refused.
pub(super) fn resets(bound: Bound) {
    let mut raw = Raw::server();
    let mut stream = 1;
    raw.request(stream, false);
    assert_rate(bound, |pause| {
        raw.now += pause;
        raw.reset(stream, ErrorCode::Cancel);
        raw.engine.done(StreamId(stream));
        raw.events();
        stream += 2;
        raw.request(stream, false);
        raw.resets().is_empty()
    });
    raw.now += std::time::Duration::from_secs(2);
    raw.assert_alive(stream + 2);
}

pub(super) fn useless_frames(bound: Bound) {
    let mut raw = Raw::server();
    assert_rate(bound, |pause| {
        raw.now += pause;
        raw.any(0xee, 0, 0, b"");
        !raw.engine.is_closed()
    });
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

/// The first SETTINGS of a connection count too.
pub(super) fn settings(bound: Bound) {
    let mut raw = Raw::silent_server(farcall_wire::http2::Config::default());
    raw.bytes(CLIENT_PREFACE);
    assert_rate(bound, |pause| {
        raw.now += pause;
        raw.settings(&[]);
        !raw.engine.is_closed()
    });
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

/// Of a server, that is: those of a client are counted one by one, by how early they come.
pub(super) fn pings(bound: Bound) {
    let mut raw = Raw::client();
    assert_rate(bound, |pause| {
        raw.now += pause;
        raw.ping();
        !raw.engine.is_closed()
    });
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

pub(super) fn window_updates(bound: Bound) {
    let mut raw = Raw::server();
    assert_rate(bound, |pause| {
        raw.now += pause;
        raw.window_update(0, 1);
        !raw.engine.is_closed()
    });
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

/// So many are told of; what comes after them says nothing new.
pub(super) fn goaways(bound: Bound) {
    let mut raw = Raw::client();
    for _ in 0..number(bound) {
        raw.goaway(0, ErrorCode::NoError, b"");
        let events = raw.events();
        assert!(matches!(events[..], [Event::Draining { .. }]), "{events:?}");
    }
    raw.goaway(0, ErrorCode::NoError, b"");
    assert_eq!(raw.events(), []);
    assert!(!raw.engine.is_closed());
}
