//! The column of HTTP/2: frames and fields against a live server here, rates, windows and times in the modules below.

mod flow;
mod rates;
mod times;

use farcall::limits::Bound;
use farcall_tests::{Request, Subject};
use farcall_wire::http2::ErrorCode;
use farcall_wire::http2::frame::{Ping, Setting, SettingId, Settings};
use farcall_wire::{Event, StreamId};

use crate::age;
use crate::cell::{live, number};
use crate::limited::{self, Way};
use crate::peer::{Answer, Carrier, Peer, call};
use crate::streams;
use crate::support::pair::request_head;
use crate::support::raw::Raw;

const CARRIER: Carrier = Carrier::Http2;
const UNARY: &str = "/probe.v1.Probe/Unary";

cells! { Http2:
    connections: "connections of a server" => |bound| limited::connections(Way::Http2, bound);
    calls_at_once: "calls at once on a connection" => |bound| streams::calls_at_once(CARRIER, bound);
    calls_held: "calls whose handlers still run" => calls_held;
    metadata_bytes: "metadata in bytes" => |bound| streams::metadata_bytes(CARRIER, bound);
    metadata_fields: "metadata in fields" => |bound| streams::metadata_fields(CARRIER, bound);
    fields_abuse: "fields that end the connection" => |bound| streams::fields_abuse(CARRIER, bound);
    target: "target in bytes" => |bound| streams::target(CARRIER, bound);
    field_block: "field block, encoded" => field_block;
    continuations: "CONTINUATION frames" => continuations;
    empty_continuations: "CONTINUATION frames, empty" => empty_continuations;
    heads_not_fetched: "heads not fetched yet" => heads_not_fetched;
    header_table: "header table" => header_table;
    interim_responses: "interim responses" => interim_responses;
    stream_window: "window of a stream" => |bound| streams::stream_window(CARRIER, bound);
    connection_window: "window of a connection" => flow::connection_window;
    windows_grow: "windows grow to" => flow::windows_grow;
    unfinished: "unfinished messages of a connection" => |bound| {
        streams::unfinished_messages(CARRIER, bound);
    };
    memory: "memory held for peers, of the process" => |bound| limited::memory(Way::Http2, bound);
    unsent_stream: "unsent, of a stream" => flow::unsent_stream;
    unsent_connection: "unsent, of a connection" => flow::unsent_connection;
    unsent_control: "unsent control frames" => flow::unsent_control;
    resets: "resets by the peer or for its errors" => rates::resets;
    useless_frames: "useless frames" => rates::useless_frames;
    empty_frames: "empty frames in a row" => empty_frames;
    settings: "SETTINGS frames" => rates::settings;
    settings_entries: "SETTINGS entries" => settings_entries;
    pings: "PINGs" => rates::pings;
    early_pings: "PINGs that come too early" => early_pings;
    window_updates: "WINDOW_UPDATE frames, besides earned" => rates::window_updates;
    goaways: "GOAWAY frames" => rates::goaways;
    beginning: "connection's beginning, handshakes" => |bound| limited::beginning(Way::Http2, bound);
    connecting: "connecting" => |bound| limited::connecting(Way::Http2, bound);
    first_pause: "first pause when accept fails" => limited::first_pause;
    longest_pause: "longest pause when accept fails" => limited::longest_pause;
    head_complete: "head complete" => times::head_complete;
    settings_acknowledged: "SETTINGS acknowledged" => times::settings_acknowledged;
    ping_interval_idle: "shortest time between PINGs, idle" => times::ping_interval_idle;
    ping_interval_active: "the same with calls" => times::ping_interval_active;
    keepalive: "keepalive after silence of" => times::keepalive;
    keepalive_answered: "keepalive answered in" => times::keepalive_answered;
    idle: "idle" => times::idle;
    no_progress: "no progress" => times::no_progress;
    progress: "progress in 10 s" => times::progress;
    shutdown: "shutdown, calls under way" => |bound| limited::shutdown(Way::Http2, bound);
    age: "age of a connection" => |bound| age::age(Way::Http2, bound);
    age_spread: "spread of the age" => |bound| age::spread(Way::Http2, bound);
    age_calls: "age, calls under way" => |bound| age::calls_under_way(Way::Http2, bound);
}

