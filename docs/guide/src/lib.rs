//! The services and messages that the guide's code uses: those of the examples.
//!
//! The guide itself is the pages beside this package. They quote code from here and from the examples; the tests of this
//! package run that code and see to it that every quotation is one.

/// Generated from the .proto files of the examples.
pub mod proto {
    farcall::include_protos!();
}
