//! HTTP/2, as the conversations and the hostile bytes that every protocol has to bear name it.

use farcall_wire::http2::Snapshot;

use super::random::Random;

pub(crate) use farcall_wire::http2::{Config, Engine as End};

/// An end may leave the beginning of a frame in its input.
pub(crate) const TAKES_ALL: bool = false;
/// First windows of a stream to converse with, in octets.
pub(crate) const STREAM_WINDOWS: [u32; 4] = [100, 1_000, 65_535, 200_000];
/// Random conversations, how many calls must come to their end in them, and random cancels.
pub(crate) const CONVERSATIONS: u64 = 60;
pub(crate) const FINISHED: usize = 300;
pub(crate) const CANCELS: usize = 100_000;

/// An end whose windows stay as large as they begin.
pub(crate) fn still_windows() -> Config {
    let mut config = Config::default();
    config.limits.max_window = config.limits.connection_window;
    config
}

/// Nothing but the limits varies.
pub(crate) fn vary(_client: &mut Config, _server: &mut Config, _random: &mut Random) {}

/// What must be true of an engine at any time.
pub(crate) fn audit(engine: &End) {
    let now = engine.snapshot();
    let sum = now.receive_window + i64::from(now.receive_unannounced);
    assert_eq!(sum, i64::from(now.receive_size), "the connection's window leaks: {now:?}");
    let (mut held, mut grown) = (0, 0);
    for stream in engine.stream_snapshots() {
        let sum = stream.receive_window
            + i64::from(stream.receive_unannounced)
            + i64::from(stream.receive_held);
        assert_eq!(sum, i64::from(stream.receive_size), "a stream's window leaks: {stream:?}");
        held += u64::from(stream.receive_held);
        grown += stream.receive_size - now.stream_receive_size;
    }
    assert_eq!((now.receive_held, now.receive_grown), (held, grown), "{now:?}");
}

/// What one end may send on the connection is never more than what the other end takes.
pub(crate) fn audit_both(client: &Snapshot, server: &Snapshot) {
    assert!(client.send_window <= server.receive_window, "{client:?} {server:?}");
    assert!(server.send_window <= client.receive_window, "{client:?} {server:?}");
}

/// Nothing is on its way: `here` may send as much as `there` ever takes.
pub(crate) fn assert_full(here: &Snapshot, there: &Snapshot) {
    let full = i64::from(there.receive_size) - i64::from(there.receive_unannounced);
    assert_eq!(here.send_window, full, "the window does not come back");
}
