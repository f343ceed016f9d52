//! Messages in DEFLATE (RFC 7692): what was agreed, and the two machines that do it. Off unless both
//! ends ask for it, and never larger than the limits say.

use bytes::{BufMut, BytesMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::CloseCode;
use super::error::Fault;

/// What every flushed piece of DEFLATE ends with; it is left out on the wire (RFC 7692 section
/// 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Octets that come out of a machine at once.
const STEP: usize = 4096;

/// How this end would like to compress. To be given to the handshake, which makes a [`Deflate`] of
/// it when the peer agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateOptions {
    /// Effort, 0 (none) to 9 (most).
    pub level: u8,
    /// Messages shorter than this many octets are sent as they are.
    pub min_length: usize,
    /// Our messages do without what came before: less memory between them, less compression.
    pub local_no_context_takeover: bool,
    /// The same of the peer's messages.
    pub remote_no_context_takeover: bool,
}

impl Default for DeflateOptions {
    fn default() -> Self {
        Self {
            level: 1,
            min_length: 128,
            local_no_context_takeover: true,
            remote_no_context_takeover: true,
        }
    }
}

/// Compression as both ends agreed on it: what the handshake hands to
/// [`Config`](super::Config).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// Effort, 0 (none) to 9 (most).
    pub level: u8,
    /// Messages shorter than this many octets are sent as they are.
    pub min_length: usize,
    /// Each of our messages begins with an empty window.
    pub local_no_context_takeover: bool,
    /// Each of the peer's messages begins with an empty window.
    pub remote_no_context_takeover: bool,
    /// Our window is two to this power, 9 to 15.
    pub local_window_bits: u8,
}

/// Makes our messages small.
#[derive(Debug)]
pub(super) struct Deflater {
    /// About 300 KiB: there only from the first message on, and not between messages that have
    /// nothing to do with each other when the connection is quiet.
    machine: Option<Compress>,
    agreed: Deflate,
}

impl Deflater {
    pub(super) fn new(agreed: Deflate) -> Self {
        Self { machine: None, agreed }
    }

    /// Whether a message of this length is to be compressed.
    pub(super) fn wants(&self, length: usize) -> bool {
        length >= self.agreed.min_length.max(1)
    }

    /// A whole message, compressed.
    pub(super) fn deflate(&mut self, message: &[u8], out: &mut BytesMut) {
        let agreed = self.agreed;
        let machine = self.machine.get_or_insert_with(|| {
            let level = Compression::new(agreed.level.min(9).into());
            Compress::new_with_window_bits(level, false, agreed.local_window_bits.clamp(9, 15))
        });
        let mut rest = message;
        let mut step = [0; STEP];
        loop {
            let (consumed, produced) = (machine.total_in(), machine.total_out());
            // The only error is an impossible state: raw streams with no dictionary have none.
            let _ = machine.compress(rest, &mut step, FlushCompress::Sync);
            let consumed = (machine.total_in() - consumed) as usize;
            let produced = (machine.total_out() - produced) as usize;
            out.put_slice(&step[..produced]);
            rest = &rest[consumed..];
            if rest.is_empty() && produced < STEP || consumed == 0 && produced == 0 {
                break;
            }
        }
        if out.ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        if agreed.local_no_context_takeover {
            machine.reset();
        }
    }

    /// Gives memory back, if the next message does not need it.
    pub(super) fn shrink(&mut self) {
        if self.agreed.local_no_context_takeover {
            self.machine = None;
        }
    }
}

/// Makes the peer's messages whole.
#[derive(Debug)]
pub(super) struct Inflater {
    /// About 40 KiB, there as long as the deflater's.
    machine: Option<Decompress>,
    no_context_takeover: bool,
    /// DEFLATE streams that ended within the message, and how many may.
    ends: u32,
    /// Nothing came since the last one ended.
    at_end: bool,
    max_ends: u32,
}

impl Inflater {
    pub(super) fn new(agreed: Deflate, max_ends: u32) -> Self {
        Self {
            machine: None,
            no_context_takeover: agreed.remote_no_context_takeover,
            ends: 0,
            at_end: false,
            max_ends,
        }
    }

    /// The next piece of a message, appended to `out`, which must not grow above `limit` octets.
    pub(super) fn inflate(
        &mut self,
        piece: &[u8],
        out: &mut BytesMut,
        limit: usize,
    ) -> Result<(), Fault> {
        let mut rest = piece;
        let mut step = [0; STEP];
        while !rest.is_empty() || !self.at_end {
            self.at_end = false;
            let machine = self.machine.get_or_insert_with(|| Decompress::new(false));
            let (consumed, produced) = (machine.total_in(), machine.total_out());
            let status =
                machine.decompress(rest, &mut step, FlushDecompress::Sync).map_err(|_| {
                    Fault::new(CloseCode::INVALID_DATA, "compressed data that is not DEFLATE")
                })?;
            let consumed = (machine.total_in() - consumed) as usize;
            let produced = (machine.total_out() - produced) as usize;
            if out.len() + produced > limit {
                return Err(Fault::new(
                    CloseCode::TOO_BIG,
                    format!("a message that decompresses to more than {limit} octets"),
                ));
            }
            out.put_slice(&step[..produced]);
            rest = &rest[consumed..];
            match status {
                Status::StreamEnd => self.begin_anew()?,
                _ if rest.is_empty() && produced < STEP => break,
                _ if consumed == 0 && produced == 0 => {
                    return Err(Fault::new(CloseCode::INVALID_DATA, "DEFLATE that does not go on"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The end of a message: what was left out on the wire. Behind a final block nothing was.
    pub(super) fn finish(&mut self, out: &mut BytesMut, limit: usize) -> Result<(), Fault> {
        if !self.at_end {
            self.inflate(&TAIL, out, limit)?;
        }
        self.at_end = false;
        self.ends = 0;
        if self.no_context_takeover {
            self.reset();
        }
        Ok(())
    }

    /// A block said that it is the last one; another stream may follow (RFC 7692 section 7.2.3.4).
    fn begin_anew(&mut self) -> Result<(), Fault> {
        self.ends += 1;
        if self.ends > self.max_ends {
            return Err(Fault::new(CloseCode::POLICY, "too many final blocks in one message"));
        }
        self.reset();
        self.at_end = true;
        Ok(())
    }

    fn reset(&mut self) {
        if let Some(machine) = &mut self.machine {
            machine.reset(false);
        }
    }

    /// Gives memory back, if the next message does not need it. Not within a message.
    pub(super) fn shrink(&mut self) {
        if self.no_context_takeover {
            self.machine = None;
        }
    }
}
