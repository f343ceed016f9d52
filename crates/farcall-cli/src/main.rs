//! The command `farcall`: reads the command line and hands it to the part that does the work.

use std::process::ExitCode;

use clap::Parser;
use farcall_cli::arguments::{Arguments, Command};
use farcall_cli::{activate, connect, exit, listen, proxy, resolve, serve, sockets, tour};

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    // These two fail for many reasons at once, and their message says which; the others tell sockets' failures apart.
    let tells_apart = !matches!(command, Command::Serve { .. } | Command::Tour { .. });
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("farcall: {failure}");
            if tells_apart { exit::code(&failure) } else { ExitCode::FAILURE }
        }
    }
}

fn run(command: Command) -> farcall_cli::Result {
    match command {
        Command::Serve { endpoints } => serve::run(endpoints),
        Command::Tour { calls } => tour::run(calls),
        Command::Sockets(arguments) => sockets::run(&arguments),
        Command::Listen(arguments) => listen::run(&arguments),
        Command::Connect(arguments) => connect::run(&arguments),
        Command::Resolve(arguments) => resolve::run(&arguments),
        Command::Proxy(arguments) => proxy::run(&arguments),
        Command::Activate(arguments) => activate::run(&arguments),
    }
}
