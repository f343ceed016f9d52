//! The tour's table: columns of fixed width, so that each row can be shown as soon as it is known.

use std::fmt::Display;
use std::time::Duration;

use farcall::Status;

use super::measure::Measured;
use super::ways::Kind;

/// Characters of a line. Eighty would not hold the eight columns.
const WIDTH: usize = 100;

/// One way to call: a row of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) endpoint: &'static str,
    pub(super) protocol: &'static str,
    pub(super) kind: Kind,
}

/// The names of the columns and a rule below them.
pub(super) fn head() -> String {
    let names = line(
        &way("endpoint", "protocol", "kind of call"),
        &results("reply", ["p50", "p99", "calls/s", "messages/s"]),
    );
    format!("{names}\n{}", "-".repeat(names.chars().count()))
}

/// The row of a way that was measured.
pub(super) fn row(way: Way, measured: &Measured) -> String {
    let messages_per_second = measured.calls_per_second * f64::from(way.kind.messages());
    let results = results(
        &measured.answer.to_string(),
        [
            &time(measured.p50),
            &time(measured.p99),
            &thousands(measured.calls_per_second),
            &thousands(messages_per_second),
        ],
    );
    line(&way.to_line(), &results)
}

/// The row of a way that failed, with as much of the reason as there is room for.
pub(super) fn failed_row(way: Way, failure: &Status) -> String {
    line(&way.to_line(), &format!("FAILED: {failure}"))
}

impl Way {
    fn to_line(self) -> String {
        way(self.endpoint, self.protocol, self.kind)
    }
}

fn way(endpoint: &str, protocol: &str, kind: impl Display) -> String {
    format!("{endpoint:<10}  {protocol:<10}  {kind:<16}")
}

fn results(reply: &str, [p50, p99, calls, messages]: [&str; 4]) -> String {
    format!("{reply:<15}  {p50:>8}  {p99:>8}  {calls:>9}  {messages:>10}")
}

fn line(way: &str, rest: &str) -> String {
    let line: String = format!("{way}  {rest}").chars().take(WIDTH).collect();
    line.trim_end().to_owned()
}

/// Three digits and a unit.
fn time(time: Duration) -> String {
    let microseconds = time.as_secs_f64() * 1e6;
    match microseconds {
        ..99.95 => format!("{microseconds:.1} us"),
        ..999.5 => format!("{microseconds:.0} us"),
        ..99_950.0 => format!("{:.2} ms", microseconds / 1e3),
        _ => format!("{:.0} ms", microseconds / 1e3),
    }
}

/// A whole number, its digits in threes.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tour::ways::Answer;

    fn a_way() -> Way {
        Way { endpoint: "in-process", protocol: "gRPC-Web/1", kind: Kind::ServerStreaming }
    }

    #[test]
    fn numbers_are_written_in_threes() {
        assert_eq!(thousands(0.0), "0");
        assert_eq!(thousands(999.4), "999");
        assert_eq!(thousands(1_000.0), "1,000");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
    }

    #[test]
    fn times_have_three_digits_and_a_unit() {
        assert_eq!(time(Duration::from_nanos(7_250)), "7.2 us");
        assert_eq!(time(Duration::from_nanos(99_960)), "100 us");
        assert_eq!(time(Duration::from_micros(999)), "999 us");
        assert_eq!(time(Duration::from_micros(1_250)), "1.25 ms");
        assert_eq!(time(Duration::from_secs(5)), "5000 ms");
    }

    #[test]
    fn the_widest_row_is_as_wide_as_the_head() {
        let measured = Measured {
            answer: Answer::Numbers((1..=100).map(|last| (1..=last).sum()).collect()),
            p50: Duration::from_secs(5),
            p99: Duration::from_mins(1),
            calls_per_second: 9_999_999.0,
        };
        let head = head();
        let width = head.lines().next().unwrap_or_default().len();
        assert!(width <= WIDTH, "{width}");
        let row = row(Way { kind: Kind::Unary, ..a_way() }, &measured);
        assert_eq!(row.len(), width, "{row}");
        assert!(row.contains("1, 3 .. 5050 "));
    }

    #[test]
    fn a_failure_is_cut_at_the_edge() {
        let row = failed_row(a_way(), &Status::unavailable("a".repeat(200)));
        assert_eq!(row.chars().count(), WIDTH);
        assert!(row.contains("FAILED: UNAVAILABLE: aaa"), "{row}");
    }
}
