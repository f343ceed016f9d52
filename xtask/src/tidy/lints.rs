//! The lints are written once, in the workspace, and hold for every crate of it.

use super::{Finding, Tree};

/// Crates of the workspace; benches/ and conformance/ are workspaces of their own.
const FOLDERS: [&str; 2] = ["crates/", "xtask/"];

/// Crates that do not say `[lints] workspace = true`.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.manifests
        .iter()
        .filter(|manifest| FOLDERS.iter().any(|folder| manifest.path.starts_with(folder)))
        .filter(|manifest| !manifest.name.is_empty() && !manifest.inherits_lints)
        .map(|manifest| {
            Finding::new(
                &manifest.path,
                0,
                "[lints] with workspace = true",
                "lints of its own, or none",
            )
        })
        .collect()
}
