//! The bytes on their way to the peer, in one buffer, and how many of them were taken already.

use bytes::BytesMut;

/// Buffers up to this many octets are kept when idle.
const KEPT: usize = 512;

/// The output. Only the driver removes from it, and only from its front.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) buffer: BytesMut,
    /// The buffer's length when it was last handed to the driver.
    handed: Option<usize>,
    /// Octets that the driver has taken, in all.
    written: u64,
    /// Something was taken since this was last asked.
    progressed: bool,
}

impl Output {
    /// Hands the buffer to the driver.
    pub(super) fn hand(&mut self) -> &mut BytesMut {
        self.settle();
        self.handed = Some(self.buffer.len());
        &mut self.buffer
    }

    /// Notes what the driver has taken. To be called before anything is appended.
    pub(super) fn settle(&mut self) {
        let Some(handed) = self.handed.take() else { return };
        let taken = handed.saturating_sub(self.buffer.len());
        self.progressed |= taken > 0;
        self.written += taken as u64;
    }

    /// Whether anything was taken since the last call.
    pub(super) fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progressed)
    }

    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Octets that the driver has taken, counted from the connection's beginning.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Where the next octet will be, counted from the connection's beginning.
    pub(super) fn end(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Gives memory back when everything was written.
    pub(super) fn shrink(&mut self) {
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT {
            self.buffer = BytesMut::new();
        }
    }
}
