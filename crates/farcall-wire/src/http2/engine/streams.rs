//! The streams of a connection by number.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::stream::Stream;

/// Spreads stream numbers over the table. The peer picks the numbers, but only as many as its slots
/// allow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdHasher(u64);

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
#[derive(Debug, Default)]
pub(super) struct Streams {
    map: HashMap<u32, Stream, BuildHasherDefault<IdHasher>>,
}

impl Streams {
    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub(super) fn get(&self, id: u32) -> Option<&Stream> {
        self.map.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        self.map.get_mut(&id)
    }

    pub(super) fn insert(&mut self, id: u32, stream: Stream) {
        self.map.insert(id, stream);
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Stream> {
        self.map.remove(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Stream)> {
        self.map.iter().map(|(id, stream)| (*id, stream))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Stream)> {
        self.map.iter_mut().map(|(id, stream)| (*id, stream))
    }

    /// The numbers of all streams, in order.
    pub(super) fn ids(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.map.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Gives memory back when there are far fewer streams than there were.
    pub(super) fn shrink(&mut self) {
        if self.map.is_empty() && self.map.capacity() > KEPT {
            self.map = HashMap::default();
        }
    }
}
