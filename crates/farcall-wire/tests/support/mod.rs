//! What the HTTP/2 tests share.
#![allow(dead_code)] // each test binary uses its part

pub(crate) mod pair;
pub(crate) mod random;
pub(crate) mod raw;
