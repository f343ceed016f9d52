//! A warning when the accept queue of a listener overflows: its clients hear nothing and only try again after a second.

use std::io::{self, Write as _};
use std::time::Duration;

use farcall::Listener;
use farcall::socket::Queue;

/// How often the queue is looked at. Its counter of drops loses nothing in between.
const INTERVAL: Duration = Duration::from_millis(500);

/// Warns on standard error, from a task of its own, whenever more was dropped. Only TCP's queues tell.
///
/// # Errors
/// There is no descriptor left to watch with.
pub(crate) fn watch(listener: &Listener) -> io::Result<()> {
    let Some(descriptor) = listener.descriptor() else { return Ok(()) };
    let descriptor = descriptor.try_clone_to_owned()?;
    let endpoint = listener.endpoint().clone();
    tokio::spawn(async move {
        let mut seen = 0;
        while let Ok(queue) = Queue::of(&descriptor) {
            if queue.dropped > seen {
                seen = queue.dropped;
                let _ = writeln!(
                    io::stderr(),
                    "the accept queue of {endpoint} overflowed: {queue}; accept faster or give it a larger --backlog"
                );
            }
            tokio::time::sleep(INTERVAL).await;
        }
    });
    Ok(())
}
