//! Ping-pong and stream over TCP and Unix sockets: farcall-socket beside bare tokio and bare system calls, in one
//! interleaved run.
//!
//!     cargo run --release --package sockets -- [--rounds 101] [--cores 1]

mod datagrams;
mod rows;

use std::process::exit;

use rows::{Row, STREAM_BYTES, Turn, Work};

const USAGE: &str = "usage: sockets [--rounds N] [--cores 1|2]";

fn main() {
    let (rounds, cores) = arguments();
    let cores = if cores == 2 { (0, 1) } else { (0, 0) };
    pin(cores.1);
    println!("{rounds} rounds, server on core {}, client on core {}", cores.0, cores.1);
    for work in [Work::PingPong, Work::Stream] {
        for is_unix in [false, true] {
            let mut rows = rows::open(is_unix, work, cores.0);
            let turns = measure(&mut rows, rounds);
            report(&rows, &turns, is_unix, work);
        }
    }
    let [single, batched] = datagrams::measure(rounds).expect("loopback works");
    println!("\nUDP, 1,200 bytes, sent and received on one thread\n");
    println!("| calls | median us per datagram | lowest - highest |\n|---|---|---|");
    for (name, times) in [("single", single), ("batched", batched)] {
        let (low, high) = span(&times);
        println!("| {name} | {:.2} | {low:.2} - {high:.2} |", median(times));
    }
}

fn arguments() -> (usize, u32) {
    let (mut rounds, mut cores) = (101, 1);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().and_then(|word| word.parse().ok());
        match (word.as_str(), number) {
            ("--rounds", Some(number)) if number > 0 => rounds = number,
            ("--cores", Some(number @ 1..=2)) => cores = number as u32,
            _ => {
                eprintln!("{USAGE}");
                exit(2);
            }
        }
    }
    (rounds, cores)
}

/// Keeps the calling thread on one core; where that is not allowed the numbers only spread more.
fn pin(core: usize) {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    let _ = rustix::thread::sched_setaffinity(None, &cores);
}

/// The turns of each row, one per round. Each round begins with another row, so that none always follows the same one.
fn measure(rows: &mut [Row], rounds: usize) -> Vec<Vec<Turn>> {
    for row in rows.iter_mut() {
        row.run();
    }
    let mut turns = vec![Vec::with_capacity(rounds); rows.len()];
    for round in 0..rounds {
        for turn in 0..rows.len() {
            let index = (round + turn) % rows.len();
            turns[index].push(rows[index].run());
        }
    }
    turns
}

fn report(rows: &[Row], turns: &[Vec<Turn>], is_unix: bool, work: Work) {
    let transport = if is_unix { "Unix" } else { "TCP" };
    let (title, unit) = match work {
        Work::PingPong => ("ping-pong, 64 bytes each way", "us"),
        Work::Stream => ("stream, 64 KiB writes", "GB/s"),
    };
    println!("\n{transport} {title}\n");
    println!(
        "| layer | median {unit} | lowest - highest | time, relative to tokio | CPU, relative to tokio |"
    );
    println!("|---|---|---|---|---|");
    let bare = rows.iter().position(|row| row.name == "tokio").unwrap_or(0);
    for (row, turns_of_row) in rows.iter().zip(turns) {
        let shown = |seconds: f64| match work {
            Work::PingPong => seconds / f64::from(rows::PINGS) * 1e6,
            Work::Stream => STREAM_BYTES as f64 / seconds / 1e9,
        };
        let values: Vec<f64> = turns_of_row.iter().map(|turn| shown(turn.wall)).collect();
        let relative = |seconds: fn(&Turn) -> f64| {
            let pairs = turns_of_row.iter().zip(&turns[bare]);
            median(pairs.map(|(ours, bare)| seconds(ours) / seconds(bare)).collect())
        };
        let (low, high) = span(&values);
        println!(
            "| {} | {:.2} | {low:.2} - {high:.2} | {:.3} | {:.3} |",
            row.name,
            median(values),
            relative(|turn| turn.wall),
            relative(|turn| turn.cpu),
        );
    }
}

fn span(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::MAX, 0.0), |(low, high), &value| (value.min(low), value.max(high)))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
