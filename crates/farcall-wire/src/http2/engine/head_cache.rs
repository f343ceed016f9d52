//! Request lines that came before: calls on one connection repeat the same few, so that their bytes
//! can be shared.

use bytes::Bytes;

use crate::event::RequestLine;

/// Lines that are kept. A longer line than `MAX_LINE` is not.
const LINES: usize = 4;
const MAX_LINE: usize = 256;

/// The latest request lines, each as its concatenated parts.
#[derive(Debug, Default)]
pub(super) struct HeadCache {
    lines: [Bytes; LINES],
    scratch: Vec<u8>,
}

impl HeadCache {
    /// The parts of `line` one behind the other, shared if they were seen lately.
    pub(super) fn intern(&mut self, line: &RequestLine<'_>) -> Bytes {
        self.scratch.clear();
        line.concat(&mut self.scratch);
        // Paths of equal length share a place; most services have few methods in use at a time.
        let place = &mut self.lines[self.scratch.len() % LINES];
        if *place != self.scratch {
            let bytes = Bytes::copy_from_slice(&self.scratch);
            if bytes.len() > MAX_LINE {
                self.scratch = Vec::new();
                return bytes;
            }
            *place = bytes;
        }
        place.clone()
    }

    /// Gives all memory back.
    pub(super) fn shrink(&mut self) {
        *self = Self::default();
    }
}
