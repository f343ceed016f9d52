//! The services and messages that the guide's code uses: those of the examples, and one of its own.
//!
//! The guide itself is the pages beside this package. They quote code from here and from the examples; the tests of this
//! package run that code, and the commands that the page on one port shows, and see to it that every quotation is one.

/// Generated from the .proto files of the examples and of the guide.
pub mod proto {
    farcall::include_protos!();
}

mod weather;

pub use weather::Stations;
