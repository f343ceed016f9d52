//! The project's own checks. `cargo run -p xtask -- tidy` prints them; `cargo test` runs the same ones.
//!
//! Reads the tree and judges it; never writes to it, never builds anything, depends on nothing.

pub mod tidy;
