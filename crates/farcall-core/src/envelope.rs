//! Messages in a row of bytes: each in an envelope, which is a flag, a length of four bytes and the message.
//!
//! ```text
//!   0        1                 5
//!   +--------+-----------------+---------------- - -
//!   | flag   | length (be u32) | message
//!   +--------+-----------------+---------------- - -
//! ```
//! Bit 0 of the flag says that the message is compressed. A protocol whose replies end within their body has one more
//! bit, which says that the envelope holds that end instead of a message.
//!
//! [`Decoder`] cuts a row of chunks, cut anywhere, into messages. It never allocates on the word of a length prefix.

use std::cmp::Ordering;
use std::mem;

use bytes::{Buf, BufMut, Bytes};

use crate::limits::{Limits, MAX_END};
use crate::status::{Result, Status};

/// Bytes of flag and length.
pub const PREFIX_LEN: usize = 5;

/// The flag of a message that is compressed.
pub const COMPRESSED: u8 = 1;

/// One message as it was in its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Whether the payload is compressed.
    pub compressed: bool,
    /// The message's bytes.
    pub payload: Bytes,
}

/// Writes flag and length.
pub fn put_prefix(out: &mut impl BufMut, flag: u8, len: u32) {
    out.put_u8(flag);
    out.put_u32(len);
}

/// Cuts chunks of bytes into envelopes.
///
/// A message that lies whole within a pushed chunk comes out as a slice of it. Everything else is gathered: what is kept
/// is at most twice what was received and not taken, and after [`settle`](Self::settle) no chunk is held.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The oldest bytes: the last chunk pushed, or what was gathered before.
    front: Bytes,
    /// Bytes of the allocation behind `front`; [`FOREIGN`] when it is a chunk, whose allocation may be any size.
    backing: usize,
    /// What was pushed behind `front` while that was not used up.
    tail: Vec<u8>,
    /// The bit of the flag that marks the end; none when messages are all there is.
    end: u8,
}

/// The size of an allocation that somebody else made.
const FOREIGN: usize = usize::MAX;

impl Decoder {
    /// A decoder that holds nothing; allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A decoder for replies that end with an envelope whose flag has the bits of `end`.
    pub fn with_end(end: u8) -> Self {
        Self { end, ..Self::default() }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, chunk: Bytes) {
        if chunk.is_empty() {
            return;
        }
        if self.is_empty() {
            self.front = chunk;
            self.backing = FOREIGN;
            return;
        }
        self.gather();
        self.tail.extend_from_slice(&chunk);
    }

    /// The next whole message, or none when more bytes are needed or what is left is the end of the replies.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` when the prefix announces more than the limit, at once and before anything is allocated;
    /// `INTERNAL` when the flag has bits without a meaning, when the end is larger than [`MAX_END`] or when anything
    /// follows it. The decoder stays where it is: the same call fails again.
    pub fn next(&mut self, limits: &Limits) -> Result<Option<Envelope>> {
        let Some(prefix) = self.prefix() else {
            return Ok(None);
        };
        let Prefix { compressed, is_end, len } = self.check_prefix(prefix, limits)?;
        let whole = PREFIX_LEN + len;
        if self.pending() < whole {
            self.expect(whole);
            return Ok(None);
        }
        if is_end {
            return if self.pending() > whole { Err(behind_the_end()) } else { Ok(None) };
        }
        if self.front.len() < whole {
            self.merge();
        }
        Ok(Some(Envelope { compressed, payload: self.take(whole) }))
    }

    /// Takes the end of the replies from behind the messages that are left; none when it is not there.
    ///
    /// # Errors
    /// As [`next`](Self::next), and `INTERNAL` when the end is not whole.
    pub fn take_end(&mut self, limits: &Limits) -> Result<Option<Envelope>> {
        if !self.tail.is_empty() {
            self.merge();
        }
        let mut rest = &self.front[..];
        while let Some((prefix, behind)) = rest.split_first_chunk() {
            let Prefix { compressed, is_end, len } = self.check_prefix(*prefix, limits)?;
            if is_end {
                return match behind.len().cmp(&len) {
                    Ordering::Less => Err(cut_end(behind.len(), len)),
                    Ordering::Greater => Err(behind_the_end()),
                    Ordering::Equal => {
                        let start = self.front.len() - len;
                        let payload = self.front.split_off(start);
                        self.front.truncate(start - PREFIX_LEN);
                        Ok(Some(Envelope { compressed, payload }))
                    }
                };
            }
            let Some(behind) = behind.get(len..) else { break };
            rest = behind;
        }
        Ok(None)
    }

