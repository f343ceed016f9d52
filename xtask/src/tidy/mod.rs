//! Tidy: the rules of the house that no compiler checks. One rule, one file.
//!
//! A check is a function from the [`Tree`] to [`Finding`]s, so that each can be tried on a tree of three lines.

pub mod arrows;
pub mod driver;
pub mod leftovers;
pub mod lints;
mod manifest;
pub mod names;
pub mod purity;
pub mod size;
mod source;
mod tree;
pub mod unsafety;

use std::fmt;

pub use manifest::{Dependency, Kind, Manifest};
pub use source::Source;
pub use tree::Tree;

/// A rule and the function that judges it.
#[derive(Debug)]
pub struct Check {
    /// The rule in one sentence, as the report prints it.
    pub rule: &'static str,
    /// Everything in the tree that breaks the rule.
    pub run: fn(&Tree) -> Vec<Finding>,
}

/// Every rule, in the order of the report.
pub const CHECKS: &[Check] = &[
    Check { rule: "crates depend on each other along the arrows only", run: arrows::check },
    Check { rule: "wire and core have no runtime, no clock and no socket", run: purity::check },
    Check {
        rule: "unsafe stays in crates/farcall-socket/src/sys, each block under a SAFETY line",
        run: unsafety::check,
    },
    Check { rule: "only the driver sees both a connection and an engine", run: driver::check },
    Check { rule: "a file has at most 700 lines, a function at most 80", run: size::check },
    Check { rule: "nothing is left for later", run: leftovers::check },
    Check { rule: "every file and folder has a name that says what is in it", run: names::check },
    Check { rule: "every crate takes the lints of the workspace", run: lints::check },
];

/// One place where a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Path from the root of the project, with `/`.
    pub path: String,
    /// Line, counted from 1; 0 means the whole file.
    pub line: usize,
    /// What the rule asks for.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl Finding {
    fn new(
        path: &str,
        line: usize,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Finding {
        Finding { path: path.to_owned(), line, expected: expected.into(), found: found.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": expected {}, found {}", self.expected, self.found)
    }
}
