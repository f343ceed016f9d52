//! What a peer can do to an end with bytes: a valid conversation to start from, and how it is broken.

use std::time::Instant;

use bytes::Bytes;
use farcall_wire::Event;
use farcall_wire::http2::{ErrorCode, Role};

use super::pair::{Pair, request_head, response_head, status_trailers};
use super::protocol::{Config, End};
use super::random::Random;

/// A server that has seen nothing.
pub(crate) fn server() -> End {
    End::new(Role::Server, Config::default(), Instant::now())
}

/// A client that waits for answers.
pub(crate) fn waiting_client() -> End {
    let mut client = End::new(Role::Client, Config::default(), Instant::now());
    for round in 0..5 {
        let stream = client.open(&request_head(), false).unwrap();
        client.send_data(stream, Bytes::from(vec![0; 300]), round % 2 == 0).unwrap();
    }
    client
}

/// What both ends of a valid conversation of six calls send.
pub(crate) fn recorded() -> (Vec<u8>, Vec<u8>) {
    let mut pair = Pair::strangers(Config::default(), Config::default());
    let (mut forth, mut back) = (Vec::new(), Vec::new());
    for round in 0..6 {
        if let Ok(stream) = pair.client.open(&request_head(), false) {
            let _ = pair.client.send_data(stream, Bytes::from(vec![round; 300]), true);
        }
        pair.collect();
        forth.extend_from_slice(&pair.to_server);
        back.extend_from_slice(&pair.to_client);
        pair.deliver(usize::MAX, usize::MAX);
        for event in pair.server_events() {
            if let Event::Data { stream, credit, .. } = event {
                pair.server.release(stream, credit);
                pair.server.send_head(stream, &response_head(), false).unwrap();
                pair.server.send_data(stream, Bytes::from(vec![round; 200]), false).unwrap();
                pair.server.send_trailers(stream, &status_trailers()).unwrap();
                pair.server.done(stream);
            }
        }
    }
    (forth, back)
}

/// Changes, drops, doubles or inserts some octets.
pub(crate) fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        let some = |random: &mut Random| at..(at + random.below(60)).min(bytes.len());
        match random.below(5) {
            0 => bytes[at] = random.next() as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => drop(bytes.drain(some(random))),
            3 => {
                let piece = bytes[some(random)].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let piece = random.bytes(12);
                bytes.splice(at..at, piece);
            }
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
}

/// What an application may do about an event, reasonable or not.
pub(crate) fn respond(end: &mut End, event: &Event, random: &mut Random) {
    match event {
        Event::Request { stream, .. } if random.once_in(2) => {
            let _ = end.send_head(*stream, &response_head(), false);
            let _ = end.send_data(*stream, Bytes::from(vec![0; random.below(100_000)]), false);
            let _ = end.send_trailers(*stream, &status_trailers());
        }
        Event::Data { stream, credit, .. } => end.release(*stream, *credit),
        Event::Reset { stream, .. } | Event::Trailers { stream, .. } => end.done(*stream),
        Event::Response { stream, .. } if random.once_in(4) => {
            end.reset(*stream, ErrorCode::Cancel);
        }
        _ => {}
    }
}

/// The input is over: nothing is left of it.
pub(crate) fn assert_over(end: &End) {
    assert!(end.is_closed());
    assert_eq!((end.active_streams(), end.snapshot().queued), (0, 0));
}
