//! The code that the guide quotes, run.

mod commands;
mod errors;
mod metadata;
mod one_port;
mod quotations;
mod streams;
mod testing;
