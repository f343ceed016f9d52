//! TLS between two connections: handshakes, certificates, bytes, endings, and what is said about those that fail.

#![cfg(feature = "tls")]

mod authority;
#[path = "../folder/mod.rs"]
mod folder;

mod bytes;
mod certificates;
mod client_certificates;
mod errors;
mod handshake;
mod openssl;
mod server_certificates;
mod stranger;
