//! Header blocks to lists of fields.

use std::num::NonZeroU64;

use super::Error;
use super::dynamic_table::DynamicTable;
use super::huffman;
use super::integer::Reader;
use super::static_table;
use crate::fields::{FIELD_OVERHEAD, Fields};
use crate::legality::{self, Illegal};

/// The table size every encoder begins with (RFC 9113 section 6.5.2), in octets.
const INITIAL_TABLE_SIZE: u32 = 4096;

/// Table size updates a block may begin with: the lowest size since the last block, and the size
/// now (RFC 7541 section 4.2).
const MAX_SIZE_UPDATES: usize = 2;

const PATH: &[u8] = b":path";

/// How much of a list is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListLimits {
    /// Fields; each cookie crumb is one.
    pub max_fields: usize,
    /// Octets by the measure of RFC 9113 section 6.5.2: names, values and 32 for each field.
    pub max_size: usize,
}

/// What one header block was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The list was longer than its limits: only the fields up to there are stored.
    pub over_limit: bool,
    /// Octets of the whole list, stored or not, by the measure of RFC 9113 section 6.5.2.
    pub size: usize,
    /// Fields of the whole list, stored or not.
    pub count: usize,
    /// Why the first illegal field is illegal by RFC 9113 section 8.2.1, whether it is stored or
    /// not.
    pub malformed: Option<&'static str>,
    /// Identity of the table entry that holds the first `:path`, if one does: within a connection,
    /// same token, same octets.
    pub path_token: Option<NonZeroU64>,
}

/// The receiving half of a connection's header compression.
#[derive(Debug)]
pub struct Decoder {
    table: DynamicTable<Mark>,
    /// What SETTINGS allow, in octets; the table's own limit is what the peer made of it.
    max_table_size: u32,
    /// The lowest size that SETTINGS allowed since the last block, if that was below the table's
    /// limit.
    must_shrink_to: Option<u32>,
}

/// What is remembered of a table entry.
#[derive(Clone, Copy, Debug)]
struct Mark {
    illegal_name: Option<Illegal>,
    illegal_value: Option<Illegal>,
    is_path: bool,
}

impl Mark {
    fn illegal(self) -> Option<Illegal> {
        self.illegal_name.or(self.illegal_value)
    }
}

impl Decoder {
    /// A decoder that allows the peer a table of `max_table_size` octets from its first block on.
    ///
    /// A peer does not know our `SETTINGS_HEADER_TABLE_SIZE` before it acknowledged it: to allow
    /// less than 4,096, begin with 4,096 and call [`set_max_table_size`](Self::set_max_table_size)
    /// on the acknowledgement.
    pub fn new(max_table_size: u32) -> Self {
        let table = DynamicTable::new(max_table_size.min(INITIAL_TABLE_SIZE) as usize);
        Self { table, max_table_size, must_shrink_to: None }
    }

    /// The peer has acknowledged a `SETTINGS_HEADER_TABLE_SIZE` of `max_table_size` octets. If its
    /// table is larger, its next block must begin with a table size update (RFC 9113 section
    /// 4.3.1).
    pub fn set_max_table_size(&mut self, max_table_size: u32) {
        self.max_table_size = max_table_size;
        if (max_table_size as usize) < self.table.max_size() {
            let lowest =
                self.must_shrink_to.map_or(max_table_size, |lowest| lowest.min(max_table_size));
            self.must_shrink_to = Some(lowest);
        }
    }

    /// Decodes one complete header block and appends its fields to `out`.
    ///
    /// The whole block is decoded even when the list is over `limits`, so that the table stays
    /// right; `out` then holds the fields up to the limit. After an error the decoder and `out` are
    /// of no more use.
    pub fn decode(
        &mut self,
        block: &[u8],
        limits: ListLimits,
        out: &mut Fields,
    ) -> Result<Decoded, Error> {
        let mut reader = Reader::new(block);
        let mut list = List { out, limits, decoded: Decoded::default(), has_path: false };
        self.size_updates(&mut reader)?;
        while let Some(first) = reader.peek() {
            match first {
                0x80.. => self.indexed(reader.integer(7)?, &mut list)?,
                0x40.. => self.literal_indexed(&mut reader, &mut list)?,
                0x20.. => return Err(Error::TableSizeUpdateMisplaced),
                _ => self.literal(&mut reader, &mut list, first & 0x10 != 0)?,
            }
        }
        Ok(list.decoded)
    }

    /// Consumes the table size updates at the begin of a block.
    fn size_updates(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..MAX_SIZE_UPDATES {
            let Some(0x20..=0x3f) = reader.peek() else { break };
            let size = reader.integer(5)?;
            if size > self.max_table_size {
                return Err(Error::TableSizeAboveLimit { got: size, limit: self.max_table_size });
            }
            if self.must_shrink_to.is_some_and(|lowest| size <= lowest) {
                self.must_shrink_to = None;
            }
            self.table.set_max_size(size as usize);
        }
        if self.must_shrink_to.is_some() { Err(Error::TableSizeUpdateMissing) } else { Ok(()) }
    }

    /// A field of the tables (RFC 7541 section 6.1).
    fn indexed(&self, index: u32, list: &mut List<'_>) -> Result<(), Error> {
        let index = index as usize;
        if let Some(position) = index.checked_sub(static_table::LEN + 1) {
            let entry = self.table.get(position).ok_or_else(|| self.no_such_index(index))?;
            if entry.mark.is_path {
                list.set_path(Some(entry.id));
            }
            list.add(entry.joined, entry.name_len, entry.mark.illegal());
        } else {
            let position = index.checked_sub(1).ok_or_else(|| self.no_such_index(index))?;
            let entry = &static_table::ENTRIES[position];
            if static_table::PATH_INDEXES.contains(&index) {
                list.set_path(None);
            }
            list.add(entry.joined(), entry.name_len(), None);
        }
        Ok(())
    }

