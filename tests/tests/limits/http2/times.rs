//! Times of HTTP/2, with a clock that only the test moves: a moment before they are over nothing has happened.

use std::time::Duration;

use farcall::limits::Bound;
use farcall_wire::StreamId;
use farcall_wire::http2::frame::{CLIENT_PREFACE, SettingId};
use farcall_wire::http2::{Config, ErrorCode};

use crate::cell::{MOMENT, number, time};
use crate::support::pair::response_head;
use crate::support::raw::{Raw, Sent};

/// Waits until a moment before the time is over, and looks; then until it is.
fn pass(raw: &mut Raw, bound: Bound) {
    raw.pass(time(bound).checked_sub(MOMENT).unwrap());
    assert!(!raw.engine.is_closed(), "too early");
    raw.pass(MOMENT);
}

pub(super) fn head_complete(bound: Bound) {
    let mut raw = Raw::server();
    raw.any(0x1, 0x1, 1, b"");
    pass(&mut raw, bound);
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

pub(super) fn settings_acknowledged(bound: Bound) {
    let mut raw = Raw::silent_server(Config::default());
    raw.bytes(CLIENT_PREFACE);
    raw.settings(&[]);
    pass(&mut raw, bound);
    assert_eq!(raw.fault(), ErrorCode::SettingsTimeout);
}

/// PINGs at this distance are welcome for ever; a moment earlier each, they are not.
fn ping_interval(bound: Bound, with_call: bool) {
    for (interval, welcome) in
        [(time(bound), true), (time(bound).checked_sub(MOMENT).unwrap(), false)]
    {
        let mut raw = Raw::server();
        if with_call {
            raw.request(1, false);
        }
        for _ in 0..50 {
            raw.ping();
            raw.now += interval;
            if raw.engine.is_closed() {
                break;
            }
            raw.sent();
        }
        assert_eq!(!raw.engine.is_closed(), welcome, "each {interval:?}");
        if !welcome {
            assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
        }
    }
}

pub(super) fn ping_interval_idle(bound: Bound) {
    ping_interval(bound, false);
}

pub(super) fn ping_interval_active(bound: Bound) {
    ping_interval(bound, true);
}

/// Whether a PING asks for a sign of life.
fn asks(raw: &mut Raw) -> bool {
    raw.sent().iter().any(|sent| matches!(sent, Sent::Ping { ack: false, .. }))
}

pub(super) fn keepalive(bound: Bound) {
    let mut raw = Raw::server();
    raw.pass(time(bound).checked_sub(MOMENT).unwrap());
    assert!(!asks(&mut raw));
    raw.pass(MOMENT);
    assert!(asks(&mut raw));
}

pub(super) fn keepalive_answered(bound: Bound) {
    let mut raw = Raw::server();
    raw.pass(Config::default().keepalive_interval.unwrap());
    assert!(asks(&mut raw));
    pass(&mut raw, bound);
    assert_eq!(raw.fault(), ErrorCode::NoError);
}

pub(super) fn idle(bound: Bound) {
    let mut raw = Raw::server_with(Config { keepalive_interval: None, ..Config::default() });
    raw.assert_alive(1);
    pass(&mut raw, bound);
    let sent = raw.sent();
    let drains = |sent: &Sent| matches!(sent, Sent::GoAway { code: ErrorCode::NoError, .. });
    assert!(sent.iter().any(drains), "{sent:?}");
    assert!(!raw.engine.is_closed(), "in good order");
}

/// A peer that reads nothing of what waits for it.
pub(super) fn no_progress(bound: Bound) {
    let mut raw = Raw::server();
    raw.request(1, true);
    raw.answer(1, b"an answer that nobody reads");
    raw.engine.fill(raw.now);
    pass(&mut raw, bound);
    assert_eq!(raw.fault(), ErrorCode::EnhanceYourCalm);
}

/// A client that takes an answer slowly: what the bound asks for in ten seconds is looked at every thirty.
pub(super) fn progress(bound: Bound) {
    let least = 3 * number(bound) as u32;
    let period = Duration::from_secs(30);
    let mut raw = Raw::server_with(Config { keepalive_interval: None, ..Config::default() });
    raw.settings(&[(SettingId::InitialWindowSize, 0)]);
    raw.request(1, true);
    raw.engine.send_head(StreamId(1), &response_head(), false).unwrap();
    raw.engine.send_data(StreamId(1), vec![0; 100_000].into(), true).unwrap();
    raw.events();
    for _ in 0..5 {
        raw.window_update(1, least);
        assert_eq!(raw.resets(), []);
        raw.pass(period);
    }
    assert_eq!(raw.resets(), []);
    raw.window_update(1, least - 1);
    assert_eq!(raw.resets(), []);
    raw.pass(period);
    assert_eq!(raw.resets(), [(1, ErrorCode::Cancel)]);
    raw.engine.done(StreamId(1));
    raw.events();
    raw.settings(&[(SettingId::InitialWindowSize, 65_535)]);
    raw.assert_alive(3);
}
