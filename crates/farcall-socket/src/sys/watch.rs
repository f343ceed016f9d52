//! Descriptors that a tokio runtime watches.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::io::unix::AsyncFd;

/// Lets the current runtime watch the descriptor. Panics outside of one, as everything of tokio does.
pub(crate) fn watch(descriptor: Arc<OwnedFd>) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
    // SAFETY: an `OwnedFd` is open and keeps its number until it is dropped. The `Arc` in the result keeps it from being
    // dropped, and nobody gets a mutable reference to what is behind an `Arc` that is shared or inside an `AsyncFd`.
    let watch = unsafe { AsyncFd::register(descriptor) };
    Ok(watch?)
}
