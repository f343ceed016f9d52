//! What a WebSocket engine tells its driver.

use bytes::Bytes;

use super::{CloseCode, Error};

/// What happened on a WebSocket. Events come in the order in which the peer caused them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A text message: valid UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A Ping came; the engine answers it by itself.
    Ping(Bytes),
    /// A Pong came, asked for or not.
    Pong(Bytes),
    /// There was no room to send, and now there is.
    Writable,
    /// The peer began or answered the closing handshake: no more messages come. Until the next
    /// [`fill`](super::Engine::fill) the application may still send.
    Close {
        /// What the peer gave as its reason; `None` if nothing.
        code: Option<CloseCode>,
        /// The same in words; at most 123 octets.
        reason: String,
    },
    /// The WebSocket is over. The last event.
    Closed {
        /// What went wrong; `None` after the closing handshake.
        error: Option<Error>,
    },
}