    /// Lets go of the chunk that was pushed last: what is left of it is copied, so that a few bytes do not keep a whole
    /// read buffer alive. For the end of a batch.
    pub fn settle(&mut self) {
        // What was copied once is copied again only when half of it is gone: each byte is copied twice at most.
        if self.front.is_empty() {
            self.front = Bytes::new();
        } else if self.front.len() < self.backing / 2 {
            self.backing = self.front.len();
            self.front = Bytes::copy_from_slice(&self.front);
        }
    }

    /// Whether no byte is left.
    pub fn is_empty(&self) -> bool {
        self.pending() == 0
    }

    /// Bytes received and not taken.
    pub fn pending(&self) -> usize {
        self.front.len() + self.tail.len()
    }

    /// What is announced for the message at the front: its whole length with the prefix, once that is known.
    pub fn announced(&self) -> Option<usize> {
        let [_, length @ ..] = self.prefix()?;
        Some(PREFIX_LEN + u32::from_be_bytes(length) as usize)
    }

    fn prefix(&self) -> Option<[u8; PREFIX_LEN]> {
        if let Some(prefix) = self.front.first_chunk() {
            return Some(*prefix);
        }
        let mut prefix = [0; PREFIX_LEN];
        let (head, rest) = prefix.split_at_mut(self.front.len());
        head.copy_from_slice(&self.front);
        rest.copy_from_slice(self.tail.get(..rest.len())?);
        Some(prefix)
    }

    /// Moves the part of a message at the front to the tail, so that the rest of it can be put behind without a gap.
    fn gather(&mut self) {
        let partial = self.announced().is_none_or(|whole| self.front.len() < whole);
        if self.tail.is_empty() && partial {
            self.tail.extend_from_slice(&mem::take(&mut self.front));
        }
    }

    /// Sizes the tail for a message that it will hold alone, when that is no more than doubling it.
    fn expect(&mut self, whole: usize) {
        let received = self.tail.len();
        if self.front.is_empty() && whole <= received.saturating_mul(2) {
            self.tail.reserve_exact(whole - received);
        }
    }

    /// Makes one piece of front and tail.
    fn merge(&mut self) {
        let tail = mem::take(&mut self.tail);
        let gathered = if self.front.is_empty() { tail } else { [&self.front[..], &tail].concat() };
        self.backing = gathered.capacity();
        self.front = gathered.into();
    }

    fn take(&mut self, whole: usize) -> Bytes {
        let mut message = if self.front.len() == whole {
            mem::take(&mut self.front)
        } else {
            self.front.split_to(whole)
        };
        message.advance(PREFIX_LEN);
        message
    }

    fn check_prefix(&self, prefix: [u8; PREFIX_LEN], limits: &Limits) -> Result<Prefix> {
        let [flag, length @ ..] = prefix;
        if flag & !(COMPRESSED | self.end) != 0 {
            return Err(bad_flag(flag, self.end));
        }
        let len = u32::from_be_bytes(length) as usize;
        let (compressed, is_end) = (flag & COMPRESSED != 0, flag & self.end != 0);
        match (is_end, limits.max_receive_message) {
            (false, max) if len > max => Err(Status::resource_exhausted(format!(
                "a message of {len} bytes is announced; the limit for receiving is {max}"
            ))),
            (true, _) if len > MAX_END => Err(Status::internal(format!(
                "the end of the replies is announced with {len} bytes; the limit is {MAX_END}"
            ))),
            _ => Ok(Prefix { compressed, is_end, len }),
        }
    }
}

/// What a prefix says.
struct Prefix {
    compressed: bool,
    is_end: bool,
    len: usize,
}

#[cold]
fn bad_flag(flag: u8, end: u8) -> Status {
    let more = if end == 0 { String::new() } else { format!(", or {end} at the end") };
    Status::internal(format!("a message's flag is {flag}; expected 0 or 1{more}"))
}

#[cold]
fn behind_the_end() -> Status {
    Status::internal("something follows the end of the replies")
}

#[cold]
fn cut_end(got: usize, len: usize) -> Status {
    Status::internal(format!(
        "the stream ended within the end of the replies, after {got} of its {len} bytes"
    ))
}
