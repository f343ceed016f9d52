//! A look into an engine, for consoles and tests.

use super::Engine;

/// Numbers of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Streams that the protocol or the application still holds.
    pub streams: usize,
    /// Octets queued on all streams, waiting for windows or for output.
    pub queued: usize,
    /// What the peer lets us send on the connection, in octets.
    pub send_window: i64,
    /// What we let the peer send on the connection, in octets.
    pub receive_window: i64,
    /// Octets received that the application has not released, as far as they count against the window.
    pub receive_held: u64,
    /// Octets released that the peer has not been told of.
    pub receive_unannounced: u32,
    /// The size of the connection's window: the sum of the three before, always.
    pub receive_size: u32,
    /// The size of each stream's window.
    pub stream_receive_size: u32,
}

impl Engine {
    /// Numbers of this moment.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            streams: self.streams.len(),
            queued: self.queued,
            send_window: self.send_window,
            receive_window: self.windows.window,
            receive_held: self.windows.charged(),
            receive_unannounced: self.windows.unannounced,
            receive_size: self.windows.size,
            stream_receive_size: self.windows.stream_size,
        }
    }
}
