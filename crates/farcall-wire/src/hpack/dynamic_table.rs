//! The dynamic table (RFC 7541 sections 2.3.2 and 4): a queue of entries with a limit in octets.
//!
//! Names and values are slices of one buffer, in order of insertion. The buffer's begin is cut off
//! when it holds only evicted entries and room is short, so that an entry is moved once on average
//! and never split.

use std::collections::VecDeque;

use crate::fields::FIELD_OVERHEAD;

/// The table, with a `mark` of its owner on each entry.
#[derive(Debug)]
pub(super) struct DynamicTable<M> {
    bytes: Vec<u8>,
    /// Octets that were cut off the begin of `bytes` so far.
    cut: u64,
    /// Oldest first.
    entries: VecDeque<Slot<M>>,
    size: usize,
    max_size: usize,
    inserted: u64,
}

#[derive(Debug)]
struct Slot<M> {
    /// Octets ever written before this entry.
    start: u64,
    name_len: u32,
    value_len: u32,
    mark: M,
}

impl<M> Slot<M> {
    fn size(&self) -> usize {
        self.name_len as usize + self.value_len as usize + FIELD_OVERHEAD
    }
}

/// One entry of the table.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a, M> {
    /// Name and value without a gap.
    pub(super) joined: &'a [u8],
    pub(super) name_len: usize,
    pub(super) mark: M,
    /// The entry's number in order of insertion, from 1 on; never used again.
    pub(super) id: u64,
}

impl<'a, M> Entry<'a, M> {
    pub(super) fn name(&self) -> &'a [u8] {
        &self.joined[..self.name_len]
    }

    pub(super) fn value(&self) -> &'a [u8] {
        &self.joined[self.name_len..]
    }
}

impl<M: Copy> DynamicTable<M> {
    pub(super) fn new(max_size: usize) -> Self {
        Self { bytes: Vec::new(), cut: 0, entries: VecDeque::new(), size: 0, max_size, inserted: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The limit in force, in octets by the measure of RFC 7541 section 4.1.
    pub(super) fn max_size(&self) -> usize {
        self.max_size
    }

    /// Sets the limit and evicts what is above it.
    pub(super) fn set_max_size(&mut self, max_size: usize) {
        self.max_size = max_size;
        self.evict(max_size);
    }

    /// The number of the newest entry ever inserted; 0 before the first.
    pub(super) fn newest_id(&self) -> u64 {
        self.inserted
    }

    /// The entry that is `age` entries older than the newest.
    pub(super) fn get(&self, age: usize) -> Option<Entry<'_, M>> {
        let position = self.entries.len().checked_sub(age + 1)?;
        let slot = self.entries.get(position)?;
        let start = (slot.start - self.cut) as usize;
        let name_len = slot.name_len as usize;
        let joined = &self.bytes[start..start + name_len + slot.value_len as usize];
        Some(Entry { joined, name_len, mark: slot.mark, id: self.inserted - age as u64 })
    }

    /// Inserts an entry and returns its number. An entry larger than the table only empties it
    /// (section 4.4).
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8], mark: M) -> Option<u64> {
        let len = name.len() + value.len();
        let size = len + FIELD_OVERHEAD;
        let Some(room) = self.max_size.checked_sub(size) else {
            self.evict(0);
            return None;
        };
        self.evict(room);
        self.cut_evicted(len);
        let start = self.cut + self.bytes.len() as u64;
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        self.entries.push_back(Slot {
            start,
            name_len: name.len() as u32,
            value_len: value.len() as u32,
            mark,
        });
        self.size += size;
        self.inserted += 1;
        Some(self.inserted)
    }

    /// Evicts the oldest entries until at most `size` octets are left.
    fn evict(&mut self, size: usize) {
        while self.size > size {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.size -= oldest.size();
        }
    }

    /// Before `len` octets are appended: if they need a new allocation, makes room where evicted
    /// entries were, provided that these are at least half of the buffer.
    fn cut_evicted(&mut self, len: usize) {
        if self.bytes.len() + len <= self.bytes.capacity() {
            return;
        }
        let first = self
            .entries
            .front()
            .map_or(self.bytes.len(), |oldest| (oldest.start - self.cut) as usize);
        if first * 2 >= self.bytes.len() {
            self.bytes.drain(..first);
            self.cut += first as u64;
        }
    }
}
