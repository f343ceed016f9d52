//! The command line of the project's own checks.

use std::path::Path;
use std::process::ExitCode;

use xtask::tidy::{self, Tree};

const USAGE: &str = "usage: cargo run -p xtask -- tidy";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [task] if task == "tidy" => run_tidy(),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn run_tidy() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let tree = match Tree::load(&root) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("tidy: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut failed = false;
    for check in tidy::CHECKS {
        let findings = (check.run)(&tree);
        let verdict = if findings.is_empty() { "ok" } else { "FAILED" };
        println!("{verdict:<6} {}", check.rule);
        for finding in &findings {
            println!("       {finding}");
        }
        failed |= !findings.is_empty();
    }
    println!("{}", tidy::unsafety::Census::of(&tree));
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
