//! Two HTTP/2 engines against each other.

mod conversations;
mod support;

use farcall_wire::Event;
use farcall_wire::http2::ErrorCode;
use support::pair::{Pair, request_head};

#[test]
fn the_same_path_has_the_same_token_on_a_connection() {
    let mut pair = Pair::new();
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let stream = pair.client.open(&request_head(), true).unwrap();
        pair.exchange();
        for event in pair.server_events() {
            if let Event::Request { head, .. } = event {
                tokens.push(head.path_token());
            }
        }
        pair.client.reset(stream, ErrorCode::Cancel);
        pair.client.done(stream);
    }
    assert!(tokens[1].is_some());
    assert_eq!(tokens[1], tokens[2]);
}
