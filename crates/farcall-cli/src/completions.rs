//! `farcall completions`: what a shell needs to complete the command line.

use std::io;

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::generate;
use clap_complete::shells;

use crate::Result;

/// Print what a shell needs to complete the command line
///
/// For bash: `source <(farcall completions bash)`; for zsh: `farcall completions zsh > "${fpath[1]}/_farcall"`; for fish:
/// `farcall completions fish > ~/.config/fish/completions/farcall.fish`.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints it.
///
/// # Errors
/// None: an output that nobody reads ends the command.
pub fn run(arguments: &Arguments) -> Result {
    let mut command = crate::arguments::Arguments::command();
    let mut text = Vec::new();
    match arguments.shell {
        Shell::Bash => generate(shells::Bash, &mut command, "farcall", &mut text),
        Shell::Zsh => generate(shells::Zsh, &mut command, "farcall", &mut text),
        Shell::Fish => generate(shells::Fish, &mut command, "farcall", &mut text),
    }
    io::Write::write_all(&mut io::stdout(), &text)?;
    Ok(())
}
