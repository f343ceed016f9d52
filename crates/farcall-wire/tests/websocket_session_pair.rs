//! Two WebSocket sessions against each other.

mod conversations;
mod websocket_support;

use std::time::Duration;

use farcall_wire::websocket::SessionConfig;
use websocket_support as support;
use websocket_support::pair::Pair;
use websocket_support::protocol::audit;

/// Sends 8 MiB over a path of 50 ms each way; returns the size of the window at the end.
fn window_after_a_long_body(max_window: u32) -> u32 {
    let mut config = SessionConfig::default();
    config.limits.max_window = max_window;
    let mut sender = SessionConfig::default();
    sender.limits.max_unsent_stream = 4 << 20;
    sender.limits.output_high_water = 4 << 20;
    let mut pair = Pair::with(sender, config);
    let stream = pair.open(false);
    let mut left = 8 << 20;
    let mut size = 0;
    while left > 0 {
        let room = pair.client.send_room(stream).min(left);
        if room > 0 {
            left -= room;
            pair.client.send_data(stream, vec![0; room].into(), false).unwrap();
        }
        pair.collect();
        pair.now += Duration::from_millis(50);
        pair.deliver(usize::MAX, usize::MAX);
        pair.take_all_server(stream);
        audit(&pair.server);
        size = pair.server.stream_snapshots().next().unwrap().receive_size;
    }
    size
}

#[test]
fn a_window_grows_with_the_measured_path_and_not_above_its_limit() {
    assert!(window_after_a_long_body(8 << 20) > 1 << 20);
    assert_eq!(window_after_a_long_body(256 * 1024), 256 * 1024);
    assert_eq!(window_after_a_long_body(0), 64 * 1024);
}
