//! `farcall limits` shows what holds.

mod command;

use command::run;
use serde_json::Value;

const SCOPES: [&str; 8] =
    ["http1", "http2", "websocket", "grpc", "grpc-web", "connect", "json", "tls"];

fn table() -> Vec<Value> {
    let ended = run(&["limits", "--json"]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    ended.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn bound(table: &[Value], limit: &str, scope: &str) -> Value {
    let row = table.iter().find(|row| row["limit"] == limit);
    row.unwrap_or_else(|| panic!("no row {limit}"))["bounds"][scope].clone()
}

#[test]
fn the_numbers_are_those_of_the_runtime() {
    let table = table();
    let limits = farcall::Limits::default();
    for scope in ["grpc", "grpc-web", "connect", "json"] {
        let bytes = |limit: &str| bound(&table, limit, scope)["bytes"].as_u64();
        assert_eq!(bytes("message received"), Some(limits.max_receive_message as u64), "{scope}");
        assert_eq!(bytes("message decompressed"), Some(limits.max_decompressed as u64), "{scope}");
        let elements = bytes("elements of a message, decoded");
        assert_eq!(elements, Some(limits.max_element_memory as u64), "{scope}");
        let depth = bound(&table, "depth of a message", scope)["count"].as_u64();
        assert_eq!(depth, Some(limits.max_depth.into()), "{scope}");
    }
    let connect = farcall::Options::default().connect_timeout.as_secs_f64();
    for scope in ["http1", "http2", "websocket", "tls"] {
        let seconds = bound(&table, "connecting", scope)["seconds"].as_f64();
        assert_eq!(seconds, Some(connect), "{scope}");
    }
}

#[test]
fn what_a_stranger_can_do_is_bounded_on_every_transport() {
    let table = table();
    for limit in [
        "connections of a server",
        "calls at once on a connection",
        "metadata in bytes",
        "metadata in fields",
        "window of a stream",
        "unsent, of a connection",
        "connection's beginning, handshakes",
        "idle",
        "no progress",
    ] {
        for scope in ["http1", "http2", "websocket"] {
            assert!(bound(&table, limit, scope).is_object(), "{limit}, {scope}");
        }
    }
    for scope in SCOPES {
        assert!(table.iter().any(|row| row["bounds"][scope].is_object()), "{scope}");
    }
}

#[test]
fn people_get_a_table() {
    let ended = run(&["limits"]);
    let mut lines = ended.output.lines();
    let head: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(head, [&["limit"], &SCOPES[..]].concat());
    assert_eq!(lines.count(), table().len());
    let row = |name: &str| ended.output.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(row("message received ").contains("4 MiB"), "{}", ended.output);
    assert!(row("resets by the peer").contains("1000 + 100/s"), "{}", ended.output);
    assert!(row("first pause when accept fails ").contains(" 5 ms "), "{}", ended.output);
    assert!(row("age of a connection ").contains(" off "), "{}", ended.output);
    assert!(row("spread of the age ").contains("+-10 %"), "{}", ended.output);
}
