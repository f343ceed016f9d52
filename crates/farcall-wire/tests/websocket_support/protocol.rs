//! Calls over a WebSocket, as the conversations and the hostile bytes that every protocol has to
//! bear name them.

use farcall_wire::websocket::{Deflate, Snapshot};

use super::random::Random;

pub(crate) use farcall_wire::websocket::{Session as End, SessionConfig as Config};

/// An end keeps the beginning of a frame itself.
pub(crate) const TAKES_ALL: bool = true;
/// First windows of a stream to converse with, in octets.
pub(crate) const STREAM_WINDOWS: [u32; 4] = [100, 65_536, 100_000, 200_000];
/// Random conversations, how many calls must come to their end in them, and random cancels.
pub(crate) const CONVERSATIONS: u64 = 32;
pub(crate) const FINISHED: usize = 150;
pub(crate) const CANCELS: usize = 6_000;

/// An end whose windows stay as large as they begin.
pub(crate) fn still_windows() -> Config {
    let mut config = Config::default();
    config.limits.max_window = 0;
    config
}

/// Some pairs compress.
pub(crate) fn vary(client: &mut Config, server: &mut Config, random: &mut Random) {
    if random.once_in(4) {
        let deflate = Deflate {
            level: 1,
            min_length: 100,
            local_no_context_takeover: false,
            remote_no_context_takeover: false,
            local_window_bits: 15,
        };
        client.websocket.deflate = Some(deflate);
        server.websocket.deflate = Some(deflate);
    }
}

/// What must be true of a session at any time.
pub(crate) fn audit(session: &End) {
    let now = session.snapshot();
    let (mut held, mut grown) = (0, 0);
    for stream in session.stream_snapshots() {
        let sum = stream.receive_window + stream.receive_unannounced + stream.receive_held;
        assert_eq!(sum, stream.receive_size, "a stream's window leaks: {stream:?}");
        held += u64::from(stream.receive_held);
        grown += stream.receive_size - now.stream_receive_size;
    }
    assert_eq!((now.receive_held, now.receive_grown), (held, grown), "{now:?}");
}

/// Only streams have windows.
pub(crate) fn audit_both(_client: &Snapshot, _server: &Snapshot) {}

/// Only streams have windows.
pub(crate) fn assert_full(_here: &Snapshot, _there: &Snapshot) {}
