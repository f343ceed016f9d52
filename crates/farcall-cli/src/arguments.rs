//! The command line.

use std::num::NonZeroU64;

use clap::{Parser, Subcommand};

use crate::{
    activate, call, completions, connect, describe, limits, list, listen, proxy, resolve, serve,
    sockets,
};

/// Remote procedure calls: serve some, call them in every way, see how fast they are. And the sockets below them, by hand.
#[derive(Debug, Parser)]
#[command(name = "farcall", version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    // Those without a line here say for themselves, where their arguments are, what they do.
    #[allow(missing_docs)]
    Serve(serve::Arguments),
    /// Start the services in this process, call them in every way, show replies and times
    ///
    /// Takes some seconds, leaves nothing running and no file behind. Fails when a reply is not what it should be.
    Tour {
        /// Make at most N calls per measurement, rather than as many as its time allows
        #[arg(long, value_name = "N")]
        calls: Option<NonZeroU64>,
    },
    #[allow(missing_docs)]
    Call(Box<call::Arguments>),
    #[allow(missing_docs)]
    List(list::Arguments),
    #[allow(missing_docs)]
    Describe(describe::Arguments),
    #[allow(missing_docs)]
    Limits(limits::Arguments),
    #[allow(missing_docs)]
    Completions(completions::Arguments),
    #[allow(missing_docs)]
    Sockets(sockets::Arguments),
    #[allow(missing_docs)]
    Listen(listen::Arguments),
    #[allow(missing_docs)]
    Connect(connect::Arguments),
    #[allow(missing_docs)]
    Resolve(resolve::Arguments),
    #[allow(missing_docs)]
    Proxy(proxy::Arguments),
    #[allow(missing_docs)]
    Activate(activate::Arguments),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
