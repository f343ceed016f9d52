//! What a live server bounds on connections of many streams: HTTP/2, and a WebSocket that carries calls.

use std::future::Future;

use farcall::Server;
use farcall::limits::Bound;
use farcall_tests::{Probe, Running, Subject};
use farcall_wire::Fields;
use farcall_wire::http2::ErrorCode;

use crate::cell::{live, number};
use crate::peer::{Answer, Carrier, Peer, Seen, call};

const UNARY: &str = "/probe.v1.Probe/Unary";
const BOTH: &str = "/probe.v1.Probe/Both";

/// A server of the subject.
pub(crate) async fn server(subject: &Subject) -> Running {
    let server = Server::new().add(subject.clone().into_service());
    Running::start(server, "tcp://127.0.0.1:0").await
}

/// Runs a probe against a live server, which answers another client afterwards.
fn against<F: Future<Output = ()>>(probe: impl FnOnce(Subject, String) -> F) {
    live(async {
        let subject = Subject::new();
        let running = server(&subject).await;
        probe(subject, running.endpoint.clone()).await;
        assert!(running.client().await.unary(farcall_tests::Request::default()).await.is_ok());
    });
}

/// A call's head with one more field, so that the list has `size` octets by the measure of RFC 9113 section 6.5.2.
fn list_of(size: usize) -> Fields {
    let mut head = call(UNARY);
    let used: usize = head.iter().map(|field| field.size()).sum();
    // A tilde is no shorter by Huffman's code, and is not what fills a field block of 16 KiB.
    head.push("x", "0".repeat(size - used - 33));
    head
}

/// A call's head with as many fields as it takes to have `count`.
fn fields_of(count: usize) -> Fields {
    let mut head = call(UNARY);
    while head.len() < count {
        head.push("x", "");
    }
    head
}

/// Streams whose handlers run, and one more.
pub(crate) fn calls_at_once(carrier: Carrier, bound: Bound) {
    let most = number(bound);
    against(|subject, endpoint| async move {
        let mut peer = Peer::connect(carrier, &endpoint).await;
        let ids: Vec<u32> = (0..=most).map(|index| 2 * index as u32 + 1).collect();
        for id in &ids[..most] {
            peer.request(*id, &call(BOTH), false).await;
        }
        let seen = peer.settle().await;
        assert!(!seen.iter().any(|seen| matches!(seen, Seen::Reset { .. })), "{seen:?}");
        assert_eq!(subject.running(), most);
        peer.request(ids[most], &call(BOTH), false).await;
        assert_eq!(peer.answer(ids[most]).await, Answer::Reset(ErrorCode::RefusedStream));
        // Another connection has slots of its own, and this one has one again when a handler is gone.
        let mut other = Peer::connect(carrier, &endpoint).await;
        other.request(1, &call(UNARY), true).await;
        assert!(matches!(other.answer(1).await, Answer::Status(_)));
        peer.reset(1).await;
        subject.until(|subject| subject.running() == most - 1).await;
        peer.settle().await;
        peer.request(ids[most] + 2, &call(UNARY), true).await;
        assert!(matches!(peer.answer(ids[most] + 2).await, Answer::Status(_)));
    });
}

/// Heads that are taken, and heads that are answered with 431 on a connection that goes on.
fn heads(carrier: Carrier, taken: Fields, refused: Fields) {
    against(|_, endpoint| async move {
        let mut peer = Peer::connect(carrier, &endpoint).await;
        peer.request(1, &taken, true).await;
        assert_eq!(peer.answer(1).await, Answer::status(200));
        peer.request(3, &refused, true).await;
        assert_eq!(peer.answer(3).await, Answer::status(431));
        peer.request(5, &call(UNARY), true).await;
        assert_eq!(peer.answer(5).await, Answer::status(200));
    });
}

/// Octets of a list of fields.
pub(crate) fn metadata_bytes(carrier: Carrier, bound: Bound) {
    heads(carrier, list_of(number(bound)), list_of(number(bound) + 1));
}

/// Fields of a list.
pub(crate) fn metadata_fields(carrier: Carrier, bound: Bound) {
    heads(carrier, fields_of(number(bound)), fields_of(number(bound) + 1));
}

/// A path that makes the list as long as it may be, and a longer one.
pub(crate) fn target(carrier: Carrier, bound: Bound) {
    let head = |size: usize| {
        let used: usize = call("/").iter().map(|field| field.size()).sum();
        call(&format!("/{}", "0".repeat(size - used)))
    };
    heads(carrier, head(number(bound)), head(number(bound) + 1));
}

