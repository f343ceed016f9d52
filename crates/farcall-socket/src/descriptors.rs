//! How many descriptors the process may have, and how many it has.

use std::fs;
use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most descriptors that this process may have open at once, sockets and files together (`RLIMIT_NOFILE`).
pub fn descriptor_limit() -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// Raises the limit to the most that this process may give itself, and returns it. Child processes inherit it: one that
/// uses `select` must not be handed descriptors of 1024 and above.
pub fn raise_descriptor_limit() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // When it is refused, the limit stays as it was; that is what is returned.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    descriptor_limit()
}

/// How many descriptors this process has open.
///
/// # Errors
/// When `/proc` cannot be read, or no descriptor is left to read it with.
pub fn open_descriptors() -> io::Result<usize> {
    // One of them is the folder's own.
    Ok(fs::read_dir("/proc/self/fd")?.count().saturating_sub(1))
}
