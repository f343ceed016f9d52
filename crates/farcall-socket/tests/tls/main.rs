//! TLS between two connections: handshakes, certificates, bytes, endings, and what is said about those that fail.

#![cfg(feature = "tls")]

mod authority;
#[path = "../folder/mod.rs"]
mod folder;

mod handshake;
mod stranger;
