//! The parts of the command `farcall`, which is an ordinary user of the `farcall` crate.
//!
//! A library only so that tests can reach the parts; nothing here is promised to stay as it is. It knows no protocol, and
//! sockets only as `farcall` offers them; of other people's messages it knows what their descriptors say.

pub mod activate;
pub mod arguments;
pub mod call;
pub mod completions;
pub mod connect;
pub mod describe;
pub mod exit;
pub mod limits;
pub mod list;
pub mod listen;
pub mod proxy;
pub mod resolve;
pub mod serve;
pub mod services;
pub mod sockets;
pub mod tour;

mod datagrams;
mod duration;
mod failed;
mod hex;
mod metadata;
mod overflow;
mod raw;
mod relay;
mod room;
mod route;
mod runtime;
mod schema;
mod self_signed;
mod session;
mod signals;
mod steps;
mod trace;
mod values;
mod words;

/// Messages, service traits and clients, generated from the files in `proto/`.
pub mod proto {
    farcall::include_protos!();
}

/// Why a command ended without having done its work: one line for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a command comes to.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;