/// What is done to one connection and taken, and what ends another one; a third one works.
fn frames(taken: impl AsyncFnOnce(&mut Peer), refused: impl AsyncFnOnce(&mut Peer)) {
    live(async {
        let running = streams::server(&Subject::new()).await;
        let mut peer = Peer::connect(CARRIER, &running.endpoint).await;
        taken(&mut peer).await;
        peer.request(101, &call(UNARY), true).await;
        assert_eq!(peer.answer(101).await, Answer::status(200));
        let mut peer = Peer::connect(CARRIER, &running.endpoint).await;
        refused(&mut peer).await;
        assert!(running.client().await.unary(Request::default()).await.is_ok());
    });
}

/// Handlers that were told to go count until they have gone.
fn calls_held(bound: Bound) {
    let most = number(bound);
    let mut raw = Raw::server();
    for index in 0..most {
        raw.request(1 + 2 * index as u32, false);
        raw.reset(1 + 2 * index as u32, ErrorCode::Cancel);
    }
    assert_eq!((raw.engine.active_streams(), raw.resets()), (most, vec![]));
    let next = 1 + 2 * most as u32;
    raw.request(next, true);
    assert_eq!(raw.resets(), [(next, ErrorCode::RefusedStream)]);
    raw.events();
    raw.engine.done(StreamId(1));
    raw.assert_alive(next + 2);
}

/// A request's block with a field that makes it so long.
fn block_of(peer: &mut Peer, size: usize) -> Vec<u8> {
    let mut block = peer.block(&call(UNARY));
    // A literal with the name x, its length in three octets.
    let length = size - block.len() - 6;
    block.extend_from_slice(b"\x00\x01x\x7f");
    let rest = length - 127;
    block.extend_from_slice(&[rest as u8 & 0x7f | 0x80, (rest >> 7) as u8]);
    block.resize(size, b'y');
    block
}

fn field_block(bound: Bound) {
    let most = number(bound);
    let send = async |peer: &mut Peer, size: usize| {
        let block = block_of(peer, size);
        let (front, back) = block.split_at(10_000);
        peer.any(1, 1, 1, front).await;
        peer.any(9, 4, 1, back).await;
    };
    frames(
        async |peer| {
            send(peer, most).await;
            // It is more than a list may have, which is the request's own matter.
            assert_eq!(peer.answer(1).await, Answer::status(431));
        },
        async |peer| {
            send(peer, most + 1).await;
            assert_eq!(peer.end().await, ErrorCode::EnhanceYourCalm);
        },
    );
}

/// A request in so many CONTINUATION frames, `empty` of them without an octet.
async fn continued(peer: &mut Peer, count: usize, empty: usize) {
    let block = peer.block(&call(UNARY));
    peer.any(1, 1, 1, &block[..1]).await;
    for _ in 0..empty {
        peer.any(9, 0, 1, b"").await;
    }
    let full = count - empty;
    for at in 1..full {
        peer.any(9, 0, 1, &block[at..=at]).await;
    }
    peer.any(9, 4, 1, &block[full..]).await;
}

fn continuations(bound: Bound) {
    let most = number(bound);
    frames(
        async |peer| {
            continued(peer, most, 0).await;
            assert_eq!(peer.answer(1).await, Answer::status(200));
        },
        async |peer| {
            continued(peer, most + 1, 0).await;
            assert_eq!(peer.end().await, ErrorCode::EnhanceYourCalm);
        },
    );
}

fn empty_continuations(bound: Bound) {
    let most = number(bound);
    frames(
        async |peer| {
            continued(peer, most + 1, most).await;
            assert_eq!(peer.answer(1).await, Answer::status(200));
        },
        async |peer| {
            continued(peer, most + 2, most + 1).await;
            assert_eq!(peer.end().await, ErrorCode::EnhanceYourCalm);
        },
    );
}

