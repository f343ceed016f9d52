//! Lists of fields to header blocks.

use bytes::{BufMut, BytesMut};

use super::indexing::{self, SeenFields};
use super::lookup::{Hashes, SearchableTable, hash};
use super::names::Known;
use super::repeats::Repeats;
use super::{huffman, integer, names, static_table};
use crate::fields::{Field, Fields};

/// The largest table used, whatever the peer offers, in octets: more would cost memory on each
/// connection for entries that seldom match. It is also the size every connection begins with (RFC
/// 9113 section 6.5.2).
const MAX_TABLE_SIZE: u32 = 4096;

/// How a literal is written (RFC 7541 section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Indexing {
    /// As a new table entry.
    Incremental,
    /// Outside of the table.
    Without,
    /// Outside of every table on the way.
    Never,
}

/// The sending half of a connection's header compression.
#[derive(Debug)]
pub struct Encoder {
    table: SearchableTable,
    seen: SeenFields,
    /// The lowest size that the table had since the last block, if its size changed.
    lowest_size: Option<usize>,
    repeats: Repeats,
    /// Changes of the table so far.
    changes: u64,
}

impl Encoder {
    /// An encoder for a peer that allows a table of `max_table_size` octets from the first block
    /// on. Before the peer's SETTINGS arrived this is 4,096.
    pub fn new(max_table_size: u32) -> Self {
        let table = SearchableTable::new(max_table_size.min(MAX_TABLE_SIZE) as usize);
        Self {
            table,
            seen: SeenFields::new(),
            lowest_size: None,
            repeats: Repeats::default(),
            changes: 0,
        }
    }

    /// The peer's `SETTINGS_HEADER_TABLE_SIZE` arrived: `max_table_size` octets, of which at most
    /// 4,096 are used. The next block begins with the table size updates that this calls for (RFC
    /// 7541 section 4.2).
    pub fn set_max_table_size(&mut self, max_table_size: u32) {
        let size = max_table_size.min(MAX_TABLE_SIZE) as usize;
        if size != self.table.max_size() {
            self.table.set_max_size(size);
            self.changes += 1;
            self.lowest_size = Some(self.lowest_size.map_or(size, |lowest| lowest.min(size)));
        }
    }

    /// Appends the header block of `fields` to `out`.
    pub fn encode(&mut self, fields: &Fields, out: &mut BytesMut) {
        self.write_size_updates(out);
        if self.repeats.write(fields, self.changes, out) {
            return;
        }
        let start = out.len();
        let mut only_references = true;
        for field in fields {
            only_references &= self.write_field(&field, out);
        }
        if only_references {
            self.repeats.keep(fields, self.changes, &out[start..]);
        }
    }

    /// Gives back what memory is not needed to go on.
    pub(crate) fn shrink(&mut self) {
        self.repeats.shrink();
    }

    fn write_size_updates(&mut self, out: &mut BytesMut) {
        let Some(lowest) = self.lowest_size.take() else { return };
        let size = self.table.max_size();
        if lowest < size {
            write_size_update(lowest, out);
        }
        write_size_update(size, out);
    }

    /// Whether it was written as a reference.
    fn write_field(&mut self, field: &Field<'_>, out: &mut BytesMut) -> bool {
        let name_hash = hash(0, field.name);
        let known = names::find(field.name, name_hash);
        if indexing::is_secret(field, known.policy) {
            let hashes = Hashes { name: name_hash as u32, field: 0 };
            let name_index = self.name_index(field, known, hashes);
            write_literal(field, name_index, Indexing::Never, out);
            return false;
        }
        if let Some(index) = known.index_of(field.value) {
            write_indexed(index, out);
            return true;
        }
        let hashes = Hashes { name: name_hash as u32, field: hash(name_hash, field.value) as u32 };
        if let Some(age) = self.table.find_field(field, hashes) {
            write_indexed(dynamic_index(age), out);
            return true;
        }
        self.write_new(field, known, hashes, out);
        false
    }

    /// A field that is no secret and in no table.
    fn write_new(&mut self, field: &Field<'_>, known: &Known, hashes: Hashes, out: &mut BytesMut) {
        let name_index = self.name_index(field, known, hashes);
        // An entry of most of the table would evict all others for the chance of one match.
        let fits = field.size() <= self.table.max_size() / 4 * 3;
        let is_worth = fits
            && indexing::is_worth_entry(known.policy, name_index.is_some(), hashes, &mut self.seen);
        if is_worth {
            write_literal(field, name_index, Indexing::Incremental, out);
            self.table.insert(field, hashes);
            self.changes += 1;
        } else {
            write_literal(field, name_index, Indexing::Without, out);
        }
    }

    fn name_index(&self, field: &Field<'_>, known: &Known, hashes: Hashes) -> Option<usize> {
        match known.first_index {
            0 => self.table.find_name(field.name, hashes).map(dynamic_index),
            index => Some(index),
        }
    }
}

/// The index of the entry that is `age` entries older than the newest (RFC 7541 section 2.3.3).
fn dynamic_index(age: usize) -> usize {
    static_table::LEN + 1 + age
}

fn write_size_update(size: usize, out: &mut BytesMut) {
    integer::write(size, 5, 0x20, out);
}

/// A field of the tables (RFC 7541 section 6.1).
fn write_indexed(index: usize, out: &mut BytesMut) {
    integer::write(index, 7, 0x80, out);
}

/// A literal (RFC 7541 section 6.2), with the index of its name if there is one.
fn write_literal(
    field: &Field<'_>,
    name_index: Option<usize>,
    indexing: Indexing,
    out: &mut BytesMut,
) {
    let (prefix_bits, flags) = match indexing {
        Indexing::Incremental => (6, 0x40),
        Indexing::Without => (4, 0),
        Indexing::Never => (4, 0x10),
    };
    integer::write(name_index.unwrap_or(0), prefix_bits, flags, out);
    if name_index.is_none() {
        write_string(field.name, out);
    }
    write_string(field.value, out);
}

/// A string literal (RFC 7541 section 5.2), in Huffman code if that is shorter.
fn write_string(text: &[u8], out: &mut BytesMut) {
    let encoded_len = huffman::encoded_len(text);
    if encoded_len < text.len() {
        integer::write(encoded_len, 7, 0x80, out);
        let begin = out.len();
        out.put_bytes(0, encoded_len);
        huffman::encode(text, &mut out[begin..]);
    } else {
        integer::write(text.len(), 7, 0, out);
        out.put_slice(text);
    }
}
