//! The table for people: columns as wide as what is in them.

use std::time::Duration;

use farcall::socket::table::{Holder, Name, Socket, Table};

/// Columns; the last one is not padded.
const HEAD: [&str; 7] = ["kind", "state", "local", "remote", "queue", "rtt", "held by"];

/// Holders of one socket that are shown.
const HOLDERS: usize = 3;

type Line = [String; HEAD.len()];

/// The head and a line for each end of each row.
pub(super) fn lines(table: &Table) -> String {
    let mut lines = vec![HEAD.map(str::to_owned)];
    for row in table.rows() {
        lines.push(line(row.socket.kind.to_string(), row.socket));
        lines.extend(row.other.map(|other| line(" \u{2514}".to_owned(), other)));
    }
    aligned(&lines)
}

fn line(kind: String, socket: &Socket) -> Line {
    let round_trip = socket.measured.and_then(|measured| measured.round_trip);
    [
        kind,
        socket.state.to_string(),
        socket.local.to_string(),
        socket.remote.as_ref().map_or("-".to_owned(), Name::to_string),
        queue(socket),
        round_trip.map_or("-".to_owned(), time),
        holders(&socket.holders),
    ]
}

fn queue(socket: &Socket) -> String {
    match socket.accept_queue {
        Some(queue) if queue.is_full() => format!("{}/{} FULL", queue.now, queue.max),
        Some(queue) => format!("{}/{}", queue.now, queue.max),
        None => format!("{} in {} out", socket.unread, socket.unsent),
    }
}

fn time(time: Duration) -> String {
    match time.as_secs_f64() * 1e3 {
        milliseconds @ ..1.0 => format!("{:.0} us", milliseconds * 1e3),
        milliseconds @ ..10.0 => format!("{milliseconds:.1} ms"),
        milliseconds @ ..1000.0 => format!("{milliseconds:.0} ms"),
        milliseconds => format!("{:.1} s", milliseconds / 1e3),
    }
}

fn holders(holders: &[Holder]) -> String {
    if holders.is_empty() {
        return "-".to_owned();
    }
    let mut names: Vec<_> = holders
        .iter()
        .take(HOLDERS)
        .map(|Holder { pid, command, descriptor }| format!("{command}[{pid}] fd {descriptor}"))
        .collect();
    if holders.len() > HOLDERS {
        names.push(format!("and {} more", holders.len() - HOLDERS));
    }
    names.join(", ")
}

fn aligned(lines: &[Line]) -> String {
    let mut widths = [0; HEAD.len()];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in lines {
        let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let padded: Vec<_> = padded.collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 7]| cells.map(str::to_owned);
        let lines = [row(HEAD), row(["tcp", "listening", "[::]:80", "-", "6/5 FULL", "-", "-"])];
        let text = aligned(&lines);
        let expected = "\
            kind  state      local    remote  queue     rtt  held by\n\
            tcp   listening  [::]:80  -       6/5 FULL  -    -\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn times_have_a_unit_that_fits() {
        for (micros, text) in
            [(42, "42 us"), (1_250, "1.2 ms"), (12_300, "12 ms"), (2_500_000, "2.5 s")]
        {
            assert_eq!(time(Duration::from_micros(micros)), text);
        }
    }
}
