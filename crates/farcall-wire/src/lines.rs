//! Request lines that came before: calls on one connection repeat the same few, so that their bytes
//! can be shared, and whoever looks a path up can remember the answer.
//!
//! Nothing here is judged, and how many lines are kept does not depend on the peer.

use std::num::NonZeroU64;

use bytes::Bytes;

use crate::event::RequestLine;

/// Lines that are kept. A longer line than `MAX_LINE` is not.
const LINES: usize = 4;
const MAX_LINE: usize = 256;

/// The latest request lines, each as its concatenated parts.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    places: [(Bytes, Option<NonZeroU64>); LINES],
    /// Different lines so far.
    count: u64,
    scratch: Vec<u8>,
}

impl Lines {
    /// The parts of `line` one behind the other, shared if they were seen lately, and a number that
    /// only lines of the same octets have.
    pub(crate) fn intern(&mut self, line: &RequestLine<'_>) -> (Bytes, Option<NonZeroU64>) {
        self.scratch.clear();
        line.concat(&mut self.scratch);
        // Lines of equal length share a place; most connections have few different ones in use.
        let place = &mut self.places[self.scratch.len() % LINES];
        if place.0 != self.scratch || place.1.is_none() {
            let bytes = Bytes::copy_from_slice(&self.scratch);
            if bytes.len() > MAX_LINE {
                self.scratch = Vec::new();
                return (bytes, None);
            }
            self.count += 1;
            *place = (bytes, NonZeroU64::new(self.count));
        }
        place.clone()
    }

    /// Gives all memory back; numbers are not used again.
    pub(crate) fn shrink(&mut self) {
        *self = Self { count: self.count, ..Self::default() };
    }
}
