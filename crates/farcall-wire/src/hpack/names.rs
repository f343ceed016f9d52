//! The names an encoder knows: where they are in the static table, and how their values are
//! indexed.

use super::lookup::{hash, same};
use super::static_table;

/// What an encoder does with a field that is in no table (RFC 7541 section 7.1 leaves this to it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// A credential: never in a table, here or at any hop (section 7.1.3).
    Secret,
    /// Secret when it is short enough to be guessed octet by octet, otherwise worth an entry.
    Cookie,
    /// Another value nearly each time: its name may become an entry, its values may not.
    Churn,
    /// Few values or many, depending on the peer: an entry when the same field comes again.
    SecondSight,
    /// Mostly the same value: an entry at once.
    Always,
}

/// Policies other than [`Policy::Always`] for names of the static table, and
/// [`Policy::SecondSight`] for others.
const POLICIES: [(&str, Policy); 26] = [
    ("authorization", Policy::Secret),
    ("proxy-authorization", Policy::Secret),
    ("cookie", Policy::Cookie),
    (":path", Policy::SecondSight),
    ("age", Policy::Churn),
    ("content-length", Policy::Churn),
    ("content-range", Policy::Churn),
    ("etag", Policy::Churn),
    ("if-match", Policy::Churn),
    ("if-modified-since", Policy::Churn),
    ("if-none-match", Policy::Churn),
    ("if-range", Policy::Churn),
    ("if-unmodified-since", Policy::Churn),
    ("location", Policy::Churn),
    ("range", Policy::Churn),
    ("set-cookie", Policy::Churn),
    ("connect-timeout-ms", Policy::Churn),
    ("grpc-message", Policy::Churn),
    ("grpc-status-details-bin", Policy::Churn),
    ("grpc-tags-bin", Policy::Churn),
    ("grpc-timeout", Policy::Churn),
    ("grpc-trace-bin", Policy::Churn),
    ("sec-websocket-key", Policy::Churn),
    ("traceparent", Policy::Churn),
    ("tracestate", Policy::Churn),
    ("x-request-id", Policy::Churn),
];

/// A name and what is known of it.
#[derive(Clone, Copy)]
pub(super) struct Known {
    name: &'static [u8],
    pub(super) policy: Policy,
    /// Index of the name's first static entry; 0 if it has none.
    pub(super) first_index: usize,
    /// The number of its static entries, which follow each other.
    entries: usize,
}

impl Known {
    /// Index of the static entry with this name and `value`.
    pub(super) fn index_of(&self, value: &[u8]) -> Option<usize> {
        let indexes = self.first_index..self.first_index + self.entries;
        indexes.into_iter().find(|index| static_table::ENTRIES[index - 1].value() == value)
    }
}

/// What is known of `name`, whose [`hash`] with seed 0 is `name_hash`; without an entry here,
/// nothing is.
pub(super) fn find(name: &[u8], name_hash: u64) -> &'static Known {
    let mut slot = name_hash as usize % SLOTS;
    loop {
        match &KNOWN[slot] {
            Some(known) if same(known.name, name) => return known,
            Some(_) => slot = (slot + 1) % SLOTS,
            None => return &UNKNOWN,
        }
    }
}

static UNKNOWN: Known =
    Known { name: b"", policy: Policy::SecondSight, first_index: 0, entries: 0 };

/// A power of two, and more than twice the number of names, so that searches are short.
const SLOTS: usize = 256;

/// All names by their hash; a name whose slot is taken is in the next free one.
static KNOWN: [Option<Known>; SLOTS] = {
    let mut slots = [None; SLOTS];
    let mut position = 0;
    while position < static_table::LEN {
        let name = static_table::TABLE[position].name();
        let mut entries = 1;
        while position + entries < static_table::LEN
            && same(static_table::TABLE[position + entries].name(), name)
        {
            entries += 1;
        }
        let policy = policy(name, Policy::Always);
        place(&mut slots, Known { name, policy, first_index: position + 1, entries });
        position += entries;
    }
    let mut row = 0;
    while row < POLICIES.len() {
        let name = POLICIES[row].0.as_bytes();
        place(&mut slots, Known { name, policy: POLICIES[row].1, first_index: 0, entries: 0 });
        row += 1;
    }
    slots
};

/// Puts `known` into its slot, unless its name is there.
const fn place(slots: &mut [Option<Known>; SLOTS], known: Known) {
    let mut slot = hash(0, known.name) as usize % SLOTS;
    while let Some(other) = &slots[slot] {
        if same(other.name, known.name) {
            return;
        }
        slot = (slot + 1) % SLOTS;
    }
    slots[slot] = Some(known);
}

const fn policy(name: &[u8], default: Policy) -> Policy {
    let mut row = 0;
    while row < POLICIES.len() {
        if same(POLICIES[row].0.as_bytes(), name) {
            return POLICIES[row].1;
        }
        row += 1;
    }
    default
}
