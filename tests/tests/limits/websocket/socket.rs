//! The WebSocket itself: frames, messages, Pings and Close, as an application has it and as calls do.

use bytes::BytesMut;
use farcall::limits::Bound;
use farcall_tests::{Request, Subject};
use farcall_wire::websocket::frame::{FrameHead, OpCode};
use farcall_wire::websocket::{CloseCode, Config, Event, SendError};

use crate::cell::{MOMENT, assert_rate, live, number, time};
use crate::raw::Raw as Text;
use crate::streams;
use crate::websocket_support::raw::{KEY, Raw, Sent, part, whole};

/// Subprotocols in a handshake with a live server, the one of calls among them.
pub(super) fn offers(bound: Bound) {
    live(async {
        let running = streams::server(&Subject::new()).await;
        for (count, status) in [(number(bound), "101"), (number(bound) + 1, "400")] {
            let others = "other, ".repeat(count - 1);
            let request = format!(
                "GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                 sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\
                 sec-websocket-protocol: {others}farcall.v1\r\n\r\n"
            );
            let raw = Text::connect(&running.endpoint).await;
            let line = raw.first_line_after(request.as_bytes()).await;
            assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{line}");
        }
        assert!(running.client().await.unary(Request::default()).await.is_ok());
    });
}

/// A masked header alone, that promises so many octets.
fn promise(opcode: OpCode, length: usize) -> BytesMut {
    let mut out = BytesMut::new();
    let length = length as u64;
    FrameHead { fin: true, rsv1: false, rsv23: 0, opcode, mask: Some(KEY), length }.emit(&mut out);
    out
}

pub(super) fn frame(bound: Bound) {
    let mut raw = Raw::server();
    raw.frame(whole(OpCode::Binary, &vec![0; number(bound)]));
    assert_eq!(raw.events().len(), 1);
    raw.bytes(&promise(OpCode::Binary, number(bound) + 1));
    raw.assert_failed(1009);
}

pub(super) fn message(bound: Bound) {
    let frame = Config::default().limits.max_frame_size;
    let begun = || {
        let mut raw = Raw::server();
        raw.frame(part(OpCode::Binary, &vec![0; frame]));
        for _ in 2..number(bound) / frame {
            raw.frame(part(OpCode::Continuation, &vec![0; frame]));
        }
        raw
    };
    let mut raw = begun();
    raw.frame(whole(OpCode::Continuation, &vec![0; frame]));
    let events = raw.events();
    assert!(matches!(&events[..], [Event::Binary(data)] if data.len() == number(bound)));
    let mut raw = begun();
    raw.frame(part(OpCode::Continuation, &vec![0; frame]));
    raw.bytes(&promise(OpCode::Continuation, 1));
    raw.assert_failed(1009);
}

pub(super) fn fragments(bound: Bound) {
    let begun = || {
        let mut raw = Raw::server();
        raw.frame(part(OpCode::Binary, b"x"));
        for _ in 2..number(bound) {
            raw.frame(part(OpCode::Continuation, b"x"));
        }
        raw
    };
    let mut raw = begun();
    raw.frame(whole(OpCode::Continuation, b"x"));
    assert_eq!(raw.events().len(), 1);
    let mut raw = begun();
    raw.frame(part(OpCode::Continuation, b"x"));
    raw.frame(whole(OpCode::Continuation, b"x"));
    raw.assert_failed(1008);
}

pub(super) fn empty_frames(bound: Bound) {
    let mut raw = Raw::server();
    raw.frame(part(OpCode::Binary, b"x"));
    for _ in 0..number(bound) {
        raw.frame(part(OpCode::Continuation, b""));
    }
    assert_eq!(raw.sent(), []);
    raw.frame(part(OpCode::Continuation, b""));
    raw.assert_failed(1008);
}

/// Up to the bound the application may send; the message that goes beyond it is the last that is taken.
pub(super) fn unsent(bound: Bound) {
    let most = number(bound);
    let mut raw = Raw::server();
    // A frame of so many octets has a head of ten.
    raw.engine.send_binary(&vec![0; most - 1 - 10]).unwrap();
    assert!(raw.engine.send_room() > 0 && raw.engine.wants_input());
    raw.engine.send_binary(b"x").unwrap();
    assert_eq!(raw.engine.send_binary(b"x"), Err(SendError::Full));
    assert_eq!((raw.engine.send_room(), raw.engine.wants_input()), (0, false));
    raw.sent();
    raw.sent();
    assert_eq!(raw.events(), [Event::Writable]);
    raw.engine.send_binary(b"x").unwrap();
}

/// Of Pings that came in one go only so many are answered, the newest among them.
pub(super) fn unsent_control(bound: Bound) {
    let most = number(bound);
    for (count, answered) in [(most, most), (most + 1, most)] {
        let mut raw = Raw::server();
        let pings = (0..count).flat_map(|at| whole(OpCode::Ping, &[at as u8]).bytes());
        raw.bytes(&pings.collect::<Vec<u8>>());
        let sent = raw.sent();
        assert_eq!(sent.len(), answered);
        assert_eq!(sent[answered - 1].payload, [count as u8 - 1]);
    }
}

pub(super) fn pings(bound: Bound) {
    let mut raw = Raw::server();
    assert_rate(bound, |pause| {
        raw.now += pause;
        raw.frame(whole(OpCode::Ping, b""));
        let failed = raw.sent().iter().any(|sent| sent.opcode == OpCode::Close);
        !failed
    });
    assert!(raw.engine.is_closed());
}

fn asks(raw: &mut Raw) -> bool {
    raw.sent().iter().any(|Sent { opcode, .. }| *opcode == OpCode::Ping)
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
    raw.pass(time(bound).checked_sub(MOMENT).unwrap());
    assert!(!raw.engine.is_closed());
    raw.pass(MOMENT);
    raw.assert_failed(1001);
}

/// A peer that reads nothing of what waits for it.
pub(super) fn no_progress(bound: Bound) {
    let mut raw = Raw::server();
    raw.engine.send_binary(b"a message that nobody reads").unwrap();
    raw.engine.fill(raw.now);
    raw.pass(time(bound).checked_sub(MOMENT).unwrap());
    assert!(!raw.engine.is_closed());
    raw.pass(MOMENT);
    raw.assert_failed(1008);
}

pub(super) fn close_answered(bound: Bound) {
    let mut raw = Raw::server();
    raw.engine.close(CloseCode::NORMAL, "", raw.now);
    raw.sent();
    raw.pass(time(bound).checked_sub(MOMENT).unwrap());
    assert!(!raw.engine.is_closed());
    raw.pass(MOMENT);
    raw.engine.fill(raw.now);
    assert!(raw.engine.is_closed());
}
