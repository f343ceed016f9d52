//! Bytes that were read and not asked for yet.
//!
//! The buffer reads nothing itself; [`super::blocking`] and [`super::asynchronous`] fill it.

use crate::limits::{LINE_BYTES, READ_BUFFER_BYTES};

/// ```text
/// bytes: | taken | unread: start..end | room |
/// ```
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Unread bytes that are known to hold no end of a line.
    searched: usize,
    line_limit: usize,
    /// Whether the last read filled the room, so that a larger one would save calls.
    was_full: bool,
}

/// Where the next line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Its length, with the end.
    Whole(usize),
    /// More bytes are needed.
    Partial,
    TooLong,
}

impl Buffer {
    pub(super) fn new() -> Self {
        let line_limit = LINE_BYTES;
        Self { bytes: Vec::new(), start: 0, end: 0, searched: 0, line_limit, was_full: false }
    }

    pub(super) fn set_line_limit(&mut self, bytes: usize) {
        self.line_limit = bytes;
    }

    pub(super) fn line_limit(&self) -> usize {
        self.line_limit
    }

    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Where the next read goes; never empty. Starts small, because most connections are idle most of the time, and
    /// doubles when a read has filled it.
    pub(super) fn room(&mut self) -> &mut [u8] {
        let (least, most) = READ_BUFFER_BYTES;
        if self.start > 0 && self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let grow = self.was_full && self.bytes.len() < most;
        if self.end == self.bytes.len() || grow {
            let longer = (self.bytes.len() * 2).max(least);
            self.bytes.resize(longer, 0);
        } else if self.end == 0 && self.bytes.len() > most {
            self.bytes.truncate(most);
            self.bytes.shrink_to_fit();
        }
        &mut self.bytes[self.end..]
    }

    /// Says that so many bytes of the room were filled.
    pub(super) fn filled(&mut self, bytes: usize) {
        self.end = (self.end + bytes).min(self.bytes.len());
        self.was_full = self.end == self.bytes.len();
    }

    /// Whether reads as large as this gain nothing from going through the buffer.
    pub(super) fn is_large(bytes: usize) -> bool {
        bytes >= READ_BUFFER_BYTES.1
    }

    /// Moves unread bytes out, as many as there are and fit.
    pub(super) fn take_into(&mut self, to: &mut [u8]) -> usize {
        let count = to.len().min(self.end - self.start);
        to[..count].copy_from_slice(&self.unread()[..count]);
        self.consume(count);
        count
    }

    /// Moves unread bytes out as a piece of their own.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        let count = count.min(self.end - self.start);
        let taken = self.unread()[..count].to_vec();
        self.consume(count);
        taken
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        self.searched = 0;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Looks for the end of the next line; each byte is looked at once.
    pub(super) fn line(&mut self) -> Line {
        let unread = &self.bytes[self.start..self.end];
        let found = unread[self.searched..].iter().position(|&byte| byte == b'\n');
        let length = found.map(|at| self.searched + at + 1);
        self.searched = unread.len();
        match length {
            Some(length) if length <= self.line_limit => Line::Whole(length),
            None if self.searched < self.line_limit => Line::Partial,
            _ => {
                self.searched = 0;
                Line::TooLong
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(buffer: &mut Buffer, bytes: &[u8]) {
        for &byte in bytes {
            buffer.room()[0] = byte;
            buffer.filled(1);
        }
    }

    #[test]
    fn lines_and_counts_come_out_in_order_and_whole() {
        let mut buffer = Buffer::new();
        put(&mut buffer, b"one\n12345two");
        assert_eq!(buffer.line(), Line::Whole(4));
        assert_eq!(buffer.take(4), b"one\n");
        let mut five = [0; 5];
        assert_eq!(buffer.take_into(&mut five), 5);
        assert_eq!(&five, b"12345");
        assert_eq!(buffer.line(), Line::Partial);
        put(&mut buffer, b"\n");
        assert_eq!(buffer.line(), Line::Whole(4));
        assert_eq!(buffer.unread(), b"two\n");
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_allowed_and_one_byte_more_is_not() {
        let mut buffer = Buffer::new();
        buffer.set_line_limit(4);
        put(&mut buffer, b"abc");
        assert_eq!(buffer.line(), Line::Partial);
        put(&mut buffer, b"\n");
        assert_eq!(buffer.line(), Line::Whole(4));
        buffer.take(4);
        put(&mut buffer, b"abcd");
        assert_eq!(buffer.line(), Line::TooLong);
        put(&mut buffer, b"\n");
        assert_eq!(buffer.line(), Line::TooLong);
        assert_eq!(buffer.unread(), b"abcd\n");
    }

    #[test]
    fn the_room_starts_small_doubles_and_shrinks_again() {
        let (least, most) = READ_BUFFER_BYTES;
        let mut buffer = Buffer::new();
        assert_eq!(buffer.room().len(), least);
        while buffer.bytes.len() < most * 4 {
            let room = buffer.room().len();
            buffer.filled(room);
        }
        buffer.consume(most * 4);
        assert_eq!(buffer.room().len(), most);
    }
}
