//! Any octets in any pieces: no panic, the same story for each way to cut them, and bounded output.

mod http1_support;

use bytes::Bytes;
use farcall_wire::http1::ErrorCode;
use farcall_wire::{Event, StreamId};
use http1_support::random::Random;
use http1_support::{Echo, GOOD, Raw, Story, all_splits, fields};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Parts of which valid and invalid messages are made.
const PARTS: [&str; 40] = [
    "GET / HTTP/1.1\r\n",
    "POST /x HTTP/1.1\r\n",
    "HEAD / HTTP/1.0\r\n",
    "OPTIONS * HTTP/1.1\r\n",
    "host: a\r\n",
    "Host: b\r\n",
    "content-length: 5\r\n",
    "content-length: 0\r\n",
    "transfer-encoding: chunked\r\n",
    "connection: close\r\n",
    "connection: upgrade\r\n",
    "upgrade: websocket\r\n",
    "expect: 100-continue\r\n",
    "te: trailers\r\n",
    "x: y\r\n",
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\r",
    "hello",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "0\r\n",
    "a\r\n0123456789\r\n",
    "1;x\r\n!\r\n",
    " ",
    ":",
    "\0",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.0 200 OK\r\n",
    "ffffffffffffffff\r\n",
    "x",
    "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n",
    "\u{e4}",
];

fn message(parts: &[usize]) -> Vec<u8> {
    parts.iter().flat_map(|part| PARTS[*part].bytes()).collect()
}

/// The same story for each way to cut `input`.
fn one_story(input: &[u8]) {
    let mut first: Option<Story> = None;
    all_splits(input, |pieces| {
        let story = Echo::tell(pieces.iter().copied());
        assert_eq!(first.get_or_insert_with(|| story.clone()), &story, "{}", input.escape_ascii());
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, rng_seed: RngSeed::Fixed(9112), ..ProptestConfig::default() })]

    #[test]
    fn any_octets_tell_one_story(input in prop::collection::vec(any::<u8>(), 0..60)) {
        one_story(&input);
    }

    #[test]
    fn any_parts_of_messages_tell_one_story(parts in prop::collection::vec(0..PARTS.len(), 0..14)) {
        one_story(&message(&parts));
    }

    #[test]
    fn a_client_takes_any_parts(parts in prop::collection::vec(0..PARTS.len(), 0..14)) {
        let input = message(&parts);
        let mut first = None;
        all_splits(&input, |pieces| {
            let told = told_by_client(pieces);
            assert_eq!(first.get_or_insert_with(|| told.clone()), &told, "{}", input.escape_ascii());
        });
    }
}

/// What a client with a request is told, with content in one piece.
fn told_by_client(pieces: &[&[u8]]) -> (Vec<String>, Vec<u8>) {
    let mut raw = Raw::client();
    let request = fields(&[(":method", "GET"), (":path", "/"), (":authority", "a")]);
    let stream = raw.engine.open(&request, true).unwrap();
    raw.sent();
    let (mut told, mut content) = (Vec::new(), Vec::new());
    for piece in pieces {
        raw.bytes(piece);
        for event in raw.events() {
            match event {
                Event::Data { data, credit, end, .. } => {
                    raw.engine.release(stream, credit);
                    content.extend_from_slice(&data);
                    if end {
                        told.push("end".to_owned());
                    }
                }
                other => told.push(format!("{other:?}")),
            }
        }
    }
    (told, content)
}

#[test]
fn mutated_requests_never_make_more_than_they_are() {
    let mut random = Random::new(7);
    let good = "POST /path HTTP/1.1\r\nhost: a\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n\
                5;e\r\nhello\r\n0\r\nt: u\r\n\r\n";
    for _ in 0..3_000 {
        let mut input = format!("{good}{GOOD}").into_bytes();
        for _ in 0..=random.below(3) {
            let at = random.below(input.len());
            match random.below(3) {
                0 => input[at] = random.next() as u8,
                1 => drop(input.remove(at)),
                _ => input.insert(at, b"\r\n\0 :;,0f\t"[random.below(10)]),
            }
        }
        let story = Echo::tell([&input[..]]);
        assert!(story.answered.len() <= 2, "{}: {story:#?}", input.escape_ascii());
        assert!(story.sent.len() < 1000);
        let at = random.below(input.len());
        let (front, back) = input.split_at(at);
        assert_eq!(Echo::tell([front, back]), story, "{}", input.escape_ascii());
    }
}

/// An application that does anything at any time.
#[test]
fn any_commands_at_any_time_do_no_harm() {
    let mut random = Random::new(42);
    for _ in 0..400 {
        let mut raw = if random.once_in(3) { Raw::client() } else { Raw::server() };
        for _ in 0..60 {
            let stream = StreamId(random.below(4) as u32);
            any_command(&mut raw, &mut random, stream);
            let kept = raw.engine.output().len();
            assert!(kept < 400_000, "{kept}");
            if raw.engine.is_closed() {
                break;
            }
        }
        raw.engine.close(ErrorCode::NoError, "", raw.now);
        let events = raw.events();
        assert!(
            events.is_empty() || matches!(events.last(), Some(Event::Closed { .. })),
            "{events:?}"
        );
        assert_eq!(raw.engine.active_streams(), 0);
    }
}

fn any_command(raw: &mut Raw, random: &mut Random, stream: StreamId) {
    let data = Bytes::from(vec![b'x'; [0, 1, 5, 3000, 200_000][random.below(5)]]);
    let end = random.once_in(3);
    let status = ["200", "204", "304", "103", "100", "500", "x"][random.below(7)];
    let mut head = fields(&[(":status", status)]);
    if random.once_in(6) {
        head.push("content-length", "5");
    }
    match random.below(16) {
        0..=4 => {
            let parts: Vec<usize> =
                (0..random.below(4)).map(|_| random.below(PARTS.len())).collect();
            raw.bytes(message(&parts));
        }
        5 | 6 => {
            let _ = raw.engine.send_head(stream, &head, end);
        }
        7 | 8 => {
            let _ = raw.engine.send_data(stream, data, end);
        }
        9 => {
            let _ = raw.engine.send_trailers(stream, &fields(&[("a", "b")]));
        }
        10 => raw.engine.done(stream),
        11 => {
            let head = fields(&[(":method", "POST"), (":path", "/"), ("upgrade", "x")]);
            let _ = raw.engine.open(&head, end);
        }
        12 => {
            let _ = raw.engine.upgrade(stream, &fields(&[("upgrade", "x")]));
        }
        13 => {
            raw.sent();
            for event in raw.events() {
                if let Event::Data { stream, credit, .. } = event {
                    raw.engine.release(stream, credit);
                }
            }
        }
        14 if random.once_in(4) => raw.engine.reset(stream, ErrorCode::Cancel),
        15 if random.once_in(8) => raw.eof(),
        15 if random.once_in(4) => raw.engine.drain(raw.now),
        _ => raw.pass(std::time::Duration::from_millis(random.below(3000) as u64)),
    }
}