    /// A literal that becomes a table entry (RFC 7541 section 6.2.1).
    fn literal_indexed(
        &mut self,
        reader: &mut Reader<'_>,
        list: &mut List<'_>,
    ) -> Result<(), Error> {
        let literal = self.write_literal(reader, list, 6)?;
        let (name, value) = list.out.buffer()[literal.begin..].split_at(literal.name_len);
        let mark = literal.mark;
        let id = self.table.insert(name, value, mark);
        if mark.is_path {
            list.set_path(id);
        }
        list.add_written(&literal, false);
        Ok(())
    }

    /// A literal that stays out of the table (RFC 7541 sections 6.2.2 and 6.2.3).
    fn literal(
        &self,
        reader: &mut Reader<'_>,
        list: &mut List<'_>,
        sensitive: bool,
    ) -> Result<(), Error> {
        let literal = self.write_literal(reader, list, 4)?;
        if literal.mark.is_path {
            list.set_path(None);
        }
        list.add_written(&literal, sensitive);
        Ok(())
    }

    /// Writes name and value of a literal to the end of the list's buffer; no field is made of them
    /// yet. That is bounded without a limit: Huffman code expands by 8/5 at most, and the literal
    /// is kept or dropped before the next one.
    fn write_literal(
        &self,
        reader: &mut Reader<'_>,
        list: &mut List<'_>,
        prefix: u32,
    ) -> Result<Literal, Error> {
        let begin = list.out.mark();
        let buffer = list.out.buffer();
        let (illegal_name, is_path) = match reader.integer(prefix)? {
            0 => {
                read_string(reader, buffer)?;
                let name = &buffer[begin..];
                (legality::check_name(name), name == PATH)
            }
            index => self.write_name(index as usize, buffer)?,
        };
        let name_len = buffer.len() - begin;
        read_string(reader, buffer)?;
        let illegal_value = legality::check_value(&buffer[begin + name_len..]);
        Ok(Literal { begin, name_len, mark: Mark { illegal_name, illegal_value, is_path } })
    }

    /// Appends the name of a table entry to `buffer`; returns whether it is illegal, and whether it
    /// is `:path`.
    fn write_name(
        &self,
        index: usize,
        buffer: &mut Vec<u8>,
    ) -> Result<(Option<Illegal>, bool), Error> {
        if let Some(position) = index.checked_sub(static_table::LEN + 1) {
            let entry = self.table.get(position).ok_or_else(|| self.no_such_index(index))?;
            buffer.extend_from_slice(entry.name());
            // Not judged again: a literal of two octets can name an entry of thousands.
            Ok((entry.mark.illegal_name, entry.mark.is_path))
        } else {
            let name = static_table::ENTRIES[index - 1].name();
            buffer.extend_from_slice(name);
            Ok((None, static_table::PATH_INDEXES.contains(&index)))
        }
    }

    #[cold]
    fn no_such_index(&self, got: usize) -> Error {
        Error::Index { got: got as u32, last: (static_table::LEN + self.table.len()) as u32 }
    }
}

/// A string literal (RFC 7541 section 5.2), appended to `out`.
fn read_string(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let huffman_coded = reader.peek().is_some_and(|first| first & 0x80 != 0);
    let len = reader.integer(7)?;
    let octets = reader.octets(len)?;
    if huffman_coded {
        huffman::decode(octets, out)
    } else {
        out.extend_from_slice(octets);
        Ok(())
    }
}

/// Octets at the end of a list's buffer of which no field was made yet.
struct Literal {
    begin: usize,
    name_len: usize,
    mark: Mark,
}

/// The list that a block makes.
struct List<'a> {
    out: &'a mut Fields,
    limits: ListLimits,
    decoded: Decoded,
    has_path: bool,
}

impl List<'_> {
    /// A field of the tables.
    fn add(&mut self, joined: &[u8], name_len: usize, illegal: Option<Illegal>) {
        if self.count(joined.len(), illegal) {
            let begin = self.out.mark();
            self.out.buffer().extend_from_slice(joined);
            self.out.close_field(begin, name_len, false);
        }
    }

    /// A literal whose octets are in the buffer.
    fn add_written(&mut self, literal: &Literal, sensitive: bool) {
        if self.count(self.out.mark() - literal.begin, literal.mark.illegal()) {
            self.out.close_field(literal.begin, literal.name_len, sensitive);
        } else {
            self.out.drop_field(literal.begin);
        }
    }

    /// Counts a field whose name and value take `len` octets; returns whether to store it.
    fn count(&mut self, len: usize, illegal: Option<Illegal>) -> bool {
        let decoded = &mut self.decoded;
        decoded.count += 1;
        decoded.size = decoded.size.saturating_add(len + FIELD_OVERHEAD);
        if let (Some(illegal), None) = (illegal, decoded.malformed) {
            decoded.malformed = Some(illegal.reason());
        }
        // Both only grow: the fields behind the first that is over the limit are over it, too.
        decoded.over_limit =
            decoded.count > self.limits.max_fields || decoded.size > self.limits.max_size;
        !decoded.over_limit
    }

    /// Takes the identity of the first `:path`; `id` is its table entry, if it has one.
    fn set_path(&mut self, id: Option<u64>) {
        if !self.has_path {
            self.has_path = true;
            self.decoded.path_token = id.and_then(NonZeroU64::new);
        }
    }
}
