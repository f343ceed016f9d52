//! How the windows of what we receive grow: each stream's by itself, all of them within one budget.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use farcall_wire::http2::{Config, ErrorCode, StreamSnapshot};
use farcall_wire::{Event, StreamId};
use support::pair::{Pair, request_head};
use support::protocol::audit;

/// A client that never runs dry, and a server whose windows begin with `stream_window` and grow to
/// `max_window`, with room for any number of streams on the connection.
fn path(stream_window: u32, max_window: u32) -> Pair {
    let (mut sender, mut receiver) = (Config::default(), Config::default());
    sender.limits.max_unsent_stream = 64 << 20;
    sender.limits.max_unsent_connection = 1 << 30;
    sender.limits.output_high_water = 64 << 20;
    receiver.limits.stream_window = stream_window;
    receiver.limits.connection_window = 16 << 20;
    receiver.limits.max_window = max_window;
    Pair::with(sender, receiver)
}

/// Uploads on `streams` over a path of 25 ms in each direction, where the receiver reads at once.
fn upload(pair: &mut Pair, streams: &[StreamId], rounds: usize) {
    for _ in 0..rounds {
        for stream in streams {
            let size = stream_of(pair, *stream).receive_size as usize;
            let queued = (64 << 20) - pair.client.send_room(*stream);
            let data = Bytes::from(vec![0; (2 * size).saturating_sub(queued)]);
            pair.client.send_data(*stream, data, false).unwrap();
        }
        pair.collect();
        pair.now += Duration::from_millis(25);
        pair.deliver(usize::MAX, usize::MAX);
        pair.take_all_server(StreamId(0));
        audit(&pair.server);
    }
}

/// What the server knows of a stream.
fn stream_of(pair: &Pair, stream: StreamId) -> StreamSnapshot {
    pair.server.stream_snapshots().find(|snapshot| snapshot.stream == stream).unwrap()
}

/// The stream is over for both sides.
fn end(pair: &mut Pair, stream: StreamId) {
    pair.client.reset(stream, ErrorCode::Cancel);
    pair.client.done(stream);
    pair.exchange();
    pair.take_all_server(stream);
    pair.server.done(stream);
}

#[test]
fn both_windows_grow_when_the_path_holds_more() {
    let mut sender = Config::default();
    sender.limits.max_unsent_stream = 64 << 20;
    sender.limits.output_high_water = 64 << 20;
    let mut pair = Pair::with(sender, Config::default());
    let stream = pair.open(false);
    upload(&mut pair, &[stream], 60);
    // The path would hold any number of octets: both windows end at their limit.
    let (grown, size) = (pair.server.snapshot(), stream_of(&pair, stream).receive_size);
    assert_eq!((size, grown.receive_size), (8 << 20, 8 << 20));
}

#[test]
fn the_windows_do_not_grow_for_an_application_that_does_not_read() {
    let mut pair = Pair::new();
    let streams: Vec<StreamId> = (0..20).map(|_| pair.open(false)).collect();
    for _ in 0..50 {
        for stream in &streams {
            let room = pair.client.send_room(*stream).min(20_000);
            pair.client.send_data(*stream, Bytes::from(vec![0; room]), false).unwrap();
        }
        pair.exchange();
    }
    let now = pair.server.snapshot();
    assert_eq!((now.receive_size, now.receive_grown, now.receive_held), (1 << 20, 0, 20 << 16));
}

#[test]
fn the_connections_window_grows_when_many_small_streams_fill_the_path() {
    let mut pair = Pair::new();
    for _ in 0..40 {
        let streams: Vec<StreamId> =
            (0..40).map(|_| pair.client.open(&request_head(), false).unwrap()).collect();
        for stream in &streams {
            pair.client.send_data(*stream, Bytes::from(vec![0; 60_000]), true).unwrap();
        }
        for _ in 0..4 {
            pair.collect();
            pair.now += Duration::from_millis(25);
            pair.deliver(usize::MAX, usize::MAX);
            pair.take_all_server(StreamId(0));
        }
        for stream in streams {
            end(&mut pair, stream);
        }
    }
    let now = pair.server.snapshot();
    assert!(now.receive_size > 1 << 20, "{now:?}");
    assert_eq!(now.receive_grown, 0);
}

#[test]
fn the_growth_of_one_stream_does_not_change_the_others() {
    let mut pair = path(64 << 10, 1 << 20);
    let (busy, early) = (pair.open(false), pair.open(false));
    upload(&mut pair, &[busy], 40);
    let late = pair.client.open(&request_head(), false).unwrap();
    upload(&mut pair, &[], 1);
    assert_eq!(stream_of(&pair, busy).receive_size, 1 << 20);
    for stream in [early, late] {
        assert_eq!(stream_of(&pair, stream).receive_size, 64 << 10);
        let sender = pair.client.stream_snapshots().find(|known| known.stream == stream).unwrap();
        assert_eq!(sender.send_window, 64 << 10, "the sender knows nothing else");
    }
}