/// So many fields are refused, and more end the connection.
pub(crate) fn fields_abuse(carrier: Carrier, bound: Bound) {
    let most = number(bound);
    against(|_, endpoint| async move {
        let mut peer = Peer::connect(carrier, &endpoint).await;
        peer.request(1, &fields_of(most), true).await;
        assert_eq!(peer.answer(1).await, Answer::status(431));
        peer.request(3, &fields_of(most + 1), true).await;
        assert_eq!(peer.answer(3).await, Answer::Gone(ErrorCode::EnhanceYourCalm));
    });
}

/// DATA that nobody takes, up to the stream's window and beyond.
pub(crate) fn stream_window(carrier: Carrier, bound: Bound) {
    let window = number(bound);
    against(|subject, endpoint| async move {
        let mut peer = Peer::connect(carrier, &endpoint).await;
        peer.request(1, &call(BOTH), false).await;
        peer.request(3, &call(BOTH), false).await;
        // A message that waits at the gate keeps the handler from taking what is behind it.
        let gate = [&[0, 0, 0, 0, 2, 0x28, 1][..]].concat();
        peer.data(1, &gate, false).await;
        subject.until(|subject| subject.running() == 2).await;
        let mut left = window - gate.len();
        // Messages of one byte, which is no field: nobody gets to see them.
        let piece: Vec<u8> = [0, 0, 0, 0, 1, 0].repeat(2000);
        while left > 0 {
            let size = left.min(piece.len());
            peer.data(1, &piece[..size], false).await;
            left -= size;
        }
        let given = peer.take_credit(1).await;
        // Of the window that has come back, all may be used; one octet more ends the stream.
        let mut left = given;
        while left > 0 {
            let size = left.min(piece.len());
            peer.data(1, &piece[..size], false).await;
            left -= size;
        }
        assert_eq!(peer.take_credit(1).await, 0, "nobody takes them");
        peer.data(1, b"x", false).await;
        assert_eq!(reset_of(&mut peer, 1).await, ErrorCode::FlowControlError);
        assert_eq!(subject.running(), 2 - 1, "the other stream goes on");
    });
}

/// The code that the stream is reset with.
async fn reset_of(peer: &mut Peer, wanted: u32) -> ErrorCode {
    loop {
        match peer.next().await.expect("the connection goes on") {
            Seen::Reset { stream, code } if stream == wanted => return code,
            _ => {}
        }
    }
}

/// Sends all of `data` on a stream as far as its window allows. Returns what was left when the server, having read
/// everything, gave nothing back any more.
async fn upload(peer: &mut Peer, stream: u32, data: &[u8], window: &mut usize) -> usize {
    let mut rest = data;
    loop {
        while *window > 0 && !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.len().min(*window).min(16_384));
            peer.data(stream, piece, false).await;
            *window -= piece.len();
            rest = behind;
        }
        let given = peer.take_credit(stream).await;
        *window += given;
        if rest.is_empty() || given == 0 {
            return rest.len();
        }
    }
}

/// Beginnings of large messages: all go on up to the bound, and above it only the oldest one, until there is room again.
pub(crate) fn unfinished_messages(carrier: Carrier, bound: Bound) {
    let most = number(bound);
    against(|subject, endpoint| async move {
        let mut peer = Peer::connect(carrier, &endpoint).await;
        // Four messages, the last byte of each missing: two of them are as much as the bound.
        let size = most / 2 - 6;
        let mut message = vec![0_u8];
        message.extend_from_slice(&u32::try_from(size).unwrap().to_be_bytes());
        // A field that nobody knows: number 15, bytes.
        message.extend_from_slice(&[0x7a]);
        let length = size - 1 - 4;
        message.extend((0..4).map(|at| (length >> (7 * at)) as u8 & 0x7f | u8::from(at < 3) << 7));
        message.resize(5 + size, 0);
        let (part, last) = message.split_at(message.len() - 1);
        let mut windows = [65_535; 3];
        if carrier == Carrier::WebSocket {
            windows = [65_536; 3];
        }
        let mut left = [0; 3];
        for (index, id) in [1, 3, 5].into_iter().enumerate() {
            peer.request(id, &call(UNARY), false).await;
            left[index] = upload(&mut peer, id, part, &mut windows[index]).await;
        }
        assert_eq!(left[..2], [0, 0], "two messages of half of the bound fit");
        assert!(left[2] > 0, "the third waits");
        assert_eq!(subject.started(), 0);
        peer.data(1, last, true).await;
        assert_eq!(peer.answer(1).await, Answer::status(200));
        let rest = &part[part.len() - left[2]..];
        windows[2] += peer.take_credit(5).await;
        assert_eq!(upload(&mut peer, 5, rest, &mut windows[2]).await, 0, "it goes on");
    });
}
