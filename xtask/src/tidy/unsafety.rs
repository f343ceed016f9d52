//! All `unsafe` of the project lives in one folder, each block under a line that says why it is sound.

use std::fmt;

use super::source::has_word;
use super::{Finding, Source, Tree};

/// The only place for `unsafe`: the folder and its mod file.
const HOME: &str = "crates/farcall-socket/src/sys";

/// What an `unsafe` stands before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// A block, an impl or an extern block: the author claims something and says why it holds.
    Claim,
    /// A function, a trait or a function type: the claim is its caller's.
    Contract,
}

/// `unsafe` elsewhere, the lint lifted elsewhere, and claims without a reason.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources.iter().flat_map(check_source).collect()
}

/// How much of it there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Blocks, impls and extern blocks.
    pub claims: usize,
    /// Files that hold any.
    pub files: usize,
}

impl Census {
    /// Counts the project's unsafe code.
    pub fn of(tree: &Tree) -> Census {
        let mut census = Census::default();
        for source in &tree.sources {
            let lines = 0..source.code.len();
            let claims = lines
                .flat_map(|index| uses(source, index))
                .filter(|&found| found == Use::Claim)
                .count();
            census.claims += claims;
            census.files += usize::from(claims > 0);
        }
        census
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unsafe: {} blocks in {} files", self.claims, self.files)
    }
}

fn check_source(source: &Source) -> Vec<Finding> {
    let at_home =
        source.path.strip_prefix(HOME).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'));
    let mut findings = Vec::new();
    for (index, line) in source.code.iter().enumerate() {
        let lifts_lint = has_word(line, "unsafe_code");
        if !at_home && (lifts_lint || has_word(line, "unsafe")) {
            findings.push(Finding::new(
                &source.path,
                index + 1,
                format!("unsafe code only in {HOME}"),
                source.lines[index].trim(),
            ));
        }
        if at_home && uses(source, index).contains(&Use::Claim) && !has_reason(source, index) {
            findings.push(Finding::new(
                &source.path,
                index + 1,
                "a comment that begins with \"SAFETY:\" above the block",
                source.lines[index].trim(),
            ));
        }
    }
    findings
}

/// Every `unsafe` in a line, by what follows it there or in the next line.
fn uses(source: &Source, index: usize) -> Vec<Use> {
    let line = &source.code[index];
    if !has_word(line, "unsafe") {
        return Vec::new();
    }
    let next = source.code.get(index + 1).map_or("", |line| line.trim());
    line.split("unsafe")
        .skip(1)
        .map(|after| {
            let after = if after.trim().is_empty() { next } else { after.trim() };
            let contract = ["fn", "trait"].iter().any(|word| after.starts_with(word));
            // `unsafe extern "C" fn` is a contract, `unsafe extern "C" {` a claim.
            if contract || (after.starts_with("extern") && has_word(after, "fn")) {
                Use::Contract
            } else {
                Use::Claim
            }
        })
        .collect()
}

/// Whether a comment in the line, or above it in the same statement, begins with `SAFETY:`.
fn has_reason(source: &Source, index: usize) -> bool {
    for line in (0..=index).rev() {
        if source.comments[line].contains("SAFETY:") {
            return true;
        }
        let code = source.code[line].trim_end();
        if line < index && code.ends_with([';', '{', '}', ',']) {
            return false;
        }
    }
    false
}
