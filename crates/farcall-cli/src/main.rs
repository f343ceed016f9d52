//! The command `farcall`: reads the command line and hands it to the part that does the work.

use std::process::ExitCode;

use clap::Parser;
use farcall_cli::arguments::{Arguments, Command};
use farcall_cli::{
    activate, call, completions, connect, describe, exit, limits, list, listen, proxy, resolve,
    serve, sockets, tour,
};

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    // These two fail for many reasons at once, and their message says which; the others tell sockets' failures apart.
    let tells_apart = !matches!(command, Command::Serve(_) | Command::Tour { .. });
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let who = if exit::is_answer(&failure) { "" } else { "farcall: " };
            eprintln!("{who}{failure}");
            if tells_apart { exit::code(&failure) } else { ExitCode::FAILURE }
        }
    }
}

fn run(command: Command) -> farcall_cli::Result {
    match command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Tour { calls } => tour::run(calls),
        Command::Call(arguments) => call::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Describe(arguments) => describe::run(&arguments),
        Command::Limits(arguments) => limits::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Sockets(arguments) => sockets::run(&arguments),
        Command::Listen(arguments) => listen::run(&arguments),
        Command::Connect(arguments) => connect::run(&arguments),
        Command::Resolve(arguments) => resolve::run(&arguments),
        Command::Proxy(arguments) => proxy::run(&arguments),
        Command::Activate(arguments) => activate::run(&arguments),
    }
}
