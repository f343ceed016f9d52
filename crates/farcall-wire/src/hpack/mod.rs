//! HPACK, the header compression of HTTP/2 (RFC 7541): one [`Decoder`] and one [`Encoder`] per
//! connection.
//!
//! The decoder reads complete header blocks and the encoder writes them; neither knows about
//! frames, streams or pseudo-fields. A decoder never stores more than its caller's [`ListLimits`],
//! and never stops in the midst of a block whose coding is sound: the table must follow the peer's.
//! An encoder never puts a secret into its table.

mod decoder;
mod dynamic_table;
mod encoder;
mod error;
mod huffman;
mod indexing;
mod integer;
mod lookup;
mod names;
mod repeats;
mod static_table;

pub use decoder::{Decoded, Decoder, ListLimits};
pub use encoder::Encoder;
pub use error::Error;
