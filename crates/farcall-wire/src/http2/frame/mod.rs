//! The frames of RFC 9113 section 6, one file each.
//!
//! `parse` checks what can be judged from the frame alone: its size, its padding, its stream
//! number's being zero or not. `emit` writes a frame whole. No frame knows about streams' states,
//! windows or limits.

mod continuation;
mod data;
mod error;
mod goaway;
mod head;
mod headers;
mod padding;
mod ping;
mod priority;
mod push_promise;
mod rst_stream;
mod settings;
mod window_update;

pub use continuation::Continuation;
pub use data::Data;
pub use error::{FrameError, Scope};
pub use goaway::GoAway;
pub use head::{FrameHead, FrameKind, flag};
pub use headers::Headers;
pub use ping::Ping;
pub use priority::{Priority, PriorityFrame};
pub use push_promise::PushPromise;
pub use rst_stream::RstStream;
pub use settings::{Setting, SettingId, Settings};
pub use window_update::WindowUpdate;

/// Octets that a client sends before its first frame (RFC 9113 section 3.4).
pub const CLIENT_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Largest payload before SETTINGS say otherwise, in octets (RFC 9113 section 6.5.2).
pub const DEFAULT_MAX_FRAME_SIZE: u32 = 16_384;

/// Every window before SETTINGS and `WINDOW_UPDATE`, in octets (RFC 9113 section 6.9.2).
pub const DEFAULT_WINDOW: u32 = 65_535;

/// Largest window, in octets (RFC 9113 section 6.9.1).
pub const MAX_WINDOW: u32 = 0x7fff_ffff;

/// Largest stream number (RFC 9113 section 5.1.1).
pub const MAX_STREAM_ID: u32 = 0x7fff_ffff;

/// The four octets at `at`; zero where there are none.
fn read_u32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}
