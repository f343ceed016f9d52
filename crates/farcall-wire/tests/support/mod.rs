//! What the HTTP/2 tests share. `pair` and `hostile` serve every protocol that `protocol` names.
#![allow(dead_code)] // each test binary uses its part

pub(crate) mod hostile;
pub(crate) mod pair;
pub(crate) mod protocol;
pub(crate) mod random;
pub(crate) mod raw;
