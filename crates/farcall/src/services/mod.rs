//! Services that every server can have: health and reflection.
//!
//! They are services like those of a user, with generated stubs, and reach nothing of a connection or an engine.

pub mod health;
pub mod reflection;

pub(crate) use health::MAX_WATCHES;

/// The stubs of both, as `farcall-build` generates them from the files below `proto/`.
mod generated {
    include!("generated/grpc.rs");
}
