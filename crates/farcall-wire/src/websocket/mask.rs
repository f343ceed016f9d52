//! Masking (RFC 6455 section 5.3): applied eight octets at a time, with keys that nobody can guess
//! from those before.

use std::hash::{DefaultHasher, Hasher};

/// A masking key as it is on the wire.
pub type MaskKey = [u8; 4];

/// Masks or unmasks `data`, which begins `offset` octets behind the begin of its frame's payload.
pub fn apply(data: &mut [u8], key: MaskKey, offset: usize) {
    let mut key = key;
    key.rotate_left(offset % 4);
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = data.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (octet, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *octet ^= key;
    }
}

/// A client's masking keys: a keyed hash of a counter. The hash has no way back, so that a server
/// which sees all keys so far cannot tell the next one.
#[derive(Debug)]
pub(super) struct MaskKeys {
    seed: u64,
    counter: u64,
    /// The second half of the last hash.
    spare: Option<MaskKey>,
}

impl MaskKeys {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, counter: 0, spare: None }
    }

    pub(super) fn next(&mut self) -> MaskKey {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        hasher.write_u64(self.counter);
        self.counter = self.counter.wrapping_add(1);
        let hash = hasher.finish();
        self.spare = Some(((hash >> 32) as u32).to_ne_bytes());
        (hash as u32).to_ne_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_from_each_other_and_by_seed() {
        let (mut one, mut other) = (MaskKeys::new(1), MaskKeys::new(2));
        let keys: Vec<MaskKey> = (0..100).map(|_| one.next()).collect();
        let others: Vec<MaskKey> = (0..100).map(|_| other.next()).collect();
        assert!(keys.iter().enumerate().all(|(at, key)| !keys[..at].contains(key)));
        assert!(keys.iter().all(|key| !others.contains(key)));
    }
}
