//! Two ends of a connection against each other: what must hold of every protocol that carries calls.
//!
//! Which protocol it is says `support::protocol` of the test program.

mod calls;
mod random;
