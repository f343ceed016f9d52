//! Bytes and frames meet in one place: only the driver may hold a connection and an engine at once.

use super::{Finding, Tree};

/// The folder that is judged, and the one file or folder in it that may.
const FOLDER: &str = "crates/farcall/src/";
const DRIVER: &str = "crates/farcall/src/driver";

/// Files besides the driver that name both `farcall_socket`'s `Connection` and an `Engine` of `farcall_wire`.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources_below(FOLDER)
        .filter(|source| {
            let rest = source.path.strip_prefix(DRIVER);
            !rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        })
        .filter(|source| source.names("farcall_socket") && source.names("Connection"))
        .filter(|source| source.names("farcall_wire") && source.names("Engine"))
        .map(|source| {
            Finding::new(
                &source.path,
                0,
                "a file that knows connections or engines",
                "farcall_socket's Connection and an Engine of farcall_wire",
            )
        })
        .collect()
}
