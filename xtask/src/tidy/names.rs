//! One noun, one file. A name that could hold anything ends up holding it.

use super::{Finding, Tree};

/// Names that say nothing, for a file or a folder.
const EMPTY_NAMES: [&str; 7] = ["common", "helper", "helpers", "misc", "util", "utils", "stuff"];

/// Files and folders with such a name.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        for part in source.path.split('/') {
            let name = part.strip_suffix(".rs").unwrap_or(part);
            if EMPTY_NAMES.contains(&name) {
                findings.push(Finding::new(
                    &source.path,
                    0,
                    "a name that says what is in it",
                    format!("\"{name}\""),
                ));
            }
        }
    }
    findings
}