#[test]
fn windows_that_may_not_grow_do_not() {
    let mut pair = path(64 << 10, 0);
    let stream = pair.open(false);
    upload(&mut pair, &[stream], 40);
    assert_eq!(stream_of(&pair, stream).receive_size, 64 << 10);
    assert_eq!(pair.server.snapshot().receive_size, 16 << 20);
}

#[test]
fn the_budget_bounds_the_sum_and_comes_back_with_the_end_of_a_stream() {
    let mut pair = path(64 << 10, 1 << 20);
    let (first, second) = (pair.open(false), pair.open(false));
    upload(&mut pair, &[first], 40);
    upload(&mut pair, &[first, second], 40);
    assert_eq!(stream_of(&pair, first).receive_size, 1 << 20);
    assert_eq!(stream_of(&pair, second).receive_size, 128 << 10, "what is left");
    assert_eq!(pair.server.snapshot().receive_grown, 1 << 20);

    end(&mut pair, first);
    assert_eq!(pair.server.snapshot().receive_grown, 64 << 10);
    upload(&mut pair, &[second], 40);
    assert_eq!(stream_of(&pair, second).receive_size, 1 << 20);
    end(&mut pair, second);
    let now = pair.server.snapshot();
    assert_eq!((now.streams, now.receive_grown), (0, 0));
}

#[test]
fn many_streams_that_all_want_to_grow_stay_within_the_budget_together() {
    const BOUND: u32 = 128 * 16 * 1024 + 1024 * 1024;
    let mut pair = path(16 << 10, 1 << 20);
    let streams: Vec<StreamId> = (0..128).map(|_| pair.open(false)).collect();
    let mut most = 0;
    for _ in 0..30 {
        upload(&mut pair, &streams, 1);
        let sizes: u32 = pair.server.stream_snapshots().map(|stream| stream.receive_size).sum();
        assert!(sizes <= BOUND, "{sizes}");
        most = most.max(sizes);
    }
    assert_eq!(most, BOUND, "all of it is used");
}

/// An application that collects each upload whole, and once it holds more than `bound` octets of
/// unfinished ones takes only the oldest.
struct Collector {
    bound: usize,
    /// Octets received, and credit not given back.
    unfinished: BTreeMap<StreamId, (usize, u32)>,
}

impl Collector {
    fn take(&mut self, pair: &mut Pair, length: usize) {
        for event in pair.server_events() {
            let Event::Data { stream, data, credit, end } = event else { panic!("{event:?}") };
            let (received, withheld) = self.unfinished.get_mut(&stream).unwrap();
            *received += data.len();
            *withheld += credit;
            if end {
                assert_eq!(*received, length);
                self.unfinished.remove(&stream);
            }
        }
        let held: usize = self.unfinished.values().map(|(received, _)| received).sum();
        let going = if held > self.bound { 1 } else { usize::MAX };
        for (stream, (_, withheld)) in self.unfinished.iter_mut().take(going) {
            pair.server.release(*stream, std::mem::take(withheld));
        }
    }
}

#[test]
fn an_application_that_takes_only_the_oldest_of_many_uploads_gets_all_of_them() {
    const LENGTH: usize = 4 << 20;
    let mut sender = Config::default();
    sender.limits.max_unsent_connection = 64 << 20;
    let mut pair = Pair::with(sender, Config::default());
    let mut unsent: BTreeMap<StreamId, usize> =
        (0..16).map(|_| (pair.open(false), LENGTH)).collect();
    let unfinished = unsent.keys().map(|stream| (*stream, (0, 0))).collect();
    let mut collector = Collector { bound: 8 << 20, unfinished };
    let mut most_held = 0;
    for _ in 0..20_000 {
        for (stream, left) in &mut unsent {
            let room = pair.client.send_room(*stream).min(*left);
            if room > 0 {
                *left -= room;
                let data = Bytes::from(vec![0; room]);
                pair.client.send_data(*stream, data, *left == 0).unwrap();
            }
        }
        pair.collect();
        pair.now += Duration::from_millis(5);
        pair.deliver(usize::MAX, usize::MAX);
        collector.take(&mut pair, LENGTH);
        audit(&pair.server);
        most_held = most_held.max(pair.server.snapshot().receive_held);
        if collector.unfinished.is_empty() {
            assert!(most_held > 1 << 20, "more than the connection's first window: {most_held}");
            return;
        }
    }
    panic!("{:?} never end: {:?}", collector.unfinished, pair.server.snapshot());
}
