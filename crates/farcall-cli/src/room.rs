//! How many connections there is room for, so that the process never runs out of descriptors.
//!
//! Who is not let in waits in the kernel's accept queue, which costs this process nothing.

use std::io;
use std::sync::Arc;

use farcall::socket::{open_descriptors, raise_descriptor_limit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Descriptors that stay free for what is opened for a moment: a name's lookup, the pipes of a child process.
const RESERVE: usize = 8;

/// Places for connections.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Semaphore>);

/// A place that is taken; dropping it gives it back.
pub(crate) type Place = OwnedSemaphorePermit;

impl Room {
    /// As many as there are descriptors left after raising the limit, each connection taking `each` of them, and at most
    /// `most`.
    pub(crate) fn new(each: usize, most: usize) -> io::Result<Self> {
        let left = raise_descriptor_limit().saturating_sub(open_descriptors()? + RESERVE);
        let places = (left / each).clamp(1, most.min(Semaphore::MAX_PERMITS));
        Ok(Self(Arc::new(Semaphore::new(places))))
    }

    /// A place, if there is one.
    pub(crate) fn try_place(&self) -> Option<Place> {
        self.0.clone().try_acquire_owned().ok()
    }

    /// Waits for a place.
    pub(crate) async fn place(&self) -> io::Result<Place> {
        self.0.clone().acquire_owned().await.map_err(io::Error::other)
    }
}
