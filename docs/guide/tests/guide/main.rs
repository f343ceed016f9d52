//! The code that the guide quotes, run.

mod errors;
mod metadata;
mod quotations;
mod streams;
mod testing;
