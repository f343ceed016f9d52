//! Calls over a WebSocket: what takes minutes, or what a kernel's buffers would blur.

use std::time::Duration;

use bytes::Bytes;
use farcall::limits::Bound;
use farcall_wire::http2::{ErrorCode, Role};
use farcall_wire::websocket::SessionConfig;
use farcall_wire::{Event, StreamId};

use crate::cell::{MOMENT, assert_rate, number, time};
use crate::websocket_support::pair::{Pair, response_head};
use crate::websocket_support::session::{REQUEST, Raw, credit, goaway, head, message, reset};

/// Time passes, in steps of what the session waits for.
fn pass(raw: &mut Raw, time: Duration) {
    let end = raw.now + time;
    while let Some(next) = raw.session.next_timeout().filter(|next| *next <= end) {
        raw.now = raw.now.max(next);
        raw.session.handle_timeout(raw.now);
        raw.session.fill(raw.now);
    }
    raw.now = end;
    raw.session.handle_timeout(end);
}

/// Streams that were reset by this session, and whether it goes on.
fn resets(raw: &mut Raw) -> Vec<(u32, u32)> {
    let sent = raw.sent();
    assert!(!raw.session.is_closed(), "{sent:?}");
    sent.iter()
        .filter(|sent| sent[0] == 4)
        .map(|sent| {
            let number = |at: usize| u32::from_be_bytes(*sent[at..].first_chunk().unwrap());
            (number(1), number(5))
        })
        .collect()
}

/// A call is taken.
fn assert_alive(raw: &mut Raw, stream: u32) {
    raw.message(&head(stream, true, REQUEST));
    let events = raw.events();
    assert!(matches!(events.last(), Some(Event::Request { .. })), "{events:?}");
}

pub(super) fn calls_held(bound: Bound) {
    let most = number(bound);
    let mut raw = Raw::server();
    for index in 0..most {
        raw.message(&head(1 + 2 * index as u32, true, REQUEST));
        raw.message(&reset(1 + 2 * index as u32, 8, ""));
    }
    assert_eq!((raw.session.active_streams(), resets(&mut raw)), (most, vec![]));
    let next = 1 + 2 * most as u32;
    raw.message(&head(next, true, REQUEST));
    raw.assert_reset(next, ErrorCode::RefusedStream);
    raw.events();
    raw.session.done(StreamId(1));
    assert_alive(&mut raw, next + 2);
}

pub(super) fn heads_not_fetched(bound: Bound) {
    const SIZE: usize = 8192;
    let most = number(bound);
    assert_eq!(most % SIZE, 0);
    let used = "te".len() + "trailers".len() + "content-type".len() + "application/grpc".len() + 64;
    let fields = format!("{REQUEST}x: {}\n", "0".repeat(SIZE - used - 33));
    let mut raw = Raw::server();
    // As many as the bound holds, and the one that goes beyond it.
    for index in 0..=most / SIZE {
        raw.message(&head(1 + 2 * index as u32, true, &fields));
    }
    assert_eq!(resets(&mut raw), []);
    raw.message(&head(1001, true, &fields));
    raw.assert_reset(1001, ErrorCode::RefusedStream);
    raw.events();
    assert_alive(&mut raw, 1003);
}

pub(super) fn interim_responses(bound: Bound) {
    let mut raw = Raw::asking();
    for _ in 0..number(bound) {
        raw.message(&head(1, false, ":status: 103\n"));
    }
    assert_eq!((raw.events().len(), resets(&mut raw)), (number(bound), vec![]));
    raw.message(&head(1, false, ":status: 103\n"));
    raw.assert_reset(1, ErrorCode::EnhanceYourCalm);
}

/// A path that would hold any number of octets.
pub(super) fn windows_grow(bound: Bound) {
    let most = number(bound);
    let mut sender = SessionConfig::default();
    sender.limits.max_unsent_stream = 64 << 20;
    sender.limits.output_high_water = 64 << 20;
    let mut pair = Pair::with(sender, SessionConfig::default());
    let stream = pair.open(false);
    let size_of =
        |pair: &Pair| pair.server.stream_snapshots().next().unwrap().receive_size as usize;
    for _ in 0..24 {
        let size = size_of(&pair);
        assert!(size <= most, "{size}");
        let queued = (64 << 20) - pair.client.send_room(stream);
        let data = Bytes::from(vec![0; (2 * size).saturating_sub(queued)]);
        pair.client.send_data(stream, data, false).unwrap();
        pair.collect();
        pair.now += Duration::from_millis(25);
        pair.deliver(usize::MAX, usize::MAX);
        pair.take_all_server(stream);
    }
    assert_eq!(size_of(&pair), most);
}

