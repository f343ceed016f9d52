//! `.proto` to Rust at build time, with no `protoc` installed.
//!
//! ```no_run
//! // build.rs
//! fn main() -> farcall_build::Result {
//!     farcall_build::compile("proto/greet.proto")
//! }
//! ```
//!
//! ```text
//! // src/main.rs
//! mod proto { farcall::include_protos!(); }
//! use proto::greet::v1::{Greeter, GreeterClient, HelloReply, HelloRequest};
//! ```
//!
//! A message becomes a plain struct (by buffa-codegen), a service becomes a trait for the server and a client struct (by
//! this crate). Everything goes into one file, `farcall.rs`, as one tree of modules that mirrors the packages, because
//! packages import each other. Well-known types (`google.protobuf.Timestamp` and its kin) come with `farcall`, and that tree
//! exports those that are used.
//!
//! Every message can be sent as JSON, in protobuf's canonical form. With the services go the descriptors of their files, so
//! that a server can tell its clients what it offers.
//!
//! Generated code names `::farcall::`, `::core::` and `::std::` and no other crate. This crate never runs a program,
//! never touches the network and never writes outside the output folder.

mod builder;
mod comment;
mod error;
mod generate;
mod json;
mod messages;
mod origin;
mod plugin;
mod protos;
mod reach;
mod refused;
mod runtime_path;
mod rust_text;
mod source;
mod stub;
mod text;
mod tree;
mod well_known;

use std::path::Path;

pub use builder::{Builder, configure};
pub use error::{Error, Result};
#[doc(hidden)]
pub use plugin::run as run_plugin;

/// Compiles one `.proto` file and what it uses into `$OUT_DIR/farcall.rs`.
///
/// Imports are looked up in the folder of the file, and if one is missing there, in the folders above it up to the
/// crate. For anything else there is [`configure`].
///
/// # Errors
///
/// Names file, line and column and what was wrong there.
pub fn compile(proto: impl AsRef<Path>) -> Result {
    configure().file(proto).compile()
}
