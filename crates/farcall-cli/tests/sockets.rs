//! `farcall sockets` shows what the kernel has.

mod command;

use std::net::TcpStream;

use command::{Listening, eventually, run};
use serde_json::Value;

const ANY: &str = "tcp://127.0.0.1:0";

fn at_port(port: u16, more: &[&str]) -> String {
    let port = port.to_string();
    let ended = run(&[&["sockets", "--port", &port], more].concat());
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    ended.output
}

fn objects(port: u16, more: &[&str]) -> Vec<Value> {
    let text = at_port(port, &[&["--json"], more].concat());
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_listener_that_is_held_fills_up_to_one_more_than_its_backlog_and_is_marked() {
    let holding = Listening::start(&["listen", ANY, "--hold", "--backlog", "2"]);
    let port = holding.port();
    let shows = |queue: &str| {
        eventually(|| {
            let text = at_port(port, &["--listening"]);
            text.lines().nth(1)?.contains(queue).then_some(text)
        })
    };
    assert!(!shows(" 0/2 ").contains("FULL"));
    let _first = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let _second = TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert!(!shows(" 2/2 ").contains("FULL"));
    let _third = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let text = shows(" 3/2 FULL ");
    let holder = format!("farcall[{}] fd ", holding.pid());
    assert!(text.contains(&holder), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn columns_stand_below_their_names() {
    let listening = Listening::start(&["listen", ANY, "--echo", "--many"]);
    let _client = TcpStream::connect(("127.0.0.1", listening.port())).unwrap();
    let text = at_port(listening.port(), &[]);
    let head = text.lines().next().unwrap();
    for name in ["state", "local", "remote", "queue", "rtt", "held by"] {
        let column = head.find(name).unwrap();
        for line in text.lines() {
            let before: String = line.chars().skip(column - 1).take(2).collect();
            assert!(before.starts_with(' ') && !before.ends_with(' '), "{name} in\n{text}");
        }
    }
}

#[test]
fn a_connection_is_one_json_object_with_both_ends() {
    let listening = Listening::start(&["listen", ANY, "--echo", "--many"]);
    let client = TcpStream::connect(("127.0.0.1", listening.port())).unwrap();
    let local = client.local_addr().unwrap().to_string();
    let connection = eventually(|| {
        let objects = objects(listening.port(), &["--state", "established"]);
        objects.into_iter().find(|object| object["other"]["holders"][0]["pid"].is_u64())
    });
    assert_eq!(connection["local"], local);
    assert_eq!(connection["holders"][0]["pid"], std::process::id());
    assert_eq!(connection["other"]["remote"], local);
    assert_eq!(connection["other"]["holders"][0]["pid"], listening.pid());
    assert!(connection["round_trip_us"].is_u64());
    let listener = &objects(listening.port(), &["--listening"])[0];
    assert_eq!(listener["accept_queue"]["full"], false);
}

#[test]
fn a_process_is_found_by_its_number() {
    let listening = Listening::start(&["listen", ANY, "--hold"]);
    let pid = listening.pid().to_string();
    let ended = run(&["sockets", "--pid", &pid, "--listening"]);
    assert_eq!(ended.output.lines().count(), 2, "{}", ended.output);
    assert!(ended.output.contains(&format!("127.0.0.1:{}", listening.port())));
}

#[test]
fn watching_shows_it_as_often_as_asked_for() {
    let listening = Listening::start(&["listen", ANY, "--hold"]);
    let text = at_port(listening.port(), &["--watch", "--count", "3", "--every", "1ms"]);
    assert_eq!(text.matches("held by").count(), 3, "{text}");
    assert_eq!(text.matches(" listening ").count(), 3, "{text}");
}

#[test]
fn a_state_that_is_none_is_named_with_those_there_are() {
    let ended = run(&["sockets", "--state", "asleep"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.errors.contains("asleep") && ended.errors.contains("close-wait"));
}
