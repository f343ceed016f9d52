//! `farcall limits`: the default limits of every protocol, in one table.
//!
//! It has no numbers of its own: all of them come from the runtime.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args;
use farcall::limits::{self, Bound, Limit, Scope};
use serde_json::{Map, Value, json};

use crate::Result;

/// Show the default limits of every protocol: what a peer can make a server or a client keep and do
///
/// Where nothing stands, a limit does not hold, mostly because the protocol has no such thing.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// One JSON object per line
    #[arg(long)]
    json: bool,
}

/// Shows them.
///
/// # Errors
/// The output cannot be written to.
pub fn run(arguments: &Arguments) -> Result {
    let table = limits::all();
    let text = if arguments.json { json_lines(&table) } else { columns(&table) };
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// A column for each scope, as wide as what is in it.
fn columns(table: &[Limit]) -> String {
    let mut lines = vec![head()];
    for limit in table {
        let cells = Scope::ALL.map(|scope| limit.at(scope).map_or(String::new(), shown));
        lines.push([limit.name.to_owned()].into_iter().chain(cells).collect::<Vec<_>>());
    }
    let widths: Vec<_> = (0..=Scope::ALL.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}

fn head() -> Vec<String> {
    ["limit"].into_iter().chain(Scope::ALL.map(Scope::name)).map(str::to_owned).collect()
}

/// Keys are added over time, and none changes its meaning.
fn json_lines(table: &[Limit]) -> String {
    let mut text = String::new();
    for limit in table {
        let bounds = limit.bounds.iter();
        let bounds: Map<String, Value> =
            bounds.map(|(scope, bound)| (scope.name().to_owned(), object(*bound))).collect();
        let _ = writeln!(text, "{}", json!({ "limit": limit.name, "bounds": bounds }));
    }
    text
}

fn object(bound: Bound) -> Value {
    match bound {
        Bound::Count(count) => json!({ "count": count }),
        Bound::Bytes(bytes) => json!({ "bytes": bytes }),
        Bound::Time(time) => json!({ "seconds": time.as_secs_f64() }),
        Bound::Rate { burst, per_second } => json!({ "burst": burst, "per_second": per_second }),
        Bound::Percent(percent) => json!({ "percent": percent }),
        Bound::Off => json!({ "off": true }),
    }
}

fn shown(bound: Bound) -> String {
    match bound {
        Bound::Count(count) => count.to_string(),
        Bound::Bytes(bytes) => size(bytes),
        Bound::Time(time) => duration(time),
        Bound::Rate { burst, per_second } => format!("{burst} + {per_second}/s"),
        Bound::Percent(percent) => format!("+-{percent} %"),
        Bound::Off => "off".to_owned(),
    }
}

/// In the largest unit that leaves no rest.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    match bytes {
        0 => "0 B".to_owned(),
        _ if bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
        _ if bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
        _ => format!("{bytes} B"),
    }
}

fn duration(time: Duration) -> String {
    match time.as_secs() {
        0 if !time.is_zero() => format!("{} ms", time.as_millis()),
        _ if time.subsec_nanos() > 0 => format!("{:.1} s", time.as_secs_f64()),
        seconds if seconds >= 300 && seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_have_the_unit_that_fits() {
        for (bound, text) in [
            (Bound::Count(128), "128"),
            (Bound::Bytes(16 * 1024), "16 KiB"),
            (Bound::Bytes(4 * 1024 * 1024), "4 MiB"),
            (Bound::Bytes(100), "100 B"),
            (Bound::Time(Duration::from_mins(1)), "60 s"),
            (Bound::Time(Duration::from_mins(15)), "15 min"),
            (Bound::Time(Duration::from_millis(2500)), "2.5 s"),
            (Bound::Time(Duration::from_millis(5)), "5 ms"),
            (Bound::Percent(10), "+-10 %"),
            (Bound::Off, "off"),
            (Bound::Rate { burst: 1000, per_second: 100.0 }, "1000 + 100/s"),
        ] {
            assert_eq!(shown(bound), text);
        }
    }

    #[test]
    fn each_row_is_a_line_and_each_scope_a_column() {
        let bounds = vec![(Scope::Http2, Bound::Count(8)), (Scope::Tls, Bound::Bytes(1))];
        let text = columns(&[Limit { name: "things", bounds }]);
        let expected = "\
            limit   http1  http2  websocket  grpc  grpc-web  connect  json  tls\n\
            things         8                                                1 B\n";
        assert_eq!(text, expected);
    }
}
