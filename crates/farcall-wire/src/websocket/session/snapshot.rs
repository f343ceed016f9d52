//! A look into a session, for consoles and tests.

use super::Session;
use crate::event::StreamId;

/// Numbers of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Streams that the protocol or the application still holds.
    pub streams: usize,
    /// Octets queued on all streams, waiting for windows or for output.
    pub queued: usize,
    /// Octets of output that the driver has not taken.
    pub unsent: usize,
    /// Octets received on all streams that the application has not released.
    pub receive_held: u64,
    /// The size that a stream's window begins with.
    pub stream_receive_size: u32,
    /// Octets by which all streams' windows together are larger than that.
    pub receive_grown: u32,
}

/// Numbers of one moment and one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamSnapshot {
    /// Which stream.
    pub stream: StreamId,
    /// What the peer lets us send on it, in octets.
    pub send_window: u32,
    /// What we let the peer send on it, in octets.
    pub receive_window: u32,
    /// Octets released that the peer has not been told of.
    pub receive_unannounced: u32,
    /// Octets received that the application has not released.
    pub receive_held: u32,
    /// The size of its window: the sum of the three before, always.
    pub receive_size: u32,
}

impl Session {
    /// Numbers of this moment.
    pub fn snapshot(&self) -> Snapshot {
        let held = self.streams.iter().map(|(_, stream)| u64::from(stream.window.held));
        Snapshot {
            streams: self.streams.len(),
            queued: self.queued,
            unsent: self.socket.unsent(),
            receive_held: held.sum(),
            stream_receive_size: self.windows.start,
            receive_grown: self.windows.grown,
        }
    }

    /// Numbers of this moment of each stream that the protocol or the application still holds, in no
    /// order.
    pub fn stream_snapshots(&self) -> impl Iterator<Item = StreamSnapshot> {
        self.streams.iter().map(|(id, stream)| StreamSnapshot {
            stream: StreamId(id),
            send_window: stream.send_window,
            receive_window: self.windows.window_of(&stream.window),
            receive_unannounced: stream.window.unannounced,
            receive_held: stream.window.held,
            receive_size: self.windows.size_of(&stream.window),
        })
    }
}
