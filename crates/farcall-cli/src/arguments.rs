//! The command line.

use std::num::NonZeroU64;

use clap::{Parser, Subcommand};

use crate::{activate, connect, listen, proxy, resolve, sockets};

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
    /// Serve the demonstration services: Greeter, Numbers and Echo
    ///
    /// Ends at Ctrl-C or SIGTERM, after the calls under way.
    Serve {
        /// Where to listen: `tcp://HOST:PORT` (port 0: any free one) or `unix:///PATH`
        ///
        /// By default `tcp://127.0.0.1:8080`, and a Unix socket in `$XDG_RUNTIME_DIR` or else the folder for temporary files.
        #[arg(value_name = "ENDPOINT")]
        endpoints: Vec<String>,
    },
    /// Start the services in this process, call them in every way, show replies and times
    ///
    /// Takes some seconds, leaves nothing running and no file behind. Fails when a reply is not what it should be.
    Tour {
        /// Make at most N calls per measurement, rather than as many as its time allows
        #[arg(long, value_name = "N")]
        calls: Option<NonZeroU64>,
    },
    // Each says for itself, where its arguments are, what it does.
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
