//! Finding a field in an encoder's dynamic table: chains of entries with equal hash, newest first.
//!
//! Nothing is undone when an entry is evicted. A chain leads from newer to older entries only, so
//! it ends where it meets the first entry that is no longer in the table.

use super::dynamic_table::{DynamicTable, Entry};
use crate::fields::Field;

/// Chains per kind. The table has at most 128 entries: 4 KiB with 32 octets or more for each.
const CHAINS: usize = 128;

/// An encoder's dynamic table with its chains.
#[derive(Debug)]
pub(super) struct SearchableTable {
    table: DynamicTable<Links>,
    /// The newest entry of each chain. Made with the first entry: many connections never have one.
    newest: Option<Box<Newest>>,
}

#[derive(Debug)]
struct Newest {
    fields: [Id; CHAINS],
    names: [Id; CHAINS],
}

/// The low bits of an entry's number. They come again after 2^32 insertions; a link that outlived
/// its entry for that long leads to a wrong chain, which costs a comparison and not correctness.
type Id = u32;

/// An entry's hashes, and the next older entry in its chain of fields and of names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    hashes: Hashes,
    older_field: Id,
    older_name: Id,
}

/// The hashes of a field's name, and of name and value together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hashes {
    pub(super) name: u32,
    pub(super) field: u32,
}

impl SearchableTable {
    pub(super) fn new(max_size: usize) -> Self {
        Self { table: DynamicTable::new(max_size), newest: None }
    }

    pub(super) fn max_size(&self) -> usize {
        self.table.max_size()
    }

    pub(super) fn set_max_size(&mut self, max_size: usize) {
        self.table.set_max_size(max_size);
    }

    /// How many entries ago the same field was inserted.
    pub(super) fn find_field(&self, field: &Field<'_>, hashes: Hashes) -> Option<usize> {
        let newest = self.newest.as_ref()?.fields[hashes.field as usize % CHAINS];
        self.walk(newest, |entry| {
            let found = entry.mark.hashes == hashes
                && same(entry.name(), field.name)
                && same(entry.value(), field.value);
            if found { Step::Found } else { Step::Older(entry.mark.older_field) }
        })
    }

    /// How many entries ago a field of the same name was inserted.
    pub(super) fn find_name(&self, name: &[u8], hashes: Hashes) -> Option<usize> {
        let newest = self.newest.as_ref()?.names[hashes.name as usize % CHAINS];
        self.walk(newest, |entry| {
            let found = entry.mark.hashes.name == hashes.name && same(entry.name(), name);
            if found { Step::Found } else { Step::Older(entry.mark.older_name) }
        })
    }

    fn walk(&self, mut id: Id, step: impl Fn(Entry<'_, Links>) -> Step) -> Option<usize> {
        let newest = self.table.newest_id() as Id;
        let mut last_age = None;
        loop {
            let age = newest.wrapping_sub(id) as usize;
            if last_age.is_some_and(|last_age| age <= last_age) {
                return None;
            }
            match step(self.table.get(age)?) {
                Step::Found => return Some(age),
                Step::Older(older) => id = older,
            }
            last_age = Some(age);
        }
    }

    /// Inserts a field that fits the table.
    pub(super) fn insert(&mut self, field: &Field<'_>, hashes: Hashes) {
        let newest = self
            .newest
            .get_or_insert_with(|| Box::new(Newest { fields: [0; CHAINS], names: [0; CHAINS] }));
        let newest_field = &mut newest.fields[hashes.field as usize % CHAINS];
        let newest_name = &mut newest.names[hashes.name as usize % CHAINS];
        let links = Links { hashes, older_field: *newest_field, older_name: *newest_name };
        if let Some(id) = self.table.insert(field.name, field.value, links) {
            *newest_field = id as Id;
            *newest_name = id as Id;
        }
    }
}

enum Step {
    Found,
    Older(Id),
}

/// A quick hash. It resists no attack and need not: the table is small, a search through all of it
/// is cheap.
pub(super) const fn hash(seed: u64, octets: &[u8]) -> u64 {
    let mut state = seed ^ octets.len() as u64;
    let mut rest = octets;
    while rest.len() > 16
        && let Some((chunk, tail)) = rest.split_first_chunk::<8>()
        && let Some((next_chunk, tail)) = tail.split_first_chunk::<8>()
    {
        state = mix(state ^ u64::from_le_bytes(*chunk), u64::from_le_bytes(*next_chunk));
        rest = tail;
    }
    // At most 16 are left: two words that may overlap.
    if let (Some(first), Some(last)) = (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
        mix(state ^ u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        mix(state ^ u32::from_le_bytes(*first) as u64, u32::from_le_bytes(*last) as u64)
    } else if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        mix(state ^ *first as u64, (rest[rest.len() / 2] as u64) << 8 | *last as u64)
    } else {
        mix(state, 0)
    }
}

/// Both halves of a product; the numbers are the fractions of pi and of the golden ratio.
const fn mix(left: u64, right: u64) -> u64 {
    let product = (left ^ 0x243f_6a88_85a3_08d3) as u128 * (right ^ 0x9e37_79b9_7f4a_7c15) as u128;
    product as u64 ^ (product >> 64) as u64
}

/// Whether the octets are the same. Names and values are short: a call of `memcmp` would take
/// longer than this.
pub(super) const fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let (mut left_rest, mut right_rest) = (left, right);
    while let (Some((left_chunk, left_tail)), Some((right_chunk, right_tail))) =
        (left_rest.split_first_chunk::<8>(), right_rest.split_first_chunk::<8>())
    {
        if u64::from_le_bytes(*left_chunk) != u64::from_le_bytes(*right_chunk) {
            return false;
        }
        (left_rest, right_rest) = (left_tail, right_tail);
    }
    // The last eight once more, as far as they were compared: cheaper than the rest one by one.
    if let (Some(left_last), Some(right_last)) = (left.last_chunk::<8>(), right.last_chunk::<8>()) {
        return u64::from_le_bytes(*left_last) == u64::from_le_bytes(*right_last);
    }
    same_rest(left_rest, right_rest)
}

/// As [`same`], for slices of the same length below eight.
const fn same_rest(left: &[u8], right: &[u8]) -> bool {
    let mut position = 0;
    while position < left.len() {
        if left[position] != right[position] {
            return false;
        }
        position += 1;
    }
    true
}
