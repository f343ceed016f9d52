//! What the WebSocket tests share.
#![allow(dead_code)] // each test binary uses its part

#[path = "../support/hostile.rs"]
pub(crate) mod hostile;
#[path = "../support/pair.rs"]
pub(crate) mod pair;
pub(crate) mod protocol;
#[path = "../support/random.rs"]
pub(crate) mod random;
pub(crate) mod raw;
pub(crate) mod session;