/// A server with an answer begun, of which more waits than the client's first window.
fn answering() -> Raw {
    let mut raw = Raw::asked();
    raw.session.send_head(StreamId(1), &response_head(), false).unwrap();
    raw.session.send_data(StreamId(1), vec![0; 65_536].into(), false).unwrap();
    raw.sent();
    raw
}

pub(super) fn unsent_stream(bound: Bound) {
    let most = number(bound);
    let mut raw = answering();
    let stream = StreamId(1);
    assert_eq!(raw.session.send_room(stream), most);
    raw.session.send_data(stream, vec![0; most - 1].into(), false).unwrap();
    assert_eq!(raw.session.send_room(stream), 1);
    raw.session.send_data(stream, vec![0].into(), false).unwrap();
    assert_eq!(raw.session.send_room(stream), 0);
    raw.message(&credit(1, most as u32));
    while !raw.sent().is_empty() {}
    assert!(raw.events().contains(&Event::Writable { stream }));
}

pub(super) fn rapid_resets(bound: Bound) {
    let mut raw = Raw::server();
    let mut stream = 1;
    raw.message(&head(stream, true, REQUEST));
    assert_rate(bound, |pause| {
        raw.now += pause;
        raw.message(&reset(stream, 8, ""));
        raw.session.done(StreamId(stream));
        raw.events();
        stream += 2;
        raw.message(&head(stream, true, REQUEST));
        resets(&mut raw).is_empty()
    });
    raw.now += Duration::from_secs(2);
    assert_alive(&mut raw, stream + 2);
}

pub(super) fn useless_frames(bound: Bound) {
    let mut raw = Raw::server();
    assert_rate(bound, |pause| {
        raw.now += pause;
        raw.message(&message(77, 0, b""));
        !raw.session.is_closed()
    });
    raw.assert_failed(ErrorCode::EnhanceYourCalm, 1008);
}

pub(super) fn credits(bound: Bound) {
    let mut raw = Raw::asked();
    assert_rate(bound, |pause| {
        raw.now += pause;
        raw.message(&credit(1, 1));
        !raw.session.is_closed()
    });
    raw.assert_failed(ErrorCode::EnhanceYourCalm, 1008);
}

pub(super) fn goaways(bound: Bound) {
    let mut raw = Raw::client();
    for _ in 0..number(bound) {
        raw.message(&goaway(0, 0, ""));
        let events = raw.events();
        assert!(matches!(events[..], [Event::Draining { .. }]), "{events:?}");
    }
    raw.message(&goaway(0, 0, ""));
    assert_eq!(raw.events(), []);
    assert!(!raw.session.is_closed());
}

/// Without Pings between: they are another cell.
fn quiet() -> SessionConfig {
    let mut config = SessionConfig::default();
    config.websocket.keepalive_interval = None;
    config
}

pub(super) fn idle(bound: Bound) {
    let mut raw = Raw::with(Role::Server, quiet());
    pass(&mut raw, time(bound).checked_sub(MOMENT).unwrap());
    assert_eq!(raw.sent(), [] as [Vec<u8>; 0]);
    pass(&mut raw, MOMENT);
    let sent = raw.sent();
    assert!(sent.iter().any(|sent| sent[0] == 6), "GOAWAY in {sent:?}");
    assert!(!raw.session.is_closed(), "in good order");
}

/// A client that takes an answer slowly: what the bound asks for in ten seconds is looked at every thirty.
pub(super) fn progress(bound: Bound) {
    let least = 3 * number(bound) as u32;
    let period = Duration::from_secs(30);
    let mut raw = Raw::with(Role::Server, quiet());
    raw.message(&head(1, true, REQUEST));
    raw.session.send_head(StreamId(1), &response_head(), false).unwrap();
    raw.session.send_data(StreamId(1), vec![0; 65_536].into(), false).unwrap();
    raw.session.send_data(StreamId(1), vec![0; 100_000].into(), true).unwrap();
    raw.events();
    raw.sent();
    for _ in 0..5 {
        raw.message(&credit(1, least));
        assert_eq!(resets(&mut raw), []);
        pass(&mut raw, period);
    }
    assert_eq!(resets(&mut raw), []);
    raw.message(&credit(1, least - 1));
    assert_eq!(resets(&mut raw), []);
    pass(&mut raw, period);
    assert_eq!(resets(&mut raw), [(1, ErrorCode::Cancel.to_u32())]);
    raw.events();
    assert_alive(&mut raw, 3);
}
