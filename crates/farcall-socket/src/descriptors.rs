//! How many descriptors the process may have.

use rustix::process::{Resource, getrlimit};

/// The most descriptors that this process may have open at once, sockets and files together (`RLIMIT_NOFILE`).
pub fn descriptor_limit() -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}
