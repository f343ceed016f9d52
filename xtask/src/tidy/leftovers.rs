//! Work that was put off is either done or not there: no macro that panics in its place, no note about it.

use super::source::has_word;
use super::{Finding, Tree};

/// Macros that stand for missing code.
const MACROS: [&str; 2] = [concat!("to", "do!"), concat!("unim", "plemented!")];
/// Notes in comments or strings. Pieced together, so that this file passes its own check.
const NOTES: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Lines that put work off.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        for (index, (line, code)) in source.lines.iter().zip(&source.code).enumerate() {
            let macros = MACROS.iter().filter(|name| has_word(code, name));
            let notes = NOTES.iter().filter(|note| has_word(line, note));
            for found in macros.chain(notes) {
                findings.push(Finding::new(&source.path, index + 1, "nothing put off", *found));
            }
        }
    }
    findings
}
