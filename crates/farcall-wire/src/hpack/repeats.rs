//! Blocks that come again: the heads and trailers of replies are few, and as long as the table does not change, the same
//! fields are the same bytes.
//!
//! It compares fields and never judges them. A block with a literal is none of its business: that one may change the table.

use bytes::{BufMut, BytesMut};

use crate::fields::Fields;

/// Blocks that are kept, those of equally many fields in one place.
const PLACES: usize = 4;
/// Fields of a block that is kept, and octets of its bytes: one or two for each field.
const MAX_FIELDS: usize = 16;
const MAX_BLOCK: usize = 32;

/// The blocks written lately that are references into the tables and nothing else.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    places: [Option<Box<Repeat>>; PLACES],
}

#[derive(Debug)]
struct Repeat {
    fields: Fields,
    /// The state of the table that the references are to.
    table: u64,
    block: [u8; MAX_BLOCK],
    len: usize,
}

impl Repeats {
    /// Writes the block of the same fields again, if the table is as it was. Whether it was so.
    pub(super) fn write(&self, fields: &Fields, table: u64, out: &mut BytesMut) -> bool {
        match &self.places[fields.len() % PLACES] {
            Some(known) if known.table == table && known.fields == *fields => {
                out.put_slice(&known.block[..known.len]);
                true
            }
            _ => false,
        }
    }

    /// Keeps a block of references.
    pub(super) fn keep(&mut self, fields: &Fields, table: u64, block: &[u8]) {
        let place = &mut self.places[fields.len() % PLACES];
        if block.len() > MAX_BLOCK || fields.len() > MAX_FIELDS {
            return;
        }
        let repeat = place.get_or_insert_with(|| {
            Box::new(Repeat { fields: Fields::new(), table, block: [0; MAX_BLOCK], len: 0 })
        });
        repeat.fields.clone_from(fields);
        repeat.table = table;
        repeat.block[..block.len()].copy_from_slice(block);
        repeat.len = block.len();
    }

    /// Gives all memory back.
    pub(super) fn shrink(&mut self) {
        *self = Self::default();
    }
}
