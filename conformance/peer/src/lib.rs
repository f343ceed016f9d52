//! What the two programs that strangers judge are made of.
//!
//! The server's half: the services [`calls`] and [`test_service`], and what is [`observed`] of calls. The client's half:
//! [`interop_cases`] and [`call_checks`], which judge the server they call. Both halves of what Connect's suite drives are in
//! [`connect`]. Nothing here reaches into farcall; it is
//! used as any program would use it.

pub mod call_checks;
pub mod calls;
pub mod connect;
pub mod interop_cases;
pub mod metadata_entry;
pub mod observed;
pub mod pattern;
pub mod test_service;
pub mod verdict;

/// What `farcall-build` made of the judges' .proto files.
pub mod proto {
    #![allow(missing_docs, clippy::pedantic)]
    farcall::include_protos!();
}

/// Bytes of the largest payload that a request can ask this server for. A request names a size in a few bytes; without a
/// bound it would name 4 GiB.
pub const MAX_PAYLOAD: usize = 16 << 20;
