//! What does not fit in a head: files over 700 lines, functions over 80. Aim for 500 and 60.
//!
//! Tests may be long lists, and nobody reads what a program has written: only src folders are judged, without files that
//! begin with `// @generated`.

use super::source::has_word;
use super::{Finding, Source, Tree};

const GENERATED: &str = "// @generated";
const MAX_FILE_LINES: usize = 700;
const MAX_FUNCTION_LINES: usize = 80;

/// Long files and long functions.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources
        .iter()
        .filter(|source| source.path.contains("/src/"))
        .filter(|source| !source.lines.first().is_some_and(|line| line.starts_with(GENERATED)))
        .flat_map(check_source)
        .collect()
}

fn check_source(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if source.lines.len() > MAX_FILE_LINES {
        findings.push(Finding::new(
            &source.path,
            0,
            format!("at most {MAX_FILE_LINES} lines"),
            source.lines.len().to_string(),
        ));
    }
    for (index, line) in source.code.iter().enumerate() {
        if !has_word(line, "fn") {
            continue;
        }
        let length = function_length(&source.code[index..]);
        if length > MAX_FUNCTION_LINES {
            findings.push(Finding::new(
                &source.path,
                index + 1,
                format!("a function of at most {MAX_FUNCTION_LINES} lines"),
                format!("{length} in `{}`", source.lines[index].trim()),
            ));
        }
    }
    findings
}

/// Lines from the `fn` to the brace that closes its body; 1 when it has no body, as in a trait or a function type.
fn function_length(code: &[String]) -> usize {
    let mut depth = 0usize;
    let mut parentheses = 0usize;
    for (index, line) in code.iter().enumerate() {
        let start = if index == 0 { line.find("fn").unwrap_or_default() } else { 0 };
        for character in line[start..].chars() {
            match character {
                '(' | '[' if depth == 0 => parentheses += 1,
                // A closing one that was opened before the `fn`: a function type among arguments.
                ')' | ']' if depth == 0 && parentheses == 0 => return 1,
                ')' | ']' if depth == 0 => parentheses -= 1,
                ';' | ',' | '=' if depth == 0 && parentheses == 0 && index == 0 => return 1,
                ';' if depth == 0 && parentheses == 0 => return 1,
                '{' => depth += 1,
                '}' if depth <= 1 => return index + 1,
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    code.len()
}
