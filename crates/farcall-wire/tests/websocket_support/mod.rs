//! What the WebSocket tests share.
#![allow(dead_code)] // each test binary uses its part

pub(crate) mod pair;
#[path = "../support/random.rs"]
pub(crate) mod random;
pub(crate) mod raw;
pub(crate) mod session;