/// Heads that no application fetches: new streams are refused above the bound, and taken again below.
fn heads_not_fetched(bound: Bound) {
    const SIZE: usize = 8192;
    let most = number(bound);
    assert_eq!(most % SIZE, 0);
    let mut head = request_head();
    let used: usize = head.iter().skip(4).map(|field| field.size()).sum();
    head.push("x", "0".repeat(SIZE - used - 33));
    let mut raw = Raw::server();
    // As many as the bound holds, and the one that goes beyond it.
    for index in 0..=most / SIZE {
        raw.headers(1 + 2 * index as u32, &head, true);
    }
    assert_eq!(raw.resets(), []);
    raw.headers(1001, &head, true);
    assert_eq!(raw.resets(), [(1001, ErrorCode::RefusedStream)]);
    for event in raw.events() {
        if let Event::Request { stream, .. } = event {
            raw.engine.done(stream);
        }
    }
    raw.events();
    raw.assert_alive(1003);
}

fn header_table(bound: Bound) {
    let send = async |peer: &mut Peer, size: usize| {
        // A dynamic table size update (RFC 7541 section 6.3) in front of a request.
        let rest = size - 31;
        let update = [0x3f, rest as u8 & 0x7f | 0x80, (rest >> 7) as u8];
        let block = [&update[..], &peer.block(&call(UNARY))].concat();
        peer.any(1, 5, 1, &block).await;
    };
    frames(
        async |peer| {
            send(peer, number(bound)).await;
            assert_eq!(peer.answer(1).await, Answer::status(200));
        },
        async |peer| {
            send(peer, number(bound) + 1).await;
            assert_eq!(peer.end().await, ErrorCode::CompressionError);
        },
    );
}

/// So many interim responses are told of; one more fails their call, and no other.
fn interim_responses(bound: Bound) {
    let mut raw = Raw::client();
    raw.engine.open(&request_head(), true).unwrap();
    raw.engine.open(&request_head(), true).unwrap();
    for _ in 0..number(bound) {
        raw.pairs(1, &[(":status", "103")], false);
    }
    assert_eq!((raw.events().len(), raw.resets()), (number(bound), vec![]));
    raw.pairs(1, &[(":status", "103")], false);
    assert_eq!(raw.resets(), [(1, ErrorCode::EnhanceYourCalm)]);
    raw.pairs(3, &[(":status", "200")], true);
    let events = raw.events();
    assert!(matches!(events[..], [Event::Reset { .. }, Event::Response { .. }]), "{events:?}");
}

fn empty_frames(bound: Bound) {
    let send = async |peer: &mut Peer, count: usize| {
        peer.request(1, &call("/probe.v1.Probe/Both"), false).await;
        for _ in 0..count {
            peer.data(1, b"", false).await;
        }
    };
    frames(
        async |peer| {
            send(peer, number(bound)).await;
            peer.settle().await;
        },
        async |peer| {
            send(peer, number(bound) + 1).await;
            assert_eq!(peer.end().await, ErrorCode::EnhanceYourCalm);
        },
    );
}

fn settings_entries(bound: Bound) {
    let send = async |peer: &mut Peer, count: usize| {
        let entries = vec![Setting { id: SettingId::MaxFrameSize, value: 16_384 }; count];
        peer.frame(|out| Settings::emit(&entries, out)).await;
    };
    frames(
        async |peer| {
            send(peer, number(bound)).await;
            peer.settle().await;
        },
        async |peer| {
            send(peer, number(bound) + 1).await;
            assert_eq!(peer.end().await, ErrorCode::EnhanceYourCalm);
        },
    );
}

/// The first PING is never too early; so many more may be.
fn early_pings(bound: Bound) {
    let allowed = number(bound) + 1;
    frames(
        async |peer| {
            for _ in 0..allowed {
                peer.settle().await;
            }
        },
        async |peer| {
            for _ in 0..allowed {
                peer.settle().await;
            }
            peer.frame(|out| Ping { ack: false, payload: [0; 8] }.emit(out)).await;
            assert_eq!(peer.end().await, ErrorCode::EnhanceYourCalm);
        },
    );
}
