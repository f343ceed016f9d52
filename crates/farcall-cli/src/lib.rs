//! The parts of the command `farcall`, which is an ordinary user of the `farcall` crate.
//!
//! A library only so that tests can reach the parts; nothing here is promised to stay as it is. It knows no protocol and
//! opens no socket itself.

pub mod arguments;
pub mod serve;
pub mod services;
pub mod tour;

mod signals;

/// Messages, service traits and clients, generated from the files in `proto/`.
pub mod proto {
    farcall::include_protos!();
}

/// Why a command ended without having done its work: one line for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a command comes to.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;
