//! The table for programs: one JSON object per row. Keys are added over time, and none changes its meaning.

use std::fmt::Write as _;

use farcall::socket::table::{Holder, Name, Socket, Table};
use serde_json::{Value, json};

/// One line per row; the other end of a connection is the row's `other`.
pub(super) fn lines(table: &Table) -> String {
    let mut text = String::new();
    for row in table.rows() {
        let mut object = object(row.socket);
        object["other"] = row.other.map_or(Value::Null, self::object);
        let _ = writeln!(text, "{object}");
    }
    text
}

fn object(socket: &Socket) -> Value {
    let queue = socket.accept_queue;
    let measured = socket.measured;
    json!({
        "kind": socket.kind.to_string(),
        "state": socket.state.to_string(),
        "local": socket.local.to_string(),
        "remote": socket.remote.as_ref().map(Name::to_string),
        "accept_queue": queue.map(|queue| {
            json!({ "now": queue.now, "max": queue.max, "full": queue.is_full() })
        }),
        "unread_bytes": socket.unread,
        "unsent_bytes": socket.unsent,
        "round_trip_us": measured
            .and_then(|measured| measured.round_trip)
            .map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
        "retransmitted": measured.map(|measured| measured.retransmitted),
        "uid": socket.uid,
        "inode": socket.inode,
        "holders": socket.holders.iter().map(holder).collect::<Vec<_>>(),
    })
}

fn holder(holder: &Holder) -> Value {
    let Holder { pid, command, descriptor } = holder;
    json!({ "pid": pid, "command": command, "descriptor": descriptor })
}
