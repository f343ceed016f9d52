//! The bytes on their way to the peer, in one buffer, and what of them was taken already.

use bytes::BytesMut;

/// Buffers up to this many octets are kept when idle.
const KEPT: usize = 512;

/// The output. Only the driver removes from it, and only from its front.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) buffer: BytesMut,
    /// The buffer's length when it was last handed to the driver.
    handed: Option<usize>,
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

    /// Notes whether the driver has taken anything. To be called before anything is appended.
    pub(super) fn settle(&mut self) {
        if let Some(handed) = self.handed.take() {
            self.progressed |= self.buffer.len() < handed;
        }
    }

    /// Whether anything was taken since the last call.
    pub(super) fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progressed)
    }

    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Gives memory back when everything was written.
    pub(super) fn shrink(&mut self) {
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT {
            self.buffer = BytesMut::new();
        }
    }
}
