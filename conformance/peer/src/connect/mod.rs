//! Both sides of Connect's conformance suite, as its runner drives them over standard input and output.
//!
//! The server's half is [`service`], the client's [`route`], which connects, and [`script`], which makes the call that the
//! runner describes. [`framing`] is how the runner talks; [`any`], [`error`] and [`headers`] translate. No case is known
//! here by its name.

pub mod any;
pub mod error;
pub mod framing;
pub mod headers;
mod replies;
pub mod route;
pub mod script;
pub mod service;
