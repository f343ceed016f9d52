//! The streams of a connection by number. What a stream is, is its protocol's business.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Spreads stream numbers over the table. The peer picks the numbers, but only as many as its slots
/// allow.
#[derive(Clone, Copy, Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(self.0 as u32 ^ u32::from(byte));
        }
    }

    fn write_u32(&mut self, id: u32) {
        // Fibonacci hashing: the table takes its slot from the low bits and its tag from the high
        // ones.
        self.0 = (u64::from(id) >> 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Tables up to this many entries are kept when they are empty.
const KEPT: usize = 8;

/// The map.
#[derive(Debug)]
pub(crate) struct Streams<S> {
    map: HashMap<u32, S, BuildHasherDefault<IdHasher>>,
}

impl<S> Default for Streams<S> {
    fn default() -> Self {
        Self { map: HashMap::default() }
    }
}

impl<S> Streams<S> {
    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub(crate) fn get(&self, id: u32) -> Option<&S> {
        self.map.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut S> {
        self.map.get_mut(&id)
    }

    pub(crate) fn insert(&mut self, id: u32, stream: S) {
        self.map.insert(id, stream);
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<S> {
        self.map.remove(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &S)> {
        self.map.iter().map(|(id, stream)| (*id, stream))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut S)> {
        self.map.iter_mut().map(|(id, stream)| (*id, stream))
    }

    /// The numbers of all streams, in order.
    pub(crate) fn ids(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.map.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Gives memory back when there are far fewer streams than there were.
    pub(crate) fn shrink(&mut self) {
        if self.map.is_empty() && self.map.capacity() > KEPT {
            self.map = HashMap::default();
        }
    }
}
