//! The command `farcall`: reads the command line and hands it to the part that does the work.

use std::process::ExitCode;

use clap::Parser;
use farcall_cli::arguments::{Arguments, Command};
use farcall_cli::{serve, tour};

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve { endpoints } => serve::run(endpoints),
        Command::Tour { calls } => tour::run(calls),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("farcall: {failure}");
            ExitCode::FAILURE
        }
    }
}
