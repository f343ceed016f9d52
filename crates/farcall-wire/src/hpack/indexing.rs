//! Which literals an encoder puts into its table.

use super::lookup::Hashes;
use super::names::Policy;
use crate::fields::Field;

/// Cookies below this many octets are secrets that an attacker could guess through the table (RFC
/// 7541 section 7.1.3).
const SHORT_COOKIE: usize = 20;

/// Whether `field` must not be in a table.
pub(super) fn is_secret(field: &Field<'_>, policy: Policy) -> bool {
    match policy {
        _ if field.sensitive => true,
        Policy::Secret => true,
        Policy::Cookie => field.value.len() < SHORT_COOKIE,
        Policy::Churn | Policy::SecondSight | Policy::Always => false,
    }
}

/// Whether a field that is no secret becomes an entry; `name_is_indexed`: a table has its name
/// already.
pub(super) fn is_worth_entry(
    policy: Policy,
    name_is_indexed: bool,
    hashes: Hashes,
    seen: &mut SeenFields,
) -> bool {
    match policy {
        Policy::Secret => false,
        Policy::Cookie | Policy::Always => true,
        // An entry serves for its name from now on.
        Policy::Churn => !name_is_indexed,
        Policy::SecondSight => !name_is_indexed || seen.again(hashes.field),
    }
}

/// How many fields are remembered that were not worth an entry at first sight.
const SEEN_FIELDS: usize = 64;

/// The hashes of the last fields that were seen once.
#[derive(Debug)]
pub(super) struct SeenFields {
    hashes: [u32; SEEN_FIELDS],
    oldest: usize,
}

impl SeenFields {
    pub(super) fn new() -> Self {
        Self { hashes: [0; SEEN_FIELDS], oldest: 0 }
    }

    /// Whether the field was seen before; remembers it if not.
    fn again(&mut self, hash: u32) -> bool {
        if let Some(slot) = self.hashes.iter_mut().find(|seen| **seen == hash) {
            *slot = 0;
            return true;
        }
        self.hashes[self.oldest] = hash;
        self.oldest = (self.oldest + 1) % SEEN_FIELDS;
        false
    }
}
