//! The only `unsafe` code of the project: what the kernel offers and no safe crate does.
//!
//! Every block says why it is sound. Nothing here decides anything; it turns safe arguments into one system call and its
//! answer into safe values.
#![allow(unsafe_code)]

pub(crate) mod datagrams;
pub(crate) mod inherited;
pub(crate) mod option;
pub(crate) mod placed;
pub(crate) mod spawn;
pub(crate) mod watch;
